from __future__ import annotations

import asyncio
import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    InMemoryBudget,
    InMemoryJournal,
    Limits,
    RunFailed,
    RunOptions,
    RunTimeoutError,
    ToolCall,
    ToolExecutionError,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    tool,
)
from agent_factory.core.testing import (
    VirtualClock,
    create_tool_call,
    run_virtual,
)
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core import RunEvent, RunResult


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


# Time


def test_tool_that_ignores_its_cancellation_does_not_hold_up_its_neighbours() -> None:
    # openai-agents#4899: a tool that swallows its cancellation kept the run for ever.
    clock = VirtualClock()

    @tool(timeout=2, effect="read")
    async def deaf() -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    agent = create_test_agent(
        [call_each("deaf", "echo"), "done"],
        tools=[deaf, create_test_tool(result="here")],
        limits=Limits(timeout=30),
    )

    result = run_virtual(agent.run("Hi."), clock=clock)

    assert [message.content for message in tool_messages(result)] == [
        "Error: tool 'deaf' did not finish within 2 s",
        "here",
    ]


@pytest.mark.parametrize("with_retries", [0, 1])
def test_tool_that_ignores_its_cancellation_does_not_hold_up_the_end_of_the_run(
    with_retries: int,
) -> None:
    @tool(effect="read", retries=with_retries)
    async def deaf() -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    agent = create_test_agent(
        [create_tool_call("deaf", {}), "never"], tools=[deaf], limits=Limits(timeout=3)
    )
    clock = VirtualClock()

    async def main() -> None:
        with pytest.raises(RunTimeoutError):
            await agent.run("Hi.")
        # On the virtual clock: the run's three seconds, and one for cleaning up.
        assert clock.elapsed == pytest.approx(4)

    run_virtual(main(), clock=clock)


def test_tool_that_ignores_its_cancellation_does_not_hold_up_the_caller() -> None:
    clock = VirtualClock()

    async def main() -> None:
        began = asyncio.Event()

        @tool(effect="read")
        async def deaf() -> None:
            began.set()
            for _ in range(100):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue

        agent = create_test_agent([create_tool_call("deaf", {}), "never"], tools=[deaf])
        run = asyncio.create_task(agent.run("Hi."))
        await began.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert clock.elapsed == pytest.approx(1)

    run_virtual(main(), clock=clock)


def test_failure_of_a_tool_that_was_given_up_is_not_reported_by_the_loop() -> None:
    async def main() -> list[object]:
        loop = asyncio.get_running_loop()
        reported: list[object] = []
        loop.set_exception_handler(lambda _, said: reported.append(said))

        @tool(timeout=2, effect="read")
        async def deaf() -> None:
            try:
                await wait_for_ever()
            except asyncio.CancelledError:
                await asyncio.sleep(5)
                raise KeyError("too late") from None

        agent = create_test_agent([create_tool_call("deaf", {}), "done"], tools=[deaf])
        await agent.run("Hi.")
        await asyncio.sleep(10)
        gc.collect()  # a lost exception is reported when its task goes
        return reported

    assert run_virtual(main()) == []


def test_function_that_blocks_for_ever_does_not_hold_up_the_run() -> None:
    released = threading.Event()

    @tool(timeout=0.05, effect="read")
    def block() -> None:
        released.wait()

    agent = create_test_agent(
        [call_each("block", "echo"), "done"], tools=[block, create_test_tool()]
    )
    try:
        result = agent.run_sync("Hi.")
    finally:
        released.set()

    assert [message.outcome for message in tool_messages(result)] == ["error", "ok"]


def test_function_that_blocks_for_ever_does_not_hold_up_the_end_of_the_run() -> None:
    released = threading.Event()

    @tool
    def block() -> None:
        released.wait()

    agent = create_test_agent(
        [create_tool_call("block", {}), "never"], tools=[block], limits=Limits(timeout=0.1)
    )
    try:
        with pytest.raises(RunTimeoutError):
            agent.run_sync("Hi.")
    finally:
        released.set()


@pytest.mark.parametrize("with_retries", [0, 1])
def test_call_that_the_end_of_the_run_cuts_off_has_no_result(with_retries: int) -> None:
    @tool(effect="read", retries=with_retries)
    async def look() -> None:
        await wait_for_ever()

    events: list[RunEvent[Any]] = []
    agent = create_test_agent([create_tool_call("look", {}), "never"], tools=[look])

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi.", options=RunOptions(observers=(events.append,))))

    assert isinstance(events[-2], ToolStarted)
    assert isinstance(events[-1], RunFailed)


def test_time_that_a_tool_reports_to_be_out_is_not_its_deadline() -> None:
    agent = create_test_agent(
        [create_tool_call("echo", {}), "never"],
        tools=[create_test_tool(error=TimeoutError("of the tool's own"))],
    )

    with pytest.raises(ToolExecutionError, match="TimeoutError: of the tool's own"):
        agent.run_sync("Hi.")


