from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    Approval,
    ApprovalDecided,
    ApprovalRequest,
    ApprovalRequested,
    AssistantMessage,
    Guardrail,
    GuardrailChecked,
    InMemoryJournal,
    Limits,
    ModelConnectionError,
    RunFailed,
    RunOptions,
    RunTimeoutError,
    ToolCall,
    ToolExecutionError,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    Verdict,
    tool,
)
from agent_factory.core.approvals import create_digest
from agent_factory.core.testing import (
    ScriptedModel,
    VirtualClock,
    create_tool_call,
    run_virtual,
)
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import RunEvent, RunResult, Tool

Decide = Callable[[ApprovalRequest], Any]

DENIED = "Error: not carried out: "


class Person:
    """An approver that decides with a function and remembers what it was asked."""

    def __init__(self, decide: Decide = lambda request: request.approve("ada")) -> None:
        self._decide = decide
        self.requests: list[ApprovalRequest] = []

    async def decide(self, request: ApprovalRequest) -> Approval:
        self.requests.append(request)
        answer = self._decide(request)
        decided: Any = await answer if inspect.isawaitable(answer) else answer
        return decided  # type: ignore[no-any-return] # also what is no approval


def make_tool(calls: list[str], *, name: str = "pay", **values: Any) -> Tool[object]:
    """Return a tool that needs approval and records its calls."""
    return replace(
        create_test_tool(name, calls=calls, effect="once"), needs_approval=True, **values
    )


def run_once(
    person: Person | None, calls: list[str], *, call: ToolCall | None = None, **values: Any
) -> tuple[ToolMessage, list[RunEvent[Any]]]:
    """Return the result of one call of a tool that needs approval, and the events of the run."""
    events: list[RunEvent[Any]] = []
    agent = create_test_agent(
        [call or create_tool_call("pay", {"text": "3"}), "done"], tools=[make_tool(calls)], **values
    )
    options = RunOptions(approver=person, observers=(events.append,))
    result = run_virtual(agent.run("Hi.", options=options))
    [message] = tool_messages(result)
    return message, events


def tool_messages(result: RunResult[Any]) -> list[ToolMessage]:
    """Return the results of tools in a finished run."""
    return [message for message in result.messages if isinstance(message, ToolMessage)]


def ask_for(*calls: ToolCall) -> AssistantMessage:
    """Return an answer that asks for several tool calls at once."""
    return AssistantMessage("", calls)


def test_approved_call_runs() -> None:
    calls: list[str] = []

    message, _ = run_once(Person(), calls)

    assert calls == ["3"]
    assert message == ToolMessage("call-1", "pay", "3")


def test_call_without_anybody_to_ask_does_not_run_and_the_model_is_told() -> None:
    calls: list[str] = []

    message, _ = run_once(None, calls)

    assert calls == []
    assert message == ToolMessage(
        "call-1",
        "pay",
        f"{DENIED}it needs a person's approval, and there is nobody to ask",
        "denied",
    )


def test_denied_call_never_runs() -> None:
    # adk#7148: a tool whose confirmation was denied ran all the same.
    calls: list[str] = []

    message, events = run_once(Person(lambda it: it.deny("ada", reason="too much")), calls)

    assert calls == []
    assert message.outcome == "denied"
    assert message.content == f"{DENIED}a person denied it: too much"
    [decided] = [event for event in events if isinstance(event, ApprovalDecided)]
    assert decided.approval is not None
    assert (decided.approval.granted, decided.reason) == (False, "too much")


def test_denied_call_does_not_run_when_the_model_insists() -> None:
    calls: list[str] = []
    person = Person(lambda request: request.deny("ada"))
    pay = create_tool_call("pay", {"text": "3"})
    agent = create_test_agent([pay, pay, pay, "well"], tools=[make_tool(calls)])

    result = agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert calls == []
    assert [message.outcome for message in tool_messages(result)] == ["denied"] * 3
    assert len(person.requests) == 3


def test_tool_that_needs_no_approval_asks_nobody() -> None:
    person = Person()
    agent = create_test_agent(
        [create_tool_call("look", {}), "done"], tools=[create_test_tool("look")]
    )

    agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert person.requests == []


