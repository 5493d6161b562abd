"""Runs whose clock raises: what tells the time of events must not break what happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import AssistantMessage, Limits, RunOptions
from agent_factory.core.testing import create_tool_call
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import RunEvent

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class FailingClock:
    """Tells the same time, until it raises."""

    def __init__(self, readings: int) -> None:
        self._left = readings

    def now(self) -> datetime:
        self._left -= 1
        if self._left < 0:
            raise LookupError("no such moment on the tape")
        return LONG_AGO


@pytest.mark.parametrize("readings", range(11))
def test_clock_that_raises_is_reported_once_and_the_run_goes_on(readings: int) -> None:
    calls = tuple(create_tool_call("look", {"text": "x"}, call_id=item) for item in "12")
    agent = create_test_agent(
        [AssistantMessage("", calls), "done"],
        tools=[create_test_tool("look")],
        limits=Limits(timeout=5),
    )
    seen: list[RunEvent[Any]] = []
    reported: list[dict[str, Any]] = []

    async def main() -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: reported.append(said))
        options = RunOptions(clock=FailingClock(readings), observers=(seen.append,))
        return (await agent.run("Hi.", options=options)).output

    assert asyncio.run(main()) == "done"
    (said,) = reported
    assert "the clock of run" in said["message"]
    assert isinstance(said["exception"], LookupError)
    assert seen[-1].type == "run_finished"
    assert seen[-1].time > LONG_AGO


def test_run_that_nobody_watches_makes_no_events() -> None:
    reported: list[dict[str, Any]] = []

    async def main() -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: reported.append(said))
        options = RunOptions(clock=FailingClock(0))
        return (await create_test_agent(["done"]).run("Hi.", options=options)).output

    assert asyncio.run(main()) == "done"
    assert reported == []
