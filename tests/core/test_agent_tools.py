from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_factory.core import (
    AssistantMessage,
    LimitExceededError,
    Limits,
    ModelResponseError,
    ToolCall,
    ToolContext,
    ToolError,
    ToolExecutionError,
    ToolMessage,
    check_history,
    tool,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import RunResult


def tool_messages(result: RunResult[str]) -> list[ToolMessage]:
    """Return the results of tools in a finished run."""
    return [message for message in result.messages if isinstance(message, ToolMessage)]


def ask_for(*calls: ToolCall, text: str = "") -> AssistantMessage:
    """Return an answer that asks for several tool calls at once."""
    return AssistantMessage(text, calls)


def test_result_of_a_tool_reaches_the_model() -> None:
    @tool
    def add(a: int, b: int) -> int:
        return a + b

    model = ScriptedModel([create_tool_call("add", {"a": 2, "b": 3}), "It is 5."])

    create_test_agent(model=model, tools=[add]).run_sync("2 + 3?")

    assert model.requests[1].messages[-1] == ToolMessage("call-1", "add", "5")


def test_unknown_tool_is_told_to_the_model_with_the_known_ones() -> None:
    agent = create_test_agent(
        [create_tool_call("loook", {}), "sorry"],
        tools=[create_test_tool("look"), create_test_tool("find")],
    )

    [message] = tool_messages(agent.run_sync("Hi."))

    assert message.is_error
    assert message.content == ("Error: there is no tool named 'loook'; the tools are: find, look")


def test_unknown_tool_of_an_agent_without_tools_is_told_to_the_model() -> None:
    agent = create_test_agent([create_tool_call("look", {}), "sorry"])

    [message] = tool_messages(agent.run_sync("Hi."))

    assert message.content == "Error: there is no tool named 'look'; the tools are: none"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"a": 1, "b": "2"}', "b: Input should be a valid integer"),
        ('{"a": 1}', "b: Field required"),
        ('{"a": 1, "b": 2, "c": 3}', "c: Extra inputs are not permitted"),
        (
            '{"a": 1, "b"',
            "arguments: Invalid JSON: EOF while parsing an object at line 1 column 12",
        ),
        ("[1, 2]", "arguments: Input should be an object"),
        (
            '{"a": true, "b": 2.5}',
            "a: Input should be a valid integer; b: Input should be a valid integer",
        ),
    ],
)
def test_bad_arguments_are_told_to_the_model_exactly(arguments: str, told: str) -> None:
    @tool
    def add(a: int, b: int) -> int:
        return a + b

    agent = create_test_agent([ToolCall("c", "add", arguments), "sorry"], tools=[add])

    [message] = tool_messages(agent.run_sync("Hi."))

    assert message == ToolMessage(
        "c", "add", f"Error: arguments of tool 'add' do not fit its schema: {told}", outcome="error"
    )


def test_model_can_correct_its_arguments() -> None:
    calls: list[str] = []
    agent = create_test_agent(
        [
            ToolCall("c", "echo", '{"text": 1}'),
            ToolCall("c", "echo", '{"text": "one"}'),
            "done",
        ],
        tools=[create_test_tool(calls=calls)],
    )

    result = agent.run_sync("Hi.")

    assert calls == ["one"]
    assert [message.is_error for message in tool_messages(result)] == [True, False]


def test_tool_error_is_told_to_the_model_and_the_run_goes_on() -> None:
    agent = create_test_agent(
        [create_tool_call("echo", {}), "I could not."],
        tools=[create_test_tool(error=ToolError("the shop is closed: try tomorrow"))],
    )

    result = agent.run_sync("Hi.")

    assert result.output == "I could not."
    assert tool_messages(result) == [
        ToolMessage("call-1", "echo", "Error: the shop is closed: try tomorrow", outcome="error")
    ]


def test_failed_calls_count_as_tool_calls() -> None:
    agent = create_test_agent(
        [ask_for(ToolCall("1", "refuse", "{}"), ToolCall("2", "echo", "[")), "done"],
        tools=[create_test_tool(), create_test_tool("refuse", error=ToolError("no"))],
    )

    assert agent.run_sync("Hi.").usage.tool_calls == 2


def test_call_of_an_unknown_tool_counts_as_none() -> None:
    agent = create_test_agent([ToolCall("1", "nothing", ""), "done"])

    assert agent.run_sync("Hi.").usage.tool_calls == 0


def test_parallel_calls_run_side_by_side_and_answer_in_the_order_of_the_calls() -> None:
    @tool
    async def first() -> str:
        await second_ran.wait()
        return "first"

    @tool
    async def second() -> str:
        second_ran.set()
        return "second"

    async def main() -> RunResult[str]:
        return await create_test_agent(
            [ask_for(ToolCall("1", "first", ""), ToolCall("2", "second", "")), "done"],
            tools=[first, second],
        ).run("Hi.")

    second_ran = asyncio.Event()
    result = asyncio.run(main())

    assert [(item.call_id, item.content) for item in tool_messages(result)] == [
        ("1", "first"),
        ("2", "second"),
    ]