def test_request_says_what_is_to_run() -> None:
    person = Person()
    calls: list[str] = []

    _, events = run_once(person, calls, name="clerk")

    [request] = person.requests
    assert (request.agent, request.tool, request.call_id) == ("clerk", "pay", "call-1")
    assert request.arguments == '{"text":"3"}'
    assert request.run_id == events[0].run_id
    assert request.digest == create_digest(
        agent="clerk",
        tool="pay",
        arguments='{"text":"3"}',
        run_id=request.run_id,
        call_id="call-1",
        idempotency_key=f"{request.run_id}:pay:1",
    )
    assert request.idempotency_key == f"{request.run_id}:pay:1"


def test_request_lapses_after_the_approval_timeout() -> None:
    person, clock = Person(), VirtualClock()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[make_tool([])],
        limits=Limits(approval_timeout=60),
    )

    run_virtual(agent.run("Hi.", options=RunOptions(approver=person, clock=clock)), clock=clock)

    assert person.requests[0].expires_at == clock.now() + timedelta(seconds=60)


def test_approval_timeout_beyond_all_days_is_no_error() -> None:
    calls: list[str] = []

    message, _ = run_once(Person(), calls, limits=Limits(approval_timeout=1e12))

    assert message.outcome == "ok"


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": '{"text":"4"}'},
        {"call_id": "call-2"},
        {"run_id": "another"},
        {"idempotency_key": "another:1"},
        {"tool": "give"},
        {"agent": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_approval_of_something_else_does_not_count(change: dict[str, str]) -> None:
    def decide(request: ApprovalRequest) -> Approval:
        parts = {
            name: getattr(request, name)
            for name in ("agent", "tool", "arguments", "run_id", "call_id", "idempotency_key")
        }
        return replace(request.approve("ada"), digest=create_digest(**parts | change))

    calls: list[str] = []
    message, events = run_once(Person(decide), calls)

    assert calls == []
    assert message.outcome == "denied"
    assert "it was given for another call" in message.content
    [decided] = [event for event in events if isinstance(event, ApprovalDecided)]
    assert decided.approval is None


def test_approval_of_an_earlier_run_does_not_count() -> None:
    calls: list[str] = []
    kept: list[Approval] = []

    def decide(request: ApprovalRequest) -> Approval:
        kept.append(request.approve("ada"))
        return kept[0]

    person = Person(decide)

    outcomes = [run_once(person, calls)[0].outcome for _ in range(2)]

    assert outcomes == ["ok", "denied"]
    assert calls == ["3"]


def test_approval_does_not_count_for_the_same_call_in_a_later_answer() -> None:
    # Models reuse the identifiers of calls: run, call, tool and arguments are all the same here, only the place is not.
    calls: list[str] = []
    kept: list[Approval] = []

    def decide(request: ApprovalRequest) -> Approval:
        kept.append(request.approve("ada"))
        return kept[0]

    pay = create_tool_call("pay", {"text": "3"})
    agent = create_test_agent([pay, pay, "done"], tools=[make_tool(calls)])

    result = agent.run_sync("Hi.", options=RunOptions(approver=Person(decide)))

    assert calls == ["3"]
    first, second = tool_messages(result)
    assert (first.outcome, second.outcome) == ("ok", "denied")
    assert "it was given for another call" in second.content


def test_approval_whose_identifier_was_used_does_not_count_for_another_call() -> None:
    calls: list[str] = []
    pay = create_tool_call("pay", {"text": "3"})
    agent = create_test_agent([pay, pay, "done"], tools=[make_tool(calls)])
    person = Person(lambda request: replace(request.approve("ada"), id="the same"))

    result = agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert calls == ["3"]
    assert "it was used before, and counts once" in tool_messages(result)[1].content


def test_kept_decisions_are_told_apart_by_the_place_of_the_call() -> None:
    calls: list[str] = []
    kept: dict[str, Approval] = {}
    person = Person(lambda request: kept.setdefault(request.digest, request.approve("ada")))
    pay = create_tool_call("pay", {"text": "3"})
    agent = create_test_agent([pay, pay, "done"], tools=[make_tool(calls)])

    agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert (len(kept), calls) == (2, ["3", "3"])


def test_call_is_told_by_the_same_digest_when_the_run_is_begun_again() -> None:
    person = Person(lambda request: request.deny("ada"))
    options = RunOptions(approver=person, run_id="run-1")
    pay = create_tool_call("pay", {"text": "3"})
    for _ in range(2):
        create_test_agent([pay, pay, "done"], tools=[make_tool([])]).run_sync(
            "Hi.", options=options
        )

    first, second, *again = [request.digest for request in person.requests]

    assert first != second
    assert again == [first, second]


@pytest.mark.parametrize("granted", ["false", "no", 1])
def test_decision_that_is_neither_true_nor_false_lets_nothing_run(granted: Any) -> None:
    calls: list[str] = []

    message, _ = run_once(
        Person(lambda request: replace(request.approve("ada"), granted=granted)), calls
    )

    assert (calls, message.outcome) == ([], "denied")
    assert "in place of True or False" in message.content


def test_approval_that_is_over_does_not_count() -> None:
    calls: list[str] = []
    clock = VirtualClock()

    async def decide(request: ApprovalRequest) -> Approval:
        approval = replace(
            request.approve("ada"), expires_at=request.expires_at - timedelta(seconds=50)
        )
        await asyncio.sleep(20)
        return approval

    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[make_tool(calls)],
        limits=Limits(approval_timeout=60),
    )
    options = RunOptions(approver=Person(decide), clock=clock)

    result = run_virtual(agent.run("Hi.", options=options), clock=clock)

    [message] = tool_messages(result)
    assert calls == []
    assert "it was good until" in message.content


