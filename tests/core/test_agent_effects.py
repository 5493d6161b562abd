from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    InMemoryJournal,
    Limits,
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequestError,
    RunOptions,
    RunTimeoutError,
    ToolCall,
    ToolContext,
    ToolError,
    ToolExecutionError,
    ToolFinished,
    ToolMessage,
    ToolRetried,
    ToolTimeoutError,
    tool,
)
from agent_factory.core.testing import (
    ScriptedModel,
    VirtualClock,
    create_tool_call,
    run_virtual,
)
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core import RunEvent, RunResult, Tool

UNKNOWN = "and whether it took effect is not known: find out before anything is repeated"


def tool_messages(result: RunResult[Any]) -> list[ToolMessage]:
    """Return the results of tools in a finished run."""
    return [message for message in result.messages if isinstance(message, ToolMessage)]


def ask_for(*calls: ToolCall) -> AssistantMessage:
    """Return an answer that asks for several tool calls at once."""
    return AssistantMessage("", calls)


def call_each(*names: str) -> AssistantMessage:
    """Return an answer that asks for one call of each tool, numbered from 1."""
    return ask_for(*(ToolCall(str(number), name, "") for number, name in enumerate(names, start=1)))


async def wait_for_ever() -> None:
    """Wait for something that never happens."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "create_journal", [lambda: None, InMemoryJournal], ids=["alone", "journalled"]
)
def test_outcome_of_a_call_that_was_cut_off_is_unknown_and_it_is_not_made_again(
    create_journal: Callable[[], InMemoryJournal | None],
) -> None:
    journal = create_journal()
    tries: list[str] = []

    @tool(timeout=2)
    async def pay() -> None:
        tries.append("pay")
        await wait_for_ever()

    agent = create_test_agent([create_tool_call("pay", {}), "done"], tools=[pay])

    result = run_virtual(agent.run("Hi.", options=RunOptions(journal=journal)))

    assert tool_messages(result) == [
        ToolMessage(
            "call-1", "pay", f"Error: tool 'pay' did not finish within 2 s, {UNKNOWN}", "unknown"
        )
    ]
    assert tries == ["pay"]
    if journal is not None:
        [entry] = journal.entries.values()
        assert entry.outcome == "unknown"


@pytest.mark.parametrize(
    "create_journal", [lambda: None, InMemoryJournal], ids=["alone", "journalled"]
)
def test_timeout_that_a_tool_reports_itself_leaves_the_outcome_unknown_as_well(
    create_journal: Callable[[], InMemoryJournal | None],
) -> None:
    journal = create_journal()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[
            create_test_tool("pay", effect="once", error=ToolTimeoutError("the bank is silent"))
        ],
    )

    result = agent.run_sync("Hi.", options=RunOptions(journal=journal))

    assert tool_messages(result) == [
        ToolMessage("call-1", "pay", f"Error: the bank is silent, {UNKNOWN}", "unknown")
    ]
    if journal is not None:
        [entry] = journal.entries.values()
        assert (entry.outcome, entry.content) == (
            "unknown",
            f"Error: the bank is silent, {UNKNOWN}",
        )


def test_outcome_of_a_reading_call_that_was_cut_off_is_an_error() -> None:
    @tool(effect="read", timeout=2)
    async def look() -> None:
        await wait_for_ever()

    agent = create_test_agent([create_tool_call("look", {}), "done"], tools=[look])

    [message] = tool_messages(run_virtual(agent.run("Hi.")))

    assert (message.outcome, message.content) == (
        "error",
        "Error: tool 'look' did not finish within 2 s",
    )


def test_result_that_comes_after_the_time_does_not_count() -> None:
    @tool(timeout=2)
    async def pay() -> str:
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            return "paid"
        raise AssertionError

    agent = create_test_agent([create_tool_call("pay", {}), "done"], tools=[pay])

    [message] = tool_messages(run_virtual(agent.run("Hi.")))

    assert message.outcome == "unknown"


# Calling again


def make_failing(effect: Any, retries: int, error: Exception, keys: list[str]) -> Tool[Any]:
    """Return a tool that fails twice, and records its idempotency keys."""

    @tool(effect=effect, retries=retries)
    async def put(context: ToolContext[Any]) -> str:
        keys.append(context.idempotency_key)
        if len(keys) < 3:
            raise error
        return "there"

    return put


@pytest.mark.parametrize("effect", ["read", "idempotent"])
@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError("reset"),
        ModelConnectionError("no answer", model="m"),
        ToolTimeoutError("the server is slow"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_call_that_failed_for_a_passing_reason_is_made_again(effect: Any, error: Exception) -> None:
    keys: list[str] = []
    events: list[RunEvent[Any]] = []
    agent = create_test_agent(
        [create_tool_call("put", {}), "done"], tools=[make_failing(effect, 2, error, keys)]
    )

    result = agent.run_sync("Hi.", options=RunOptions(observers=(events.append,)))

    assert tool_messages(result) == [ToolMessage("call-1", "put", "there")]
    assert keys == [f"{result.run_id}:put:1"] * 3
    retried = [event for event in events if isinstance(event, ToolRetried)]
    assert [event.attempt for event in retried] == [1, 2]
    assert result.usage.tool_calls == 1


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), ModelRequestError("no", model="m")],
    ids=lambda error: type(error).__name__,
)
def test_call_that_failed_for_good_is_not_made_again(error: Exception) -> None:
    keys: list[str] = []
    agent = create_test_agent(
        [create_tool_call("put", {}), "never"], tools=[make_failing("read", 5, error, keys)]
    )

    with pytest.raises(ToolExecutionError) as caught:
        agent.run_sync("Hi.")
    assert caught.value.__cause__ is error
    assert len(keys) == 1


def test_call_that_a_tool_refused_is_not_made_again() -> None:
    keys: list[str] = []
    agent = create_test_agent(
        [create_tool_call("put", {}), "done"],
        tools=[make_failing("read", 5, ToolError("closed"), keys)],
    )

    assert tool_messages(agent.run_sync("Hi."))[0].content == "Error: closed"
    assert len(keys) == 1


def test_call_is_made_again_as_often_as_allowed() -> None:
    keys: list[str] = []
    error = ConnectionResetError("reset")
    agent = create_test_agent(
        [create_tool_call("put", {}), "never"], tools=[make_failing("read", 1, error, keys)]
    )

    with pytest.raises(ToolExecutionError) as caught:
        agent.run_sync("Hi.")
    assert caught.value.__cause__ is error
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("retries", "shortest", "longest"), [(1, 0.05, 0.1), (3, 0.35, 0.7), (8, 4.55, 9.1)]
)
def test_pause_before_a_call_is_made_again_grows_up_to_a_bound(
    retries: int, shortest: float, longest: float
) -> None:
    clock = VirtualClock()
    keys: list[str] = []

    @tool(effect="read", retries=retries)
    async def look(context: ToolContext[Any]) -> str:
        keys.append(context.idempotency_key)
        if len(keys) <= retries:
            raise ConnectionResetError
        return "seen"

    agent = create_test_agent(
        [create_tool_call("look", {}), "done"], tools=[look], limits=Limits(timeout=60)
    )

    [message] = tool_messages(run_virtual(agent.run("Hi."), clock=clock))

    assert message.content == "seen"
    assert shortest - 0.001 <= clock.elapsed <= longest + 0.001


def test_pauses_of_many_runs_differ() -> None:
    async def measure() -> float:
        clock = asyncio.get_running_loop()
        began = clock.time()
        agent = create_test_agent(
            [create_tool_call("put", {}), "done"],
            tools=[make_failing("read", 2, ConnectionResetError(), [])],
        )
        await agent.run("Hi.")
        return clock.time() - began

    async def main() -> set[float]:
        return set(await asyncio.gather(*(measure() for _ in range(10))))

    assert len(run_virtual(main())) > 1


def test_call_is_made_again_no_sooner_than_the_server_asked_for() -> None:
    clock = VirtualClock()
    error = ModelRateLimitError("slow down", model="m", retry_after=20.0)
    agent = create_test_agent(
        [create_tool_call("put", {}), "done"],
        tools=[make_failing("read", 2, error, [])],
        limits=Limits(timeout=60),
    )

    [message] = tool_messages(run_virtual(agent.run("Hi."), clock=clock))

    assert message.content == "there"
    assert clock.elapsed == pytest.approx(40.0)


@pytest.mark.parametrize(("asked", "timeout"), [(61.0, 600), (30.0, 20)])
def test_call_is_not_made_again_where_a_server_asks_for_more_time_than_there_is(
    asked: float, timeout: float
) -> None:
    clock = VirtualClock()
    keys: list[str] = []
    error = ModelRateLimitError("slow down", model="m", retry_after=asked)
    agent = create_test_agent(
        [create_tool_call("put", {}), "never"],
        tools=[make_failing("read", 2, error, keys)],
        limits=Limits(timeout=timeout),
    )

    with pytest.raises(ToolExecutionError) as caught:
        run_virtual(agent.run("Hi."), clock=clock)
    assert caught.value.__cause__ is error
    assert (len(keys), clock.elapsed) == (1, 0.0)


def test_run_that_is_cancelled_while_a_call_pauses_makes_it_no_more() -> None:
    keys: list[str] = []
    error = ModelRateLimitError("slow down", model="m", retry_after=2.0)

    async def main() -> None:
        agent = create_test_agent(
            [create_tool_call("put", {}), "never"], tools=[make_failing("read", 2, error, keys)]
        )
        run = asyncio.create_task(agent.run("Hi."))
        await asyncio.sleep(1)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await asyncio.sleep(10)

    run_virtual(main())
    assert len(keys) == 1


def test_call_that_was_too_slow_is_made_again_with_all_its_time() -> None:
    tries: list[str] = []

    @tool(effect="read", retries=1, timeout=2)
    async def look() -> str:
        tries.append("look")
        await asyncio.sleep(5 if len(tries) == 1 else 1.5)
        return "seen"

    agent = create_test_agent([create_tool_call("look", {}), "done"], tools=[look])

    assert tool_messages(run_virtual(agent.run("Hi.")))[0].content == "seen"
    assert len(tries) == 2


def test_call_is_not_made_again_when_the_time_of_the_run_is_out() -> None:
    tries: list[str] = []

    @tool(effect="read", retries=100, timeout=2)
    async def look() -> None:
        tries.append("look")
        await wait_for_ever()

    agent = create_test_agent(
        [create_tool_call("look", {}), "never"], tools=[look], limits=Limits(timeout=5)
    )

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi."))
    assert len(tries) == 3


def test_wrong_arguments_are_not_tried_again() -> None:
    events: list[RunEvent[Any]] = []
    look = replace(create_test_tool("look"), retries=3)
    agent = create_test_agent([ToolCall("1", "look", "["), "done"], tools=[look])

    agent.run_sync("Hi.", options=RunOptions(observers=(events.append,)))

    assert not [event for event in events if isinstance(event, ToolRetried)]


def test_idempotency_keys_differ_where_a_model_reuses_identifiers() -> None:
    keys: list[str] = []

    @tool
    async def pay(context: ToolContext[Any]) -> None:
        keys.append(context.idempotency_key)

    def pay_twice() -> AssistantMessage:
        return call_each("pay", "pay")

    agent = create_test_agent([pay_twice(), pay_twice(), "done"] * 2, tools=[pay])

    runs = [agent.run_sync("Hi.").run_id for _ in range(2)]

    assert keys == [f"{run}:pay:{number}" for run in runs for number in (1, 2, 3, 4)]


# Arguments


@pytest.mark.parametrize(
    "arguments",
    [
        '{"count": "3", "ids": [1]}',
        '{"count": 3.0, "ids": [1]}',
        '{"count": true, "ids": [1]}',
        '{"count": null, "ids": [1]}',
        '{"count": 3, "ids": ["1"]}',
        '{"count": 3, "ids": "1"}',
        '{"count": 3, "ids": {"0": 1}}',
    ],
)
@pytest.mark.parametrize(
    "create_journal", [lambda: None, InMemoryJournal], ids=["alone", "journalled"]
)
def test_arguments_of_another_type_never_reach_a_tool(
    arguments: str, create_journal: Callable[[], InMemoryJournal | None]
) -> None:
    journal = create_journal()
    # adk#4612: arguments of the wrong type were handed to the function.
    seen: list[object] = []

    @tool
    async def pick(count: int, ids: list[int]) -> None:
        seen.append((count, ids))

    agent = create_test_agent([ToolCall("1", "pick", arguments), "done"], tools=[pick])

    [message] = tool_messages(agent.run_sync("Hi.", options=RunOptions(journal=journal)))

    assert seen == []
    assert message.outcome == "error"


# Errors


@pytest.mark.parametrize("with_retries", [0, 1])
def test_error_of_a_tool_is_told_no_longer_than_a_result_may_be(with_retries: int) -> None:
    look = replace(
        create_test_tool("look", error=ToolError("no" * 10)),
        max_result_chars=10,
        retries=with_retries,
    )
    agent = create_test_agent([create_tool_call("look", {}), "done"], tools=[look])

    [message] = tool_messages(agent.run_sync("Hi."))

    assert message.content == "Error: nonononono\n[... 10 more characters left out]"


@pytest.mark.parametrize(
    "create_journal", [lambda: None, InMemoryJournal], ids=["alone", "journalled"]
)
def test_error_that_is_cut_still_says_that_the_outcome_is_unknown(
    create_journal: Callable[[], InMemoryJournal | None],
) -> None:
    pay = replace(
        create_test_tool("pay", effect="once", error=ToolTimeoutError("x" * 1000)),
        max_result_chars=10,
    )
    agent = create_test_agent([create_tool_call("pay", {}), "done"], tools=[pay])

    [message] = tool_messages(agent.run_sync("Hi.", options=RunOptions(journal=create_journal())))

    assert message.outcome == "unknown"
    assert message.content.startswith("Error: xxxxxxxxxx\n[... ")
    assert message.content.endswith(
        "whether it took effect is not known: find out before anything is repeated"
    )


def test_name_of_a_tool_that_there_is_not_is_told_no_longer_than_it_needs() -> None:
    agent = create_test_agent(
        [ToolCall("1", "n" * 1_000_000, "{}"), "done"], tools=[create_test_tool("look")]
    )

    [message] = tool_messages(agent.run_sync("Hi."))

    name = "n" * 100
    assert message.content == f"Error: there is no tool named '{name}...'; the tools are: look"


# Results


@pytest.mark.parametrize(
    ("length", "content"),
    [
        (10, "x" * 10),
        (11, f"{'x' * 10}\n[... 1 more characters left out: ask for less]"),
        (12_010, f"{'x' * 10}\n[... 12,000 more characters left out: ask for less]"),
    ],
)
@pytest.mark.parametrize("with_retries", [0, 1])
def test_long_result_is_cut_short_with_a_marker(
    length: int, content: str, with_retries: int
) -> None:
    long = replace(
        create_test_tool("long", result="x" * length), max_result_chars=10, retries=with_retries
    )
    events: list[RunEvent[Any]] = []
    model = ScriptedModel([create_tool_call("long", {}), "done"])
    agent = create_test_agent(model=model, tools=[long])

    agent.run_sync("Hi.", options=RunOptions(observers=(events.append,)))

    assert model.requests[1].messages[-1] == ToolMessage("call-1", "long", content)
    [finished] = [event for event in events if isinstance(event, ToolFinished)]
    assert finished.content == content


def test_long_result_that_is_no_text_is_cut_short_as_json() -> None:
    long = replace(create_test_tool("long", result=list(range(100))), max_result_chars=9)
    agent = create_test_agent([create_tool_call("long", {}), "done"], tools=[long])

    [message] = tool_messages(agent.run_sync("Hi."))

    assert message.content.startswith("[0,1,2,3,\n[... ")
