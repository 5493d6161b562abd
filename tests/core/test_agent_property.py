"""For any script: ``run`` is the fold of ``stream``, the history stays whole, and the run ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    AssistantMessage,
    CoreError,
    Limits,
    ModelAnswered,
    ModelConnectionError,
    ModelResponse,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolCall,
    ToolError,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    Usage,
    check_history,
)
from agent_factory.core.testing import FunctionModel
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import Agent, ModelRequest, RunEvent, RunResult

TOOLS = (
    create_test_tool("echo"),
    create_test_tool("refuse", error=ToolError("not today")),
    create_test_tool("crash", error=ValueError("a defect")),
    create_test_tool("opaque", result=object()),
)

calls = st.builds(
    ToolCall,
    id=st.sampled_from(["1", "2", "3", "4"]),
    name=st.sampled_from(["echo", "echo", "echo", "refuse", "crash", "opaque", "unknown", ""]),
    arguments=st.sampled_from(['{"text": "x"}', "{}", "", "[", '{"text": 1}', '{"y": "\\ud800"}']),
)
messages = st.builds(
    AssistantMessage,
    text=st.text(max_size=8) | st.sampled_from(["42", "two words"]),
    tool_calls=st.lists(calls, max_size=3).map(tuple),
)
responses = st.builds(
    ModelResponse,
    message=messages,
    usage=st.builds(Usage, st.just(1), st.integers(0, 99), st.integers(0, 99)),
    finish_reason=st.sampled_from(
        ["stop", "stop", "stop", "tool_calls", "length", "content_filter"]
    ),
)
errors = st.just(ModelConnectionError("refused", model="m"))
scripts = st.lists(responses | responses | responses | errors, max_size=6)
limits = st.builds(
    Limits,
    max_requests=st.integers(1, 8),
    max_tool_calls=st.integers(0, 8),
    max_output_retries=st.integers(0, 2),
    timeout=st.just(30.0),
)


def create_agent(
    script: list[ModelResponse | ModelConnectionError], output_type: type[Any], allowed: Limits
) -> Agent[Any, Any]:
    """Return an agent whose model follows the script, then says "7" for ever."""
    answers = iter(script)

    def answer(request: ModelRequest) -> ModelResponse | ModelConnectionError | str:
        check_history(request.messages)
        return next(answers, "7")

    return create_test_agent(
        model=FunctionModel(answer),
        tools=TOOLS,
        output_type=output_type,
        limits=allowed,
        instructions="Do it.",
    )


async def run(agent: Agent[Any, Any]) -> RunResult[Any] | CoreError:
    """Return how a run ended."""
    try:
        return await agent.run("Hi.")
    except CoreError as error:
        return error


async def fold(agent: Agent[Any, Any]) -> tuple[list[RunEvent[Any]], CoreError | None]:
    """Return the events of a run, and its error if it failed."""
    events: list[RunEvent[Any]] = []
    try:
        async for event in agent.stream("Hi."):
            events.append(event)
    except CoreError as error:
        return events, error
    return events, None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, output_type=st.sampled_from([str, int]), allowed=limits)
def test_run_is_the_fold_of_stream(
    script: list[ModelResponse | ModelConnectionError], output_type: type[Any], allowed: Limits
) -> None:
    ended = asyncio.run(run(create_agent(script, output_type, allowed)))
    events, error = asyncio.run(fold(create_agent(script, output_type, allowed)))

    if isinstance(ended, CoreError):
        assert error is not None
        assert (type(error), error.message) == (type(ended), ended.message)
        assert not any(isinstance(event, RunFinished) for event in events)
    else:
        assert error is None
        last = events[-1]
        assert isinstance(last, RunFinished)
        assert (last.result.output, last.result.messages, last.result.usage) == (
            ended.output,
            ended.messages,
            ended.usage,
        )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, output_type=st.sampled_from([str, int]), allowed=limits)
def test_events_and_history_of_any_run_are_whole(
    script: list[ModelResponse | ModelConnectionError], output_type: type[Any], allowed: Limits
) -> None:
    events, error = asyncio.run(fold(create_agent(script, output_type, allowed)))

    assert [event.sequence for event in events] == list(range(len(events)))
    assert isinstance(events[0], RunStarted)
    assert "".join(event.text for event in events if isinstance(event, TextReceived)) == "".join(
        event.message.text for event in events if isinstance(event, ModelAnswered)
    )
    started = [event.call for event in events if isinstance(event, ToolStarted)]
    finished = [event.call for event in events if isinstance(event, ToolFinished)]
    assert len(started) <= allowed.max_tool_calls
    known = {tool.name for tool in TOOLS}
    began = [call for call in finished if call.name in known]
    assert len(began) <= len(started)
    assert all(call in started for call in began)
    if error is None:
        last = events[-1]
        assert isinstance(last, RunFinished)
        assert check_history(last.result.messages) == last.result.messages
        results = [item for item in last.result.messages if isinstance(item, ToolMessage)]
        assert sorted(item.call_id for item in results) == sorted(call.id for call in finished)
        assert last.result.usage.tool_calls == len(started) == len(began)
        assert last.result.usage.requests <= allowed.max_requests