def test_approver_that_raises_approves_nothing_and_its_words_stay_private() -> None:
    def decide(request: ApprovalRequest) -> Approval:
        raise LookupError("key s3cret")

    calls: list[str] = []
    message, events = run_once(Person(decide), calls)

    assert calls == []
    assert message == ToolMessage(
        "call-1", "pay", f"{DENIED}no decision could be had: LookupError", "denied"
    )
    assert "s3cret" not in repr(events)


@pytest.mark.parametrize(
    ("error", "reported"),
    [(LookupError("no such room"), True), (ModelConnectionError("down", model="chat"), False)],
    ids=["defect", "of core"],
)
def test_defect_of_an_approver_is_told_to_whoever_runs_the_loop(
    error: Exception, reported: bool
) -> None:
    def decide(request: ApprovalRequest) -> Approval:
        raise error

    async def main() -> list[dict[str, Any]]:
        contexts: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: contexts.append(context)
        )
        agent = create_test_agent([create_tool_call("pay", {}), "done"], tools=[make_tool([])])
        options = RunOptions(approver=Person(decide), run_id="run-1")
        await agent.run("Hi.", options=options)
        return contexts

    contexts = asyncio.run(main())

    assert (
        contexts
        == [{"message": "the approver of run run-1 failed at tool 'pay'", "exception": error}]
        * reported
    )


def test_approver_that_raises_an_error_of_core_has_it_told() -> None:
    def decide(request: ApprovalRequest) -> Approval:
        raise ModelConnectionError("the chat is down", model="chat")

    calls: list[str] = []
    message, _ = run_once(Person(decide), calls)

    assert calls == []
    assert message.content == f"{DENIED}no decision could be had: the chat is down"


def test_approver_cancelled_from_inside_approves_nothing() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        raise asyncio.CancelledError

    calls: list[str] = []
    message, _ = run_once(Person(decide), calls)

    assert (calls, message.outcome) == ([], "denied")


@pytest.mark.parametrize("answer", [None, True, "yes"])
def test_answer_that_is_no_approval_approves_nothing(answer: object) -> None:
    calls: list[str] = []

    message, _ = run_once(Person(lambda request: answer), calls)

    assert (calls, message.outcome) == ([], "denied")


def test_late_approver_approves_nothing() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(6)
        return request.approve("ada")

    calls: list[str] = []
    message, events = run_once(Person(decide), calls, limits=Limits(approval_timeout=5))

    assert calls == []
    assert message.content == f"{DENIED}nobody decided within 5 s"
    [decided] = [event for event in events if isinstance(event, ApprovalDecided)]
    assert (decided.approval, decided.reason) == (None, "nobody decided within 5 s")


def test_late_approver_that_ignores_its_cancellation_does_not_hold_up_the_run() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        for _ in range(100):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                continue
        return request.approve("ada")

    calls: list[str] = []
    message, _ = run_once(Person(decide), calls, limits=Limits(approval_timeout=1))

    assert (calls, message.outcome) == ([], "denied")


def test_time_of_the_run_stands_still_while_a_person_decides() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(60)
        return request.approve("ada")

    calls: list[str] = []
    message, _ = run_once(Person(decide), calls, limits=Limits(timeout=3, approval_timeout=100))

    assert (calls, message.outcome) == (["3"], "ok")


def test_time_of_the_run_stands_still_on_a_real_clock_too() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(0.6)
        return request.approve("ada")

    calls: list[str] = []
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"],
        tools=[make_tool(calls)],
        limits=Limits(timeout=0.3, approval_timeout=5),
    )

    agent.run_sync("Hi.", options=RunOptions(approver=Person(decide)))

    assert calls == [""]


