from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    Approval,
    ApprovalRequest,
    ConfigurationError,
    Guardrail,
    InMemoryJournal,
    JournalEntry,
    Limits,
    RunOptions,
    RunTimeoutError,
    ToolCall,
    ToolError,
    ToolExecutionError,
    ToolMessage,
    Verdict,
    tool,
)
from agent_factory.core.testing import (
    ScriptedModel,
    create_tool_call,
    run_virtual,
)
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:

    from agent_factory.core import RunResult, ToolOutcome

UNKNOWN = "and whether it took effect is not known: find out before anything is repeated"


def tool_messages(result: RunResult[Any]) -> list[ToolMessage]:
    """Return the results of tools in a finished run."""
    return [message for message in result.messages if isinstance(message, ToolMessage)]


async def wait_for_ever() -> None:
    """Wait for something that never happens."""
    await asyncio.Event().wait()


class FailingJournal(InMemoryJournal):
    """A journal that fails when a call begins or ends, or hangs then."""

    def __init__(self, *, begin: Exception | None = None, end: Exception | None = None) -> None:
        super().__init__()
        self._begin = begin
        self._end = end

    async def begin(self, entry: JournalEntry) -> JournalEntry | None:
        if self._begin is not None:
            raise self._begin
        return await super().begin(entry)

    async def end(self, key: str, outcome: ToolOutcome, content: str) -> None:
        if self._end is not None:
            raise self._end
        await super().end(key, outcome, content)


