"""Measures one peer at one workload, in the peer's environment: ``worker.py PEER KIND SCENARIO URL SECONDS``.

Runs as a script, with nothing of the repository on the import path but this folder's package. A worker with rounds
warms up, says so with a line of JSON, and does one round for each line that it reads.
"""

# Without __future__ and with few imports: all that is imported here counts for every peer's start.
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Subject", "WrongAnswerError", "main", "prepare"]

_CONCURRENT = 200
_MOST_RUNS = 20_000


class WrongAnswerError(Exception):
    """A peer did something else than the workload says, so its figures would mean nothing."""


class Subject:
    """What is measured.

    Args:
        run: Does one checked run.
        peer: The peer, which may have connections to close.

    Attributes:
        run: Does one checked run.
    """

    def __init__(self, run: Callable[[], Awaitable[None]], peer: Any = None) -> None:
        self.run = run
        self._peer = peer

    async def aclose(self) -> None:
        """Close the connections; a worker just ends instead."""
        if hasattr(self._peer, "aclose"):
            await self._peer.aclose()


def prepare(peer: str, kind: str, scenario_name: str, url: str) -> Subject:
    """Return what does one checked run.

    Args:
        peer: Name of the peer's module.
        kind: Kind of workload.
        scenario_name: What the server answers.
        url: Address of the server, up to the scenario.
    """
    module = import_module(f"benchmarks.peers.{peer}")
    if kind in ("chain", "fan_out"):
        return Subject(_prepare_workflow(module, kind))
    subject = module.create(f"{url}/{scenario_name or 'one'}/v1")
    if kind == "construct":

        async def construct() -> None:
            subject.construct()

        return Subject(construct, subject)

    from benchmarks.answers import create_scenario
    from benchmarks.peers.base import ADDER

    scenario = create_scenario(scenario_name)
    act: Callable[[], Awaitable[str]] = getattr(subject, "ask" if kind == "concurrent" else kind)

    async def run() -> None:
        calls, total = ADDER.calls, ADDER.total
        text = await act()
        if text != scenario.text:
            raise WrongAnswerError(f"the answer is {text[:200]!r}, not {scenario.text[:200]!r}")
        did = (ADDER.calls - calls, ADDER.total - total)
        if did != (scenario.tool_calls, scenario.total):
            raise WrongAnswerError(
                f"{did[0]} tool calls with the sum {did[1]}, not {scenario.tool_calls} with {scenario.total}"
            )

    async def run_many() -> None:
        texts = await asyncio.gather(*[act() for _ in range(_CONCURRENT)])
        if texts != [scenario.text] * _CONCURRENT:
            raise WrongAnswerError("not every one of the concurrent answers is right")

    return Subject(run_many if kind == "concurrent" else run, subject)


def _prepare_workflow(module: ModuleType, kind: str) -> Callable[[], Awaitable[None]]:
    from benchmarks.workloads import STEPS

    act: Callable[[], Awaitable[int]] = getattr(module.create_workflows(), kind)

    async def run() -> None:
        result = await act()
        if result != STEPS:
            raise WrongAnswerError(f"the workflow gave {result!r}, not {STEPS}")

    return run


async def _measure(run: Callable[[], Awaitable[None]], seconds: float) -> None:
    once = 0.0
    for _ in range(3):
        began = time.perf_counter()
        await run()
        once = time.perf_counter() - began
        if once > seconds:
            break
    count = max(1, min(_MOST_RUNS, round(seconds / max(once, 1e-7))))
    _say({"ready": True, "runs": count})
    while sys.stdin.readline():
        if count > 1:
            # Once outside the measure: connections that idled for too long are opened anew here.
            await run()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            await run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        _say({"cpu": cpu / count, "wall": wall / count})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _package() -> None:
    # Not through sys.path: the repository's other folders would be packages too, for the peers' optional imports.
    package = ModuleType("benchmarks")
    package.__path__ = [__file__.rpartition("/")[0]]
    sys.modules["benchmarks"] = package


def main() -> None:
    """Measure what the arguments say."""
    peer, kind, scenario, url, seconds = sys.argv[1:]
    if kind == "import_core":
        import_module("agent_factory.core")
    elif kind == "start":
        asyncio.run(_first(prepare(peer, "ask", scenario, url).run))
    else:
        asyncio.run(_measure(prepare(peer, kind, scenario, url).run, float(seconds)))
        return
    _say({"cpu": time.process_time(), "wall": 0.0})


async def _first(run: Callable[[], Awaitable[None]]) -> None:
    await run()


if __name__ == "__main__":
    _package()
    main()