def test_time_of_the_run_goes_on_after_the_decision() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(60)
        return request.approve("ada")

    @tool(needs_approval=True, timeout=50)
    async def pay() -> None:
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(40)

    began: list[float] = []
    clock = VirtualClock()
    agent = create_test_agent(
        [create_tool_call("pay", {}), "never"],
        tools=[pay],
        limits=Limits(timeout=3, approval_timeout=100),
    )

    with pytest.raises(RunTimeoutError):
        run_virtual(agent.run("Hi.", options=RunOptions(approver=Person(decide))), clock=clock)

    # On the virtual clock: the wait for the person, and then all of the run's three seconds.
    assert began == [60.0]
    assert clock.elapsed == pytest.approx(63.0)


def test_time_of_the_tool_begins_after_the_decision() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(60)
        return request.approve("ada")

    calls: list[str] = []
    agent = create_test_agent(
        [create_tool_call("pay", {}), "done"], tools=[make_tool(calls, timeout=1.0)]
    )

    run_virtual(agent.run("Hi.", options=RunOptions(approver=Person(decide))))

    assert calls == [""]


def test_time_of_a_sibling_does_not_stand_still_while_a_person_decides() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(60)
        return request.approve("ada")

    @tool(effect="read", timeout=2)
    async def slow() -> None:
        await asyncio.Event().wait()

    calls: list[str] = []
    events: list[RunEvent[Any]] = []
    agent = create_test_agent(
        [ask_for(ToolCall("1", "pay", "{}"), ToolCall("2", "slow", "")), "done"],
        tools=[make_tool(calls), slow],
        limits=Limits(timeout=10, approval_timeout=100),
    )
    options = RunOptions(approver=Person(decide), observers=(events.append,))

    result = run_virtual(agent.run("Hi.", options=options))

    assert [message.outcome for message in tool_messages(result)] == ["ok", "error"]
    ended = [event.call.id for event in events if isinstance(event, ToolFinished)]
    assert ended == ["2", "1"]


@pytest.mark.parametrize(
    "written",
    [
        '{"to": "bob", "sum": 3}',
        '{"sum":3,"to":"bob"}',
        '  {\n"sum" : 3, "to": "b\\u006fb" } ',
        '{"sum": 9, "to": "bob", "sum": 3}',
    ],
)
def test_person_sees_arguments_of_one_meaning_in_one_form(written: str) -> None:
    paid: list[tuple[str, int]] = []

    @tool(needs_approval=True)
    async def pay(to: str, sum: int) -> None:  # noqa: A002 - as a model would see it
        paid.append((to, sum))

    person = Person()
    agent = create_test_agent([ToolCall("1", "pay", written), "done"], tools=[pay])

    agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert person.requests[0].arguments == '{"sum":3,"to":"bob"}'
    assert paid == [("bob", 3)]


def test_text_that_was_approved_is_the_text_that_runs() -> None:
    seen: list[str] = []

    async def call(context: object, arguments: str) -> str:
        seen.append(arguments)
        return "paid"

    person = Person()
    pay = replace(make_tool([]), call=call)
    agent = create_test_agent(
        [ToolCall("1", "pay", '{"text": "a", "text" : "b"}'), "done"], tools=[pay]
    )

    agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert seen == [person.requests[0].arguments] == ['{"text":"b"}']


@pytest.mark.parametrize("arguments", ['{"text": 3}', "{", "[]", '{"txt": "a"}', "null"])
def test_nobody_is_asked_about_arguments_that_do_not_fit(arguments: str) -> None:
    calls: list[str] = []
    person = Person()

    message, _ = run_once(person, calls, call=ToolCall("1", "pay", arguments))

    assert message.outcome == "error"
    assert "do not fit its schema" in message.content
    assert (person.requests, calls) == ([], [])


def test_guardrail_replaces_arguments_before_a_person_sees_them() -> None:
    calls: list[str] = []
    events: list[RunEvent[Any]] = []
    person = Person()
    agent: Agent[None, str] = Agent(
        name="clerk",
        model=ScriptedModel([create_tool_call("pay", {"text": "1000"}), "done"]),
        tools=[make_tool(calls)],
        guardrails=[
            Guardrail(
                "cap",
                frozenset({"tool_call"}),
                lambda text, context: Verdict.replace('{"text": "10"}', "capped"),
            )
        ],
    )

    agent.run_sync("Hi.", options=RunOptions(approver=person, observers=(events.append,)))

    assert person.requests[0].arguments == '{"text":"10"}'
    assert calls == ["10"]
    kinds = [type(event) for event in events]
    assert kinds.index(GuardrailChecked) < kinds.index(ApprovalRequested)