def test_unexpected_error_of_a_tool_stops_the_run_with_its_cause() -> None:
    error = ZeroDivisionError("by zero")
    model = ScriptedModel([create_tool_call("echo", {}), "never"])
    agent = create_test_agent(model=model, tools=[create_test_tool(error=error)])

    with pytest.raises(ToolExecutionError) as caught:
        agent.run_sync("Hi.")

    assert caught.value.__cause__ is error
    assert caught.value.tool == "echo"
    assert caught.value.message == "tool 'echo' raised ZeroDivisionError: by zero"
    assert len(model.requests) == 1


def test_failing_tool_cancels_its_siblings() -> None:
    events: list[str] = []

    @tool(effect="read")
    async def slow() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    @tool
    async def failing() -> None:
        await waiting.wait()
        raise LookupError("gone")

    async def main() -> list[str]:
        agent = create_test_agent(
            [ask_for(ToolCall("1", "slow", ""), ToolCall("2", "failing", "")), "never"],
            tools=[slow, failing],
            limits=Limits(timeout=60),
        )
        # Far less than the run and its tools may take: without the cancellation this ends the test.
        async with asyncio.timeout(5):
            with pytest.raises(ToolExecutionError, match="LookupError: gone"):
                await agent.run("Hi.")
        # Here and not later: the end of the event loop would cancel a forgotten call as well.
        return list(events)

    waiting = asyncio.Event()
    assert asyncio.run(main()) == ["cancelled"]


def test_cancelling_a_run_cancels_its_tools() -> None:
    events: list[str] = []

    @tool(effect="read")
    async def slow() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            events.append("cleaned up")

    async def main() -> list[str]:
        agent = create_test_agent([create_tool_call("slow", {}), "never"], tools=[slow])
        run = asyncio.create_task(agent.run("Hi."))
        await waiting.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        return list(events)

    waiting = asyncio.Event()
    assert asyncio.run(main()) == ["cleaned up"]


def test_tool_cancelled_from_inside_does_not_look_like_a_cancelled_run() -> None:
    @tool
    async def lost() -> None:
        raise asyncio.CancelledError

    agent = create_test_agent([create_tool_call("lost", {}), "never"], tools=[lost])

    with pytest.raises(ToolExecutionError, match="cancelled from inside"):
        agent.run_sync("Hi.")


def test_tool_that_calls_exit_does_not_end_the_process() -> None:
    @tool
    def leave() -> None:
        raise SystemExit(3)

    agent = create_test_agent([create_tool_call("leave", {}), "never"], tools=[leave])

    with pytest.raises(ToolExecutionError, match="SystemExit: 3"):
        agent.run_sync("Hi.")


def test_text_beside_tool_calls_is_not_the_final_answer() -> None:
    agent = create_test_agent(
        [ask_for(ToolCall("1", "echo", '{"text": "x"}'), text="Let me look."), "It is x."],
        tools=[create_test_tool()],
    )

    result = agent.run_sync("Hi.")

    assert result.output == "It is x."
    assert AssistantMessage("Let me look.", (ToolCall("1", "echo", '{"text": "x"}'),)) in (
        result.messages
    )


def test_calls_under_one_id_are_refused_before_any_tool_runs() -> None:
    calls: list[str] = []
    agent = create_test_agent(
        [ask_for(ToolCall("1", "echo", ""), ToolCall("1", "echo", "")), "never"],
        tools=[create_test_tool(calls=calls)],
    )

    with pytest.raises(ModelResponseError, match="one id"):
        agent.run_sync("Hi.")
    assert calls == []


def test_more_calls_than_allowed_are_not_begun() -> None:
    calls: list[str] = []
    agent = create_test_agent(
        [ask_for(*(ToolCall(str(number), "echo", "") for number in range(3))), "never"],
        tools=[create_test_tool(calls=calls)],
        limits=Limits(max_tool_calls=2),
    )

    with pytest.raises(LimitExceededError) as caught:
        agent.run_sync("Hi.")

    assert (caught.value.limit, caught.value.allowed) == ("max_tool_calls", 2)
    assert calls == []


def test_context_carries_deps_run_and_call() -> None:
    seen: list[ToolContext[str]] = []

    @tool
    def look(context: ToolContext[str]) -> str:
        seen.append(context)
        return "seen"

    agent = create_test_agent([create_tool_call("look", {}, call_id="c-9"), "done"], tools=[look])

    result = agent.run_sync("Hi.", deps="the deps")

    key = f"{result.run_id}:look:1"
    assert seen == [ToolContext("the deps", result.run_id, "c-9", key, "tester")]


def test_history_of_a_run_with_errors_pairs_every_call_with_one_result() -> None:
    agent = create_test_agent(
        [
            ask_for(ToolCall("1", "echo", "{}"), ToolCall("2", "nope", "{}")),
            ask_for(ToolCall("1", "echo", "oops")),
            "done",
        ],
        tools=[create_test_tool()],
    )

    messages = agent.run_sync("Hi.").messages

    assert check_history(messages) == messages
    assert sum(isinstance(message, ToolMessage) for message in messages) == 3
