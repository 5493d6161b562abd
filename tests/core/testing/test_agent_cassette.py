from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from agent_factory.core import Agent, Limits, ToolError, tool
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.testing import (
    Cassette,
    CassetteMissError,
    ScriptedModel,
    create_tool_call,
    run_virtual,
)

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core import RunResult
    from agent_factory.core.testing import Answer

IDS = (f"id-{number}" for number in itertools.count())


@tool(effect="read")
def get_stock(article: str) -> int:
    """Look up how many pieces of an article are there."""
    if article != "A-17":
        raise ToolError(f"there is no article {article!r}")
    return 12


def run(path: Path, *, wanted: str = "How many A-17?") -> RunResult[str]:
    """Run an agent that tries two articles; its tool calls have new identifiers each time."""
    script: list[Answer] = [
        create_tool_call("get_stock", {"article": "17"}, call_id=next(IDS)),
        create_tool_call("get_stock", {"article": "A-17"}, call_id=next(IDS)),
        "12 pieces are there.",
    ]
    with Cassette(path, "auto") as cassette:
        agent = Agent(
            name="clerk",
            model=cassette.wrap_model(ScriptedModel(script, name="m")),
            tools=[cassette.wrap_tool(get_stock)],
        )
        return run_virtual(lambda: agent.run(wanted))


def test_run_of_an_agent_is_replayed(tmp_path: Path) -> None:
    recorded = run(tmp_path / "tape.json")
    replayed = run(tmp_path / "tape.json")

    assert recorded.output == "12 pieces are there."
    assert (replayed.output, replayed.messages) == (recorded.output, recorded.messages)
    assert replayed.usage == recorded.usage


def test_run_that_asks_something_else_ends_with_the_miss(tmp_path: Path) -> None:
    run(tmp_path / "tape.json")

    with pytest.raises(CassetteMissError, match="How many B-3"):
        run(tmp_path / "tape.json", wanted="How many B-3?")


def test_chain_of_models_is_recorded_and_replayed_under_a_bound_of_money(tmp_path: Path) -> None:
    def ask(*answers: str) -> str:
        chain = FallbackModel([ScriptedModel(answers), ScriptedModel([])])
        with Cassette(tmp_path / "tape.json", "auto") as cassette:
            model = cassette.wrap_model(chain)
            agent = Agent(name="clerk", model=model, limits=Limits(max_cost=1_000))
            return agent.run_sync("Hi").output

    assert ask("Good.") == "Good."
    assert ask() == "Good."


def test_single_model_is_recorded_as_a_single_one(tmp_path: Path) -> None:
    cassette = Cassette(tmp_path / "tape.json", "record")

    assert cassette.wrap_model(ScriptedModel(["Good."])).models is None