def test_call_that_a_guardrail_refuses_asks_nobody() -> None:
    person, calls = Person(), list[str]()
    agent: Agent[None, str] = Agent(
        name="clerk",
        model=ScriptedModel([create_tool_call("pay", {}), "done"]),
        tools=[make_tool(calls)],
        guardrails=[
            Guardrail("no", frozenset({"tool_call"}), lambda text, context: Verdict.retry("no"))
        ],
    )

    result = agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert [message.outcome for message in tool_messages(result)] == ["denied"]
    assert (person.requests, calls) == ([], [])


def test_several_calls_wait_for_people_side_by_side() -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await barrier.wait()
        if request.call_id == "2":
            return request.deny("ada")
        return request.approve("ada")

    barrier = asyncio.Barrier(3)
    calls: list[str] = []
    asked = [create_tool_call("pay", {"text": it}, call_id=it) for it in "123"]
    agent = create_test_agent([ask_for(*asked), "done"], tools=[make_tool(calls)])
    options = RunOptions(approver=Person(decide))

    result = run_virtual(agent.run("Hi.", options=options))

    assert [message.outcome for message in tool_messages(result)] == ["ok", "denied", "ok"]
    assert sorted(calls) == ["1", "3"]


def test_approvals_of_two_calls_cannot_be_swapped() -> None:
    both = asyncio.Event()
    requests: dict[str, ApprovalRequest] = {}

    async def decide(request: ApprovalRequest) -> Approval:
        requests[request.call_id] = request
        if len(requests) == 2:
            both.set()
        await both.wait()
        return requests["1" if request.call_id == "2" else "2"].approve("ada")

    calls: list[str] = []
    asked = [create_tool_call("pay", {"text": "3"}, call_id=it) for it in "12"]
    agent = create_test_agent([ask_for(*asked), "done"], tools=[make_tool(calls)])

    result = agent.run_sync("Hi.", options=RunOptions(approver=Person(decide)))

    assert [message.outcome for message in tool_messages(result)] == ["denied", "denied"]
    assert calls == []


def test_agent_that_runs_as_a_tool_asks_the_same_person() -> None:
    calls: list[str] = []
    person = Person()
    inner = create_test_agent(
        [create_tool_call("pay", {"text": "3"}), "paid"], tools=[make_tool(calls)], name="inner"
    )
    outer = create_test_agent(
        [create_tool_call("inner", {"prompt": "Pay."}), "done"],
        tools=[inner.as_tool()],
        name="outer",
    )

    result = outer.run_sync("Hi.", options=RunOptions(approver=person))

    assert calls == ["3"]
    [request] = person.requests
    assert request.agent == "inner"
    assert request.run_id != result.run_id


def test_agent_that_runs_as_a_tool_without_anybody_to_ask_does_not_pay() -> None:
    calls: list[str] = []
    inner = create_test_agent(
        [create_tool_call("pay", {}), "not paid"], tools=[make_tool(calls)], name="inner"
    )
    outer = create_test_agent(
        [create_tool_call("inner", {"prompt": "Pay."}), "done"], tools=[inner.as_tool()]
    )

    [message] = tool_messages(outer.run_sync("Hi."))

    assert (calls, message.content) == ([], "not paid")


@pytest.mark.parametrize("journalled", [False, True])
def test_time_of_the_runs_around_stands_still_too(journalled: bool) -> None:
    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.sleep(60)
        return request.approve("ada")

    calls: list[str] = []
    inner = create_test_agent(
        [create_tool_call("pay", {"text": "3"}), "paid"],
        tools=[make_tool(calls)],
        name="inner",
        limits=Limits(timeout=3, approval_timeout=100),
    )
    outer = create_test_agent(
        [create_tool_call("inner", {"prompt": "Pay."}), "done"],
        tools=[inner.as_tool(timeout=2)],
        limits=Limits(timeout=3),
    )
    journal = InMemoryJournal() if journalled else None
    options = RunOptions(approver=Person(decide), journal=journal)

    result = run_virtual(outer.run("Hi.", options=options))

    assert calls == ["3"]
    assert tool_messages(result) == [ToolMessage("call-1", "inner", "paid")]


