from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from agent_factory.core import (
    LimitExceededError,
    Limits,
    ModelError,
    ModelResponse,
    RunTimeoutError,
    TextDelta,
    ToolMessage,
    tool,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_factory.core import ModelRequest, RunEvent

SOON = Limits(timeout=0.05)


class StubbornModel:
    """A model that never answers, and that ignores that it is cancelled."""

    name = "stubborn"

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def _ignore(self) -> None:
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                continue

    async def respond(self, request: ModelRequest) -> ModelResponse:
        await self._ignore()
        raise AssertionError("nobody waits for this any more")

    async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
        yield TextDelta("a ")
        await self._ignore()


def test_model_that_always_wants_tools_is_stopped_by_max_requests() -> None:
    model = FunctionModel(lambda request: create_tool_call("echo", {}))
    agent = create_test_agent(
        model=model, tools=[create_test_tool()], limits=Limits(max_requests=3)
    )

    with pytest.raises(LimitExceededError, match=r"Limits\(max_requests=") as caught:
        agent.run_sync("Hi.")

    assert (caught.value.limit, caught.value.allowed) == ("max_requests", 3)
    assert len(model.requests) == 3


def test_limits_hold_for_each_run_alone() -> None:
    agent = create_test_agent(["one", "two"], limits=Limits(max_requests=1))

    assert [agent.run_sync("Hi.").output, agent.run_sync("Hi.").output] == ["one", "two"]


def test_tool_calls_up_to_the_limit_are_carried_out() -> None:
    call = create_tool_call("echo", {})
    agent = create_test_agent(
        [call, call, "done"], tools=[create_test_tool()], limits=Limits(max_tool_calls=2)
    )

    assert agent.run_sync("Hi.").usage.tool_calls == 2


def test_run_timeout_ends_a_model_that_never_answers() -> None:
    class Silent(FunctionModel):
        async def respond(self, request: ModelRequest) -> ModelResponse:
            await asyncio.Event().wait()
            raise AssertionError

    agent = create_test_agent(model=Silent(lambda request: ""), limits=SOON)

    with pytest.raises(RunTimeoutError, match=r"within 0\.05 s") as caught:
        agent.run_sync("Hi.")
    assert caught.value.retryable
    assert caught.value.details == {"timeout": 0.05}


def test_run_timeout_ends_a_model_that_ignores_cancellation() -> None:
    async def main() -> None:
        model = StubbornModel()
        try:
            await create_test_agent(model=model, limits=SOON).run("Hi.")
        finally:
            model.released.set()

    with pytest.raises(RunTimeoutError):
        asyncio.run(main())


def test_run_timeout_ends_a_stream_that_ignores_cancellation() -> None:
    async def main() -> list[RunEvent[str]]:
        model = StubbornModel()
        events: list[RunEvent[str]] = []
        try:
            agent = create_test_agent(model=model, limits=Limits(timeout=0.5))
            async for event in agent.stream("Hi."):
                events.append(event)
        except RunTimeoutError:
            return events
        finally:
            model.released.set()
        raise AssertionError("the stream must not end well")

    assert [type(event).__name__ for event in asyncio.run(main())] == [
        "RunStarted",
        "ModelRequested",
        "TextReceived",
        "RunFailed",
    ]


def test_run_timeout_ends_an_endless_stream() -> None:
    class Endless(FunctionModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            while True:
                yield TextDelta("more ")

    async def main() -> None:
        agent = create_test_agent(model=Endless(lambda request: ""), limits=SOON)
        async for _ in agent.stream("Hi."):
            pass

    with pytest.raises(RunTimeoutError):
        asyncio.run(main())


def test_timeout_error_that_a_model_raises_itself_is_not_the_deadline() -> None:
    class Failing(FunctionModel):
        async def respond(self, request: ModelRequest) -> ModelResponse:
            raise TimeoutError("of the model's own")

    with pytest.raises(ModelError, match="raised TimeoutError: of the model's own"):
        create_test_agent(model=Failing(lambda request: "")).run_sync("Hi.")


def test_request_carries_the_time_that_is_left() -> None:
    model = ScriptedModel([create_tool_call("echo", {}), "done"])
    agent = create_test_agent(model=model, tools=[create_test_tool()], limits=Limits(timeout=20.0))

    agent.run_sync("Hi.")

    first, second = (request.timeout for request in model.requests)
    assert 0 < second <= first <= 20.0


def test_slow_tool_is_told_to_the_model_which_may_go_on() -> None:
    @tool(timeout=0.02, effect="read")
    async def slow() -> None:
        await asyncio.Event().wait()

    agent = create_test_agent([create_tool_call("slow", {}), "too slow"], tools=[slow])

    result = agent.run_sync("Hi.")

    assert result.output == "too slow"
    assert result.messages[-2] == ToolMessage(
        "call-1", "slow", "Error: tool 'slow' did not finish within 0.02 s", outcome="error"
    )


def test_tool_that_ignores_cancellation_does_not_hold_up_the_run() -> None:
    async def main() -> str:
        released = asyncio.Event()

        @tool(timeout=0.02)
        async def stubborn() -> None:
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    continue

        agent = create_test_agent([create_tool_call("stubborn", {}), "gone on"], tools=[stubborn])
        result = await agent.run("Hi.")
        released.set()
        return result.output

    assert asyncio.run(main()) == "gone on"


def test_run_deadline_cuts_a_tool_short() -> None:
    @tool(timeout=60)
    async def slow() -> None:
        await asyncio.Event().wait()

    agent = create_test_agent([create_tool_call("slow", {}), "never"], tools=[slow], limits=SOON)

    with pytest.raises(RunTimeoutError):
        agent.run_sync("Hi.")


def test_plain_function_that_hangs_does_not_keep_the_process_from_ending() -> None:
    program = """
        import threading
        from agent_factory.core import Agent, tool
        from agent_factory.core.testing import ScriptedModel, create_tool_call

        @tool(timeout=0.05)
        def hang() -> None:
            threading.Event().wait()

        model = ScriptedModel([create_tool_call("hang", {}), "went on"])
        print(Agent(name="a", model=model, tools=[hang]).run_sync("Hi.").output)
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def test_tool_that_never_ends_does_not_keep_run_sync_from_returning() -> None:
    @tool(timeout=0.02, effect="read")
    async def deaf() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    agent = create_test_agent([create_tool_call("deaf", {}), "went on"], tools=[deaf])

    assert agent.run_sync("Hi.").output == "went on"