@pytest.mark.parametrize("with_retries", [0, 1])
def test_tool_cancelled_from_inside_is_a_defect(with_retries: int) -> None:
    lost = replace(create_test_tool("lost", error=None), retries=with_retries)

    async def call(context: object, arguments: str) -> str:
        raise asyncio.CancelledError

    agent = create_test_agent(
        [create_tool_call("lost", {}), "never"], tools=[replace(lost, call=call)]
    )

    with pytest.raises(ToolExecutionError, match="tool 'lost' was cancelled from inside"):
        agent.run_sync("Hi.")


# Neighbours


def test_defect_lets_a_call_end_that_must_take_effect_once_and_cancels_the_others() -> None:
    ended: list[str] = []
    events: list[RunEvent[Any]] = []

    @tool
    async def pay() -> str:
        await asyncio.sleep(5)
        ended.append("paid")
        return "paid"

    @tool(effect="read")
    async def look() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("look cancelled")

    @tool(effect="idempotent")
    async def put() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("put cancelled")

    @tool(effect="read")
    async def broken() -> None:
        await asyncio.sleep(1)
        raise LookupError("gone")

    async def main() -> list[str]:
        agent = create_test_agent(
            [call_each("pay", "look", "put", "broken"), "never"], tools=[pay, look, put, broken]
        )
        options = RunOptions(observers=(events.append,))
        with pytest.raises(ToolExecutionError, match="LookupError: gone"):
            await agent.run("Hi.", options=options)
        return list(ended)

    assert sorted(run_virtual(main())) == ["look cancelled", "paid", "put cancelled"]
    assert ended[-1] == "paid"
    finished = [event.call.name for event in events if isinstance(event, ToolFinished)]
    assert finished == ["pay"]
    assert isinstance(events[-1], RunFailed)


def test_defect_lets_a_call_on_record_end_and_be_put_on_record() -> None:
    journal = InMemoryJournal()

    @tool
    async def pay() -> str:
        await asyncio.sleep(5)
        return "paid"

    @tool(effect="read")
    async def broken() -> None:
        await asyncio.sleep(1)
        raise LookupError("gone")

    agent = create_test_agent([call_each("pay", "broken"), "never"], tools=[pay, broken])

    with pytest.raises(ToolExecutionError):
        run_virtual(agent.run("Hi.", options=RunOptions(journal=journal)))

    [entry] = journal.entries.values()
    assert (entry.outcome, entry.content) == ("ok", "paid")


def test_defect_does_not_wait_for_ever_for_a_call_that_must_take_effect_once() -> None:
    @tool(timeout=4)
    async def pay() -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    clock = VirtualClock()
    agent = create_test_agent(
        [call_each("pay", "broken"), "never"],
        tools=[pay, create_test_tool("broken", error=LookupError("gone"))],
    )

    async def main() -> None:
        with pytest.raises(ToolExecutionError, match="gone"):
            await agent.run("Hi.")
        # On the virtual clock: the tool's four seconds, and one for cleaning up.
        assert clock.elapsed == pytest.approx(5)

    run_virtual(main(), clock=clock)


def test_defect_lets_no_other_call_begin() -> None:
    calls: list[str] = []
    events: list[RunEvent[Any]] = []
    agent = create_test_agent(
        [call_each("pay", "broken", "echo", "echo"), "never"],
        tools=[
            create_test_tool("pay", effect="once", calls=calls),
            create_test_tool("broken", error=LookupError("gone")),
            create_test_tool(calls=calls),
        ],
        limits=Limits(max_parallel_tools=1),
    )

    with pytest.raises(ToolExecutionError):
        agent.run_sync("Hi.", options=RunOptions(observers=(events.append,)))

    assert calls == [""]
    started = [event.call.name for event in events if isinstance(event, ToolStarted)]
    assert started == ["pay", "broken"]


def test_first_of_two_defects_is_the_one_that_is_raised() -> None:
    @tool
    async def later() -> None:
        await asyncio.sleep(1)
        raise KeyError("second")

    agent = create_test_agent(
        [call_each("later", "broken"), "never"],
        tools=[later, create_test_tool("broken", error=LookupError("first"))],
    )

    with pytest.raises(ToolExecutionError, match="LookupError: first"):
        run_virtual(agent.run("Hi."))


def test_cancelling_a_run_after_a_defect_leaves_nothing_behind() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        reported: list[object] = []
        loop.set_exception_handler(lambda _, said: reported.append(said))
        broke = asyncio.Event()

        @tool
        async def pay() -> None:
            await wait_for_ever()

        @tool(effect="read")
        async def look() -> None:
            try:
                await wait_for_ever()
            finally:
                raise KeyError("while cleaning up")

        @tool(effect="read")
        async def broken() -> None:
            broke.set()
            raise LookupError("gone")

        agent = create_test_agent(
            [call_each("pay", "look", "broken"), "never"], tools=[pay, look, broken]
        )
        run = asyncio.create_task(agent.run("Hi."))
        await broke.wait()
        await asyncio.sleep(1)
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        del run
        gc.collect()  # a lost exception is reported when its task goes
        assert reported == []

    run_virtual(main())