def test_run_that_is_cancelled_while_a_person_decides_runs_nothing() -> None:
    calls: list[str] = []
    events: list[RunEvent[Any]] = []
    left: list[str] = []

    async def main() -> None:
        asked = asyncio.Event()

        async def decide(request: ApprovalRequest) -> Approval:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                left.append("gone")
            raise AssertionError

        agent = create_test_agent([create_tool_call("pay", {}), "never"], tools=[make_tool(calls)])
        options = RunOptions(approver=Person(decide), observers=(events.append,))
        run = asyncio.create_task(agent.run("Hi.", options=options))
        await asked.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert left == ["gone"]

    asyncio.run(main())

    assert calls == []
    assert isinstance(events[-1], RunFailed)
    assert events[-1].error.code == "run_cancelled"


def test_defect_of_a_sibling_ends_the_wait_for_a_person() -> None:
    calls: list[str] = []

    async def decide(request: ApprovalRequest) -> Approval:
        await asyncio.Event().wait()
        raise AssertionError

    agent = create_test_agent(
        [ask_for(ToolCall("1", "pay", "{}"), ToolCall("2", "broken", "{}")), "never"],
        tools=[make_tool(calls), create_test_tool("broken", error=LookupError("gone"))],
    )

    async def main() -> None:
        with pytest.raises(ToolExecutionError, match="LookupError: gone"):
            await agent.run("Hi.", options=RunOptions(approver=Person(decide)))
        # On the virtual clock: nobody waited until the question lapsed.
        assert asyncio.get_running_loop().time() == 0

    run_virtual(main())
    assert calls == []


def test_events_tell_of_the_question_before_the_decision_before_the_result() -> None:
    _, events = run_once(Person(), [])

    kinds = (ToolStarted, ApprovalRequested, ApprovalDecided, ToolFinished)
    told = [event for event in events if isinstance(event, kinds)]
    assert [type(event) for event in told] == list(kinds)
    asked, decided = told[1:3]
    assert isinstance(asked, ApprovalRequested)
    assert isinstance(decided, ApprovalDecided)
    assert decided.request == asked.request
    assert decided.approval is not None
    assert decided.approval.digest == asked.request.digest


def test_question_reaches_who_reads_the_stream_while_the_run_waits() -> None:
    async def main() -> list[str]:
        answer: asyncio.Future[Approval] = asyncio.get_running_loop().create_future()

        def decide(request: ApprovalRequest) -> Awaitable[Approval]:
            return answer

        calls: list[str] = []
        agent = create_test_agent(
            [create_tool_call("pay", {"text": "3"}), "done"], tools=[make_tool(calls)]
        )
        options = RunOptions(approver=Person(decide))
        async for event in agent.stream("Hi.", options=options):
            if isinstance(event, ApprovalRequested):
                assert calls == []
                answer.set_result(event.request.approve("ada"))
        return calls

    assert asyncio.run(main()) == ["3"]


def test_approved_call_that_is_made_again_needs_no_other_approval() -> None:
    tries: list[str] = []

    @tool(effect="idempotent", retries=1, needs_approval=True)
    async def put() -> str:
        tries.append("put")
        if len(tries) == 1:
            raise ConnectionResetError
        return "there"

    person = Person()
    agent = create_test_agent([create_tool_call("put", {}), "done"], tools=[put])

    result = agent.run_sync("Hi.", options=RunOptions(approver=person))

    assert [message.content for message in tool_messages(result)] == ["there"]
    assert (len(tries), len(person.requests)) == (2, 1)


def test_denied_call_is_not_in_the_journal() -> None:
    journal = InMemoryJournal()
    agent = create_test_agent([create_tool_call("pay", {}), "done"], tools=[make_tool([])])
    person = Person(lambda request: request.deny("ada"))

    agent.run_sync("Hi.", options=RunOptions(approver=person, journal=journal))

    assert journal.entries == {}


def test_clock_that_raises_does_not_end_a_run_that_asks_a_person() -> None:
    class Broken:
        def now(self) -> datetime:
            raise KeyError("clock")

    calls: list[str] = []
    agent = create_test_agent(
        [create_tool_call("pay", {"text": "3"}), "done"], tools=[make_tool(calls)]
    )
    reported: list[dict[str, Any]] = []

    async def go() -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reported.append(report))
        options = RunOptions(approver=Person(), clock=Broken())
        return (await agent.run("Hi.", options=options)).output

    assert asyncio.run(go()) == "done"
    assert calls == ["3"]
    assert len(reported) == 1