class HangingJournal(InMemoryJournal):
    """A journal that never comes back where it hangs."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    async def begin(self, entry: JournalEntry) -> JournalEntry | None:
        known = await super().begin(entry)
        if self._where == "begin":
            await wait_for_ever()
        return known

    async def end(self, key: str, outcome: ToolOutcome, content: str) -> None:
        if self._where == "end":
            await wait_for_ever()
        await super().end(key, outcome, content)


def test_call_is_on_record_before_it_runs_and_its_end_afterwards() -> None:
    seen: list[JournalEntry] = []
    journal = InMemoryJournal()

    @tool
    async def pay(to: str, sum: int) -> str:  # noqa: A002 - as a model would see it
        seen.extend(journal.entries.values())
        return f"paid {to} {sum}"

    written = ToolCall("c-1", "pay", '{"to": "bob", "sum": 3}')
    agent = create_test_agent([written, "done"], tools=[pay])

    result = agent.run_sync("Hi.", options=RunOptions(journal=journal))

    key = f"{result.run_id}:pay:1"
    entry = JournalEntry(key, result.run_id, "pay", '{"sum":3,"to":"bob"}')
    assert seen == [entry]
    assert journal.entries == {key: replace(entry, outcome="ok", content="paid bob 3")}


def test_error_that_a_tool_tells_is_on_record_as_its_end() -> None:
    journal = InMemoryJournal()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[create_test_tool("pay", effect="once", error=ToolError("no money"))],
    )

    agent.run_sync("Hi.", options=RunOptions(journal=journal))

    [entry] = journal.entries.values()
    assert (entry.outcome, entry.content) == ("error", "Error: no money")


def test_defect_of_a_tool_leaves_its_call_without_an_end() -> None:
    journal = InMemoryJournal()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[create_test_tool("pay", effect="once", error=LookupError("gone"))],
    )

    with pytest.raises(ToolExecutionError):
        agent.run_sync("Hi.", options=RunOptions(journal=journal))

    [entry] = journal.entries.values()
    assert entry.outcome is None


@pytest.mark.parametrize("effect", ["read", "idempotent"])
def test_call_that_may_be_repeated_is_not_on_record(effect: Any) -> None:
    journal = InMemoryJournal()
    agent = create_test_agent(
        [create_tool_call("put", {}), "done"], tools=[create_test_tool("put", effect=effect)]
    )

    agent.run_sync("Hi.", options=RunOptions(journal=journal))

    assert journal.entries == {}


@pytest.mark.parametrize("arguments", ['{"text": 3}', "{", "[]"])
def test_call_with_arguments_that_do_not_fit_is_not_on_record(arguments: str) -> None:
    calls: list[str] = []
    journal = InMemoryJournal()
    agent = create_test_agent(
        [ToolCall("1", "pay", arguments), "done"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    [message] = tool_messages(agent.run_sync("Hi.", options=RunOptions(journal=journal)))

    assert "do not fit its schema" in message.content
    assert (journal.entries, calls) == ({}, [])


@pytest.mark.parametrize("error", [OSError("disk full"), RuntimeError("closed")])
def test_call_does_not_run_when_it_cannot_be_put_on_record(error: Exception) -> None:
    calls: list[str] = []
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    with pytest.raises(type(error)) as caught:
        agent.run_sync("Hi.", options=RunOptions(journal=FailingJournal(begin=error)))

    assert caught.value is error
    assert calls == []


def test_run_fails_when_the_end_of_a_call_cannot_be_put_on_record() -> None:
    calls: list[str] = []
    journal = FailingJournal(end=OSError("disk full"))
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    with pytest.raises(OSError, match="disk full"):
        agent.run_sync("Hi.", options=RunOptions(journal=journal))

    [entry] = journal.entries.values()
    assert (calls, entry.outcome) == ([""], None)


@pytest.mark.parametrize(("where", "ran"), [("begin", []), ("end", [""])])
def test_journal_that_hangs_does_not_hold_up_the_run_beyond_its_time(
    where: str, ran: list[str]
) -> None:
    calls: list[str] = []
    journal = HangingJournal(where)
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi.", options=RunOptions(journal=journal)))

    [entry] = journal.entries.values()
    assert (calls, entry.outcome) == (ran, None)


def test_end_is_on_record_also_where_the_time_of_the_run_is_just_out() -> None:
    class Slow(InMemoryJournal):
        async def end(self, key: str, outcome: ToolOutcome, content: str) -> None:
            await asyncio.sleep(0.5)
            await super().end(key, outcome, content)

    @tool
    async def pay() -> str:
        await asyncio.sleep(2.9)
        return "paid"

    journal = Slow()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"], tools=[pay], limits=Limits(timeout=3)
    )

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi.", options=RunOptions(journal=journal)))

    [entry] = journal.entries.values()
    assert entry.outcome == "ok"


def test_call_that_ended_before_is_answered_from_the_journal() -> None:
    calls: list[str] = []
    journal = InMemoryJournal()
    pay = create_test_tool("pay", effect="once", calls=calls)
    options = RunOptions(journal=journal, run_id="run-1")
    script: list[ToolCall | str] = [create_tool_call("pay", {"text": "3"}), "done"]

    first = create_test_agent(script, tools=[pay]).run_sync("Hi.", options=options)
    second = create_test_agent(script, tools=[pay]).run_sync("Hi.", options=options)

    assert calls == ["3"]
    assert tool_messages(second) == tool_messages(first) == [ToolMessage("call-1", "pay", "3")]


@pytest.mark.parametrize("outcome", ["error", "denied", "unknown"])
def test_call_that_ended_badly_before_is_answered_from_the_journal_too(outcome: Any) -> None:
    calls: list[str] = []
    entry = JournalEntry("run-1:pay:1", "run-1", "pay", "{}", outcome, "Error: so it was")
    journal = InMemoryJournal()
    journal.entries[entry.key] = entry
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    result = agent.run_sync("Hi.", options=RunOptions(journal=journal, run_id="run-1"))

    assert calls == []
    assert tool_messages(result) == [ToolMessage("call-1", "pay", "Error: so it was", outcome)]
    assert journal.entries == {entry.key: entry}


def test_call_that_began_before_and_has_no_end_does_not_run_again() -> None:
    calls: list[str] = []
    entry = JournalEntry("run-1:pay:1", "run-1", "pay", "{}")
    journal = InMemoryJournal()
    journal.entries[entry.key] = entry
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    result = agent.run_sync("Hi.", options=RunOptions(journal=journal, run_id="run-1"))

    assert calls == []
    [message] = tool_messages(result)
    assert message.outcome == "unknown"
    assert message.content == (
        f"Error: an earlier attempt of this call has no end on record, {UNKNOWN}"
    )
    assert journal.entries == {entry.key: entry}


@pytest.mark.parametrize(("name", "arguments"), [("give", "{}"), ("pay", '{"text":"4"}')])
@pytest.mark.parametrize("outcome", [None, "ok"])
def test_result_of_another_call_is_not_given_for_this_one(
    name: str, arguments: str, outcome: Any
) -> None:
    calls: list[str] = []
    journal = InMemoryJournal()
    journal.entries["run-1:pay:1"] = JournalEntry(
        "run-1:pay:1", "run-1", name, arguments, outcome, "x"
    )
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[create_test_tool("pay", effect="once", calls=calls)],
    )

    with pytest.raises(ConfigurationError, match="another call under the key 'run-1:pay:1'"):
        agent.run_sync("Hi.", options=RunOptions(journal=journal, run_id="run-1"))
    assert calls == []


def test_run_that_is_cancelled_leaves_its_call_on_record_without_an_end() -> None:
    journal = InMemoryJournal()

    async def main() -> None:
        began = asyncio.Event()

        @tool
        async def pay() -> None:
            began.set()
            await wait_for_ever()

        agent = create_test_agent([create_tool_call("pay", {}), "never"], tools=[pay])
        run = asyncio.create_task(agent.run("Hi.", options=RunOptions(journal=journal)))
        await began.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(main())

    [entry] = journal.entries.values()
    assert (entry.tool, entry.outcome) == ("pay", None)


def test_run_whose_time_is_out_leaves_its_call_on_record_without_an_end() -> None:
    journal = InMemoryJournal()

    @tool
    async def pay() -> None:
        await wait_for_ever()

    agent = create_test_agent([create_tool_call("pay", {}), "never"], tools=[pay])

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi.", options=RunOptions(journal=journal)))

    [entry] = journal.entries.values()
    assert entry.outcome is None


# A person is asked about what has not happened yet


class Decider:
    """An approver that always decides the same, and counts how often it was asked."""

    def __init__(self, *, granted: bool) -> None:
        self.granted = granted
        self.asked = 0

    async def decide(self, request: ApprovalRequest) -> Approval:
        self.asked += 1
        return request.approve("ada") if self.granted else request.deny("ada")


def pay_with_approval(
    journal: InMemoryJournal, approver: Decider | None, calls: list[str]
) -> ToolMessage:
    """Return the result of the first call of run-1, of a tool that needs approval."""
    pay = replace(create_test_tool("pay", effect="once", calls=calls), needs_approval=True)
    agent = create_test_agent([create_tool_call("pay", {"text": "3"}), "done"], tools=[pay])
    options = RunOptions(journal=journal, run_id="run-1", approver=approver)
    [message] = tool_messages(run_virtual(agent.run("Hi.", options=options)))
    return message


@pytest.mark.parametrize("again", [None, Decider(granted=False)], ids=["nobody", "denies"])
def test_approved_call_that_took_effect_is_not_put_to_a_person_again(again: Decider | None) -> None:
    calls: list[str] = []
    journal = InMemoryJournal()

    first = pay_with_approval(journal, Decider(granted=True), calls)
    second = pay_with_approval(journal, again, calls)

    assert first == second == ToolMessage("call-1", "pay", "3")
    assert calls == ["3"]
    assert again is None or again.asked == 0


def test_call_without_an_end_on_record_is_not_put_to_a_person() -> None:
    calls: list[str] = []
    person = Decider(granted=True)
    journal = InMemoryJournal()
    journal.entries["run-1:pay:1"] = JournalEntry("run-1:pay:1", "run-1", "pay", '{"text":"3"}')

    message = pay_with_approval(journal, person, calls)

    assert (message.outcome, calls, person.asked) == ("unknown", [], 0)


def test_another_call_on_record_is_not_put_to_a_person() -> None:
    person = Decider(granted=True)
    journal = InMemoryJournal()
    journal.entries["run-1:pay:1"] = JournalEntry(
        "run-1:pay:1", "run-1", "pay", '{"text":"4"}', "ok", "4"
    )

    with pytest.raises(ConfigurationError, match="another call under the key 'run-1:pay:1'"):
        pay_with_approval(journal, person, [])
    assert person.asked == 0


def test_denied_call_is_put_to_a_person_again_when_the_run_is_begun_again() -> None:
    calls: list[str] = []
    journal = InMemoryJournal()

    first = pay_with_approval(journal, Decider(granted=False), calls)
    second = pay_with_approval(journal, Decider(granted=True), calls)

    assert (first.outcome, second.outcome, calls) == ("denied", "ok", ["3"])


def test_call_that_nobody_was_asked_about_never_runs_whatever_the_journal_forgets() -> None:
    class Forgetful(InMemoryJournal):
        async def get(self, key: str) -> JournalEntry | None:
            return JournalEntry(key, "run-1", "pay", '{"text":"3"}', "ok", "paid")

    calls: list[str] = []
    person = Decider(granted=True)

    message = pay_with_approval(Forgetful(), person, calls)

    assert (message.content, calls, person.asked) == ("paid", [], 0)


def test_call_that_began_elsewhere_while_a_person_decided_does_not_run() -> None:
    class Late(InMemoryJournal):
        async def get(self, key: str) -> JournalEntry | None:
            self.entries[key] = JournalEntry(key, "run-1", "pay", '{"text":"3"}')
            return None

    calls: list[str] = []

    message = pay_with_approval(Late(), Decider(granted=True), calls)

    assert (message.outcome, calls) == ("unknown", [])


def test_look_up_that_hangs_does_not_hold_up_the_run_beyond_its_time() -> None:
    class Hanging(InMemoryJournal):
        async def get(self, key: str) -> JournalEntry | None:
            await wait_for_ever()
            return None

    with pytest.raises(RunTimeoutError):
        pay_with_approval(Hanging(), Decider(granted=True), [])


@pytest.mark.parametrize(
    "before",
    [
        create_tool_call("look", {}),
        create_tool_call("nobody", {}),
        create_tool_call("pay", {"text": 3}),
        create_tool_call("pay", {"text": "refused"}),
    ],
    ids=["read", "unknown tool", "wrong arguments", "refused by a guardrail"],
)
def test_what_else_a_run_called_before_does_not_have_it_pay_twice(before: ToolCall) -> None:
    calls: list[str] = []

    def check(text: str, _: object) -> Verdict:
        return Verdict.retry("not that") if "refused" in text else Verdict.allow()

    guardrail: Guardrail[Any] = Guardrail("strict", frozenset({"tool_call"}), check)
    tools = [create_test_tool("look"), create_test_tool("pay", effect="once", calls=calls)]
    options = RunOptions(journal=InMemoryJournal(), run_id="run-1")
    pay = create_tool_call("pay", {"text": "3"})

    scripts: list[list[ToolCall | str]] = [[before, pay, "done"], [pay, "done"]]
    for script in scripts:
        model = ScriptedModel(script)
        agent = Agent(name="tester", model=model, tools=tools, guardrails=[guardrail])
        agent.run_sync("Hi.", options=options)

    assert calls == ["3"]


def test_another_payment_under_the_same_number_is_refused() -> None:
    calls: list[str] = []
    pay = create_test_tool("pay", effect="once", calls=calls)
    options = RunOptions(journal=InMemoryJournal(), run_id="run-1")
    create_test_agent([create_tool_call("pay", {"text": "3"}), "done"], tools=[pay]).run_sync(
        "Hi.", options=options
    )

    with pytest.raises(ConfigurationError, match="another call under the key 'run-1:pay:1'"):
        create_test_agent([create_tool_call("pay", {"text": "4"}), "done"], tools=[pay]).run_sync(
            "Hi.", options=options
        )
    assert calls == ["3"]


def test_two_payments_of_a_run_have_two_keys() -> None:
    journal = InMemoryJournal()
    pay = create_tool_call("pay", {"text": "3"})
    create_test_agent([pay, pay, "done"], tools=[create_test_tool("pay", effect="once")]).run_sync(
        "Hi.", options=RunOptions(journal=journal, run_id="run-1")
    )

    assert list(journal.entries) == ["run-1:pay:1", "run-1:pay:2"]
