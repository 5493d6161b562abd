from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    HistoryError,
    ModelAnswered,
    ModelError,
    ModelRequested,
    ModelResponse,
    ModelResponseError,
    OutputRejected,
    RunEvent,
    RunFinished,
    RunStarted,
    TextDelta,
    TextReceived,
    ToolCall,
    ToolError,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    Usage,
)
from agent_factory.core.testing import FunctionModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_factory.core import ModelRequest


def read(agent: Agent[Any, Any]) -> list[RunEvent[Any]]:
    """Return all events of one run."""

    async def collect() -> list[RunEvent[Any]]:
        return [event async for event in agent.stream("Hi.")]

    return asyncio.run(collect())


def create_agent_with_tool() -> Agent[Any, str]:
    """Return an agent whose model says something, calls ``echo``, and answers."""
    call = create_tool_call("echo", {"text": "x"})
    return create_test_agent(
        [AssistantMessage("Let me look.", (call,)), "It is x."], tools=[create_test_tool()]
    )


def test_events_tell_the_run_in_its_order() -> None:
    assert [type(event) for event in read(create_agent_with_tool())] == [
        RunStarted,
        ModelRequested,
        TextReceived,
        TextReceived,
        TextReceived,
        ModelAnswered,
        ToolStarted,
        ToolFinished,
        ModelRequested,
        TextReceived,
        TextReceived,
        TextReceived,
        ModelAnswered,
        RunFinished,
    ]


def test_events_are_numbered_without_gaps_within_one_run_id() -> None:
    events = read(create_agent_with_tool())

    assert [event.sequence for event in events] == list(range(len(events)))
    assert len({event.run_id for event in events}) == 1


def test_times_are_utc_and_do_not_run_backwards() -> None:
    times = [event.time for event in read(create_agent_with_tool())]

    assert {time.tzinfo for time in times} == {UTC}
    assert times == sorted(times)


def test_first_event_says_what_was_asked_of_whom() -> None:
    first = read(create_test_agent(name="clerk"))[0]

    assert isinstance(first, RunStarted)
    assert (first.agent, first.model, first.prompt) == ("clerk", "scripted", "Hi.")


def test_attempts_are_counted_from_one() -> None:
    events = read(create_agent_with_tool())

    assert [event.attempt for event in events if isinstance(event, ModelRequested)] == [1, 2]


def test_pieces_of_text_make_up_the_answers() -> None:
    events = read(create_agent_with_tool())

    pieces = [event.text for event in events if isinstance(event, TextReceived)]
    answers = [event.message.text for event in events if isinstance(event, ModelAnswered)]
    assert pieces == ["Let ", "me ", "look.", "It ", "is ", "x."]
    assert "".join(pieces) == "".join(answers)


def test_call_of_an_unknown_tool_ends_without_having_begun() -> None:
    call = ToolCall("1", "nope", "{}")
    events = read(create_test_agent([call, "sorry"]))

    [ended] = (item for item in events if isinstance(item, (ToolStarted, ToolFinished)))
    assert isinstance(ended, ToolFinished)
    assert ended.content == "Error: there is no tool named 'nope'; the tools are: none"


def test_tool_events_carry_call_and_result() -> None:
    call = ToolCall("1", "refuse", "{}")
    tools = [create_test_tool("refuse", error=ToolError("not today"))]
    events = read(create_test_agent([call, "sorry"], tools=tools))

    started, finished = (item for item in events if isinstance(item, (ToolStarted, ToolFinished)))
    assert started.call == finished.call == call
    assert isinstance(finished, ToolFinished)
    assert finished.is_error
    assert finished.content == "Error: not today"


def test_each_finished_event_carries_the_result_of_its_own_call() -> None:
    calls = tuple(create_tool_call("echo", {"text": text}, call_id=text) for text in "abc")
    events = read(create_test_agent([AssistantMessage("", calls), "x"], tools=[create_test_tool()]))

    finished = [event for event in events if isinstance(event, ToolFinished)]
    assert [(event.call.id, event.content) for event in finished] == [
        ("a", "a"),
        ("b", "b"),
        ("c", "c"),
    ]


