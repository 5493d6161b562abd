"""The benchmarks still run: their server, their workers, and their report."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.answers import create_scenario
from benchmarks.environments import Environment
from benchmarks.measuring import Cell, Plan, measure, serving
from benchmarks.report import create_report, fit_exponent, show_report
from benchmarks.worker import WrongAnswerError, prepare
from benchmarks.workloads import PEERS, WORKLOADS, Workload

pytestmark = pytest.mark.integration

OURS = [item for item in WORKLOADS if "agent_factory" in item.peers and not item.fresh]


def run_once(peer: str, kind: str, scenario: str) -> None:
    """Do one checked run in this process."""

    async def run() -> None:
        async with serving() as url:
            subject = prepare(peer, kind, scenario, url)
            try:
                await subject.run()
            finally:
                await subject.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("workload", OURS, ids=lambda workload: workload.name)
def test_each_workload_runs_with_our_own_agents(workload: Workload) -> None:
    run_once("agent_factory", workload.kind, workload.scenario)


@pytest.mark.parametrize("peer", ["aiohttp_by_hand", "openai_sdk"])
@pytest.mark.parametrize("scenario", ["one", "sequence-3", "parallel-3", "stream"])
def test_the_work_by_hand_gives_the_right_answers(peer: str, scenario: str) -> None:
    kinds = {"one": "ask", "stream": "stream"}
    run_once(peer, kinds.get(scenario, "call_tools"), scenario)


def test_a_run_that_left_tool_calls_out_is_no_figure() -> None:
    with pytest.raises(WrongAnswerError, match=r"not|tool calls"):
        run_once("aiohttp_by_hand", "ask", "sequence-3")


def test_workers_are_measured_and_reported() -> None:
    workload = next(item for item in WORKLOADS if item.name == "chain")
    environment = Environment("agent_factory", Path(sys.executable), _sources(), {}, 1)
    plan = Plan((workload,), {"agent_factory": environment}, 2, 0.001, ("agent_factory",))
    (cell,) = asyncio.run(measure(plan))
    assert cell.error == ""
    assert len(cell.cpu) == len(cell.wall) == 2
    report = create_report(plan, [cell])
    assert report["workloads"][0]["figures"]["agent_factory"] > 0
    assert "workflow: a step of a chain" in show_report(report)


def test_a_worker_that_fails_is_a_failed_cell() -> None:
    workload = Workload("none", "nothing", "no_such_kind", "one")
    environment = Environment("agent_factory", Path(sys.executable), _sources(), {}, 1)
    plan = Plan((workload,), {"agent_factory": environment}, 1, 0.001, ("agent_factory",))
    (cell,) = asyncio.run(measure(plan))
    assert "no_such_kind" in cell.error
    assert "failed:" in show_report(create_report(plan, [cell]))


def test_targets_are_judged_by_the_medians() -> None:
    workload = next(item for item in WORKLOADS if item.name == "one")
    plan = Plan((workload,), {}, 3, 0.1, PEERS)
    times: dict[str, list[float]] = {
        "openai_sdk": [0.010, 0.011, 9.0],
        "agno": [0.012, 0.013, 0.014],
        "agent_factory": [0.001, 0.002, 0.003],
    }
    cells = [Cell(workload, peer, cpu, cpu) for peer, cpu in times.items()]
    report: dict[str, Any] = create_report(plan, cells)
    (item,) = report["workloads"]
    assert item["figures"]["openai_sdk"] == pytest.approx(11)
    assert item["ratios"]["agent_factory"] == pytest.approx(2 / 11)
    assert "| agno 13 (1.18x) | 2 (0.18x) | <= 0.2 x openai_sdk | yes |" in show_report(report)


def test_growth_is_the_exponent_of_the_curve() -> None:
    assert fit_exponent([(n, 3 * n**1.5) for n in (10, 20, 40)]) == pytest.approx(1.5)


def test_the_answers_of_a_sequence_end_after_its_calls() -> None:
    scenario = create_scenario("sequence-2")
    assert (scenario.tool_calls, scenario.total) == (2, 3)
    assert b"call_001" in scenario.answer(1)[0]
    assert scenario.text.encode() in scenario.answer(2)[0]


def _sources() -> tuple[Path, ...]:
    """The import path of this process, for one in which our packages are found in the same way."""
    return tuple(Path(item) for item in sys.path if item)