@pytest.mark.parametrize("most", [1, 3, 8])
def test_no_more_calls_run_at_a_time_than_allowed(most: int) -> None:
    running, seen = 0, 0

    @tool
    async def work() -> None:
        nonlocal running, seen
        running += 1
        seen = max(seen, running)
        await asyncio.sleep(1)
        running -= 1

    agent = create_test_agent(
        [call_each(*["work"] * 10), "done"], tools=[work], limits=Limits(max_parallel_tools=most)
    )

    result = run_virtual(agent.run("Hi."))

    assert seen == most
    assert len(tool_messages(result)) == 10


def test_call_that_waits_for_its_turn_has_all_its_time() -> None:
    @tool(timeout=2)
    async def work() -> None:
        await asyncio.sleep(1.5)

    agent = create_test_agent(
        [call_each(*["work"] * 4), "done"], tools=[work], limits=Limits(max_parallel_tools=1)
    )

    result = run_virtual(agent.run("Hi."))

    assert [message.outcome for message in tool_messages(result)] == ["ok"] * 4


def test_results_stand_in_the_order_of_the_calls_and_events_in_that_of_their_ends() -> None:
    @tool
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    events: list[RunEvent[Any]] = []
    calls = [create_tool_call("wait", {"seconds": it}, call_id=str(it)) for it in (3, 1, 2)]
    agent = create_test_agent([ask_for(*calls), "done"], tools=[wait])

    result = run_virtual(agent.run("Hi.", options=RunOptions(observers=(events.append,))))

    assert [message.call_id for message in tool_messages(result)] == ["3", "1", "2"]
    told = [
        (type(event).__name__, event.call.id)
        for event in events
        if isinstance(event, (ToolStarted, ToolFinished))
    ]
    assert told == [
        ("ToolStarted", "3"),
        ("ToolStarted", "1"),
        ("ToolStarted", "2"),
        ("ToolFinished", "1"),
        ("ToolFinished", "2"),
        ("ToolFinished", "3"),
    ]


def test_calls_that_did_not_begin_are_given_back_to_the_budget() -> None:
    budget = InMemoryBudget("user:ada", max_tool_calls=10)
    agent = create_test_agent(
        [call_each("broken", "echo", "echo"), "never"],
        tools=[create_test_tool("broken", error=LookupError("gone")), create_test_tool()],
        limits=Limits(max_parallel_tools=1),
    )

    with pytest.raises(ToolExecutionError):
        agent.run_sync("Hi.", options=RunOptions(budgets=(budget,)))

    assert (budget.used.tool_calls, budget.reserved.tool_calls) == (1, 0)


def test_call_of_which_nothing_but_the_tool_takes_notice_is_one_task() -> None:
    tasks: list[int] = []

    @tool
    async def look() -> None:
        tasks.append(len(asyncio.all_tasks()))

    async def main() -> int:
        before = len(asyncio.all_tasks())
        await create_test_agent([create_tool_call("look", {}), "done"], tools=[look]).run("Hi.")
        return before

    assert tasks == [asyncio.run(main()) + 1]


# What goes wrong between the calls


class Broken(BaseException):
    """What no part of a run expects."""


def break_at(kind: type, number: int) -> Callable[[RunEvent[Any]], None]:
    """Return an observer that breaks at the event of some kind and number, from 1."""
    left = [number]

    def look(event: RunEvent[Any]) -> None:
        left[0] -= isinstance(event, kind)
        if left[0] == 0:
            left[0] -= 1
            raise Broken

    return look


@pytest.mark.parametrize("kind", [ToolStarted, ToolFinished])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("most", [1, 3])
def test_what_breaks_between_the_calls_ends_the_run_and_leaves_nothing_behind(
    kind: type, number: int, most: int
) -> None:
    @tool(effect="read")
    async def look() -> None:
        await asyncio.sleep(1)

    async def main() -> tuple[int, float]:
        agent = create_test_agent(
            [call_each("look", "look", "look"), "never"],
            tools=[look],
            limits=Limits(timeout=30, max_parallel_tools=most),
        )
        options = RunOptions(observers=(break_at(kind, number),))
        with pytest.raises(Broken):
            await agent.run("Hi.", options=options)
        return len(asyncio.all_tasks()), asyncio.get_running_loop().time()

    rounds = number if most == 1 else 1
    seconds = rounds if kind is ToolFinished else rounds - 1
    tasks, elapsed = run_virtual(main())
    assert tasks == 1
    assert elapsed == pytest.approx(seconds)


def test_tool_in_effect_is_waited_for_when_something_breaks_between_the_calls() -> None:
    paid: list[str] = []

    @tool
    async def pay() -> None:
        await asyncio.sleep(1)
        paid.append("pay")

    agent = create_test_agent([call_each("pay", "pay"), "never"], tools=[pay])
    options = RunOptions(observers=(break_at(ToolStarted, 2),))

    with pytest.raises(Broken):
        run_virtual(agent.run("Hi.", options=options))
    assert paid == ["pay"]