def test_rejected_output_is_an_event_with_the_reason() -> None:
    [event] = [
        event
        for event in read(create_test_agent(["no", "1"], output_type=int))
        if isinstance(event, OutputRejected)
    ]

    assert event.reason.startswith("the answer does not fit the required JSON Schema: answer: ")


def test_last_event_has_the_result_that_run_returns() -> None:
    last = read(create_agent_with_tool())[-1]
    result = create_agent_with_tool().run_sync("Hi.")

    assert isinstance(last, RunFinished)
    assert (last.result.output, last.result.messages, last.result.usage) == (
        result.output,
        result.messages,
        result.usage,
    )
    assert last.result.run_id == last.run_id


def test_answered_event_carries_the_usage_of_its_call() -> None:
    usage = Usage(1, 11, 22)

    [event] = [
        event
        for event in read(create_test_agent([ModelResponse(AssistantMessage("x"), usage)]))
        if isinstance(event, ModelAnswered)
    ]

    assert event.usage == usage


def test_empty_answer_has_no_text_events() -> None:
    events = read(create_test_agent(["", "done"]))

    texts = [event.text for event in events if isinstance(event, TextReceived)]
    assert "".join(texts) == "done"
    assert isinstance(events[-1], RunFinished)


def test_stream_without_a_response_breaks_the_protocol() -> None:
    class Cut(FunctionModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            yield TextDelta("half an ")

    with pytest.raises(ModelResponseError, match="without a response"):
        read(create_test_agent(model=Cut(lambda request: "")))


def test_stream_that_is_a_plain_iterator_is_read_too() -> None:
    class Once:
        def __init__(self) -> None:
            self.items: list[TextDelta | ModelResponse] = [
                ModelResponse(AssistantMessage("ab")),
                TextDelta("b"),
                TextDelta("a"),
            ]

        def __aiter__(self) -> AsyncIterator[TextDelta | ModelResponse]:
            return self

        async def __anext__(self) -> TextDelta | ModelResponse:
            if not self.items:
                raise StopAsyncIteration
            return self.items.pop()

    class Plain(FunctionModel):
        def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            return Once()

    events = read(create_test_agent(model=Plain(lambda request: "")))

    assert [event.text for event in events if isinstance(event, TextReceived)] == ["a", "b"]


def test_closing_the_stream_early_closes_the_models_stream() -> None:
    closed: list[bool] = []

    class Watched(FunctionModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            try:
                yield TextDelta("one ")
                await asyncio.Event().wait()
            finally:
                closed.append(True)

    async def main() -> list[bool]:
        agent = create_test_agent(model=Watched(lambda request: ""))
        async with aclosing(agent.stream("Hi.")) as events:
            async for event in events:
                if isinstance(event, TextReceived):
                    break
        return list(closed)

    assert asyncio.run(main()) == [True]


def test_stream_runs_in_one_task_so_that_timeouts_may_span_its_pieces() -> None:
    tasks: set[asyncio.Task[Any] | None] = set()

    class Spanning(FunctionModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            async with asyncio.timeout(5):
                for piece in ("a", "b"):
                    tasks.add(asyncio.current_task())
                    yield TextDelta(piece)
                    await asyncio.sleep(0)
            tasks.add(asyncio.current_task())
            yield ModelResponse(AssistantMessage("ab"))

    read(create_test_agent(model=Spanning(lambda request: "")))

    assert len(tasks) == 1


def test_stream_cancelled_from_inside_does_not_look_like_a_cancelled_run() -> None:
    class Lost(FunctionModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
            yield TextDelta("a")
            raise asyncio.CancelledError

    with pytest.raises(ModelError, match="cancelled from inside"):
        read(create_test_agent(model=Lost(lambda request: "")))


def test_broken_history_is_refused_by_stream_as_by_run() -> None:
    async def main() -> None:
        history = [ToolMessage("c", "echo", "x")]
        async for _ in create_test_agent().stream("Hi.", history=history):
            pass

    with pytest.raises(HistoryError):
        asyncio.run(main())
