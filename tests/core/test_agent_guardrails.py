from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    Guardrail,
    GuardrailChecked,
    GuardrailContext,
    GuardrailError,
    InMemoryJournal,
    Limits,
    ModelRequested,
    OutputRejected,
    RunFailed,
    RunStarted,
    RunTimeoutError,
    ToolCall,
    ToolContext,
    ToolFinished,
    ToolMessage,
    ToolTimeoutError,
    UserMessage,
    Verdict,
    tool,
)
from agent_factory.core.runs.dialogue import WITHHELD
from agent_factory.core.testing import (
    ScriptedModel,
    create_tool_call,
)
from tests.core.guarded_runs import (
    CANARY,
    STAGES,
    Outcome,
    both_ways,
    decisions,
    each_stage,
    go,
    guard,
    make_agent,
    object_to,
)
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import (
        GuardrailStage,
    )


def run_through(*guardrails: Guardrail[Any], streaming: bool = False) -> tuple[Outcome, list[str]]:
    """Return how a run goes in which every stage is reached, and what its tool was called with."""
    calls: list[str] = []
    agent = make_agent(
        [create_tool_call("look", {"text": "arguments"}), "the answer", "another answer"],
        *guardrails,
        tools=[create_test_tool("look", result="the result", calls=calls)],
    )
    return go(agent, "the prompt", streaming=streaming), calls


# Every decision at every stage


@both_ways
@each_stage
def test_text_that_is_allowed_passes(stage: GuardrailStage, streaming: bool) -> None:
    seen: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(text)
        return Verdict.allow()

    outcome, calls = run_through(guard(stage, check), streaming=streaming)

    assert outcome.result.output == "the answer"
    assert calls == ["arguments"]
    assert seen == [
        {
            "input": "the prompt",
            "output": "the answer",
            "tool_call": '{"text": "arguments"}',
            "tool_result": "the result",
        }[stage]
    ]
    assert decisions(outcome) == [("mine", stage, "allow", "")]


@both_ways
@pytest.mark.parametrize(
    ("stage", "what", "tool_name"),
    [
        ("input", "blocked the prompt: no", ""),
        ("output", "blocked the answer: no", ""),
        ("tool_call", "blocked a call: no of tool 'look'", "look"),
        ("tool_result", "blocked a result: no of tool 'look'", "look"),
    ],
)
def test_text_that_is_blocked_ends_the_run(
    stage: GuardrailStage, what: str, tool_name: str, streaming: bool
) -> None:
    outcome, calls = run_through(guard(stage, Verdict.block("no")), streaming=streaming)

    error = outcome.error
    assert error.message == f"guardrail 'mine' of agent 'clerk' {what}"
    assert (error.guardrail, error.stage, error.tool) == ("mine", stage, tool_name)
    assert decisions(outcome) == [("mine", stage, "block", "no")]
    assert calls == ([] if stage in ("input", "tool_call") else ["arguments"])
    assert len(outcome.get(ModelRequested)) == {"input": 0, "output": 2}.get(stage, 1)
    assert outcome.get(RunFailed) == [outcome.events[-1]]
    assert isinstance(outcome.events[0], RunStarted)


def test_prompt_that_is_replaced_reaches_the_model_as_it_was_replaced() -> None:
    model = ScriptedModel(["done"])
    agent = make_agent(model, object_to("input", Verdict.replace("other", "why")))

    outcome = go(agent, f"Say {CANARY}.")

    assert model.requests[0].messages == (UserMessage("other"),)
    assert outcome.result.messages[0] == UserMessage("other")
    assert outcome.get(RunStarted)[0].prompt == "other"
    assert decisions(outcome) == [("mine", "input", "replace", "why")]
    assert not outcome.shows(CANARY)


@both_ways
def test_answer_that_is_replaced_is_given_as_it_was_replaced(streaming: bool) -> None:
    agent = make_agent(
        [f"It is {CANARY}."], object_to("output", Verdict.replace("It is a fruit.", "why"))
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.result.output == outcome.text == "It is a fruit."
    assert outcome.result.messages[-1] == AssistantMessage("It is a fruit.")
    assert decisions(outcome) == [("mine", "output", "replace", "why")]
    assert not outcome.shows(CANARY)


def test_arguments_that_are_replaced_are_the_ones_that_reach_the_tool() -> None:
    calls: list[str] = []
    agent = make_agent(
        [create_tool_call("look", {"text": "a"}), "done"],
        guard("tool_call", Verdict.replace('{"text": "b"}', "why")),
        tools=[create_test_tool("look", calls=calls)],
    )

    outcome = go(agent)

    assert calls == ["b"]
    assert outcome.tool_messages == [ToolMessage("call-1", "look", "b")]


def test_arguments_that_are_replaced_are_validated() -> None:
    calls: list[str] = []
    agent = make_agent(
        [create_tool_call("look", {"text": "a"}), "done"],
        guard("tool_call", Verdict.replace('{"text": 3}', "why")),
        tools=[create_test_tool("look", calls=calls)],
    )

    [message] = go(agent).tool_messages

    assert calls == []
    assert message.outcome == "error"


def test_result_that_is_replaced_reaches_the_model_as_it_was_replaced() -> None:
    model = ScriptedModel([create_tool_call("look", {}), "done"])
    agent = make_agent(
        model,
        object_to("tool_result", Verdict.replace("a fruit", "why")),
        tools=[create_test_tool("look", result=CANARY)],
    )

    outcome = go(agent)

    assert model.requests[1].messages[-1] == ToolMessage("call-1", "look", "a fruit")
    assert outcome.get(ToolFinished)[0].content == "a fruit"
    assert not outcome.shows(CANARY)


def test_prompt_cannot_be_sent_back_and_is_blocked() -> None:
    outcome, calls = run_through(guard("input", Verdict.retry("say it nicely")))

    assert "blocked the prompt: say it nicely" in outcome.error.message
    assert calls == []


@both_ways
def test_answer_that_is_sent_back_is_given_again(streaming: bool) -> None:
    model = ScriptedModel([f"It is {CANARY}.", "It is a fruit."])
    agent = make_agent(model, object_to("output", Verdict.retry("name no numbers")))

    outcome = go(agent, streaming=streaming)

    assert outcome.result.output == outcome.text == "It is a fruit."
    assert model.requests[1].messages[-2:] == (
        AssistantMessage(WITHHELD),
        UserMessage("name no numbers. Answer again."),
    )
    assert [event.reason for event in outcome.get(OutputRejected)] == ["name no numbers"]
    assert [item[2] for item in decisions(outcome)] == ["retry", "allow"]
    assert not outcome.shows(CANARY)


def test_call_that_is_sent_back_is_not_carried_out_and_the_model_is_told() -> None:
    calls: list[str] = []
    agent = make_agent(
        [
            create_tool_call("look", {"text": "bad"}),
            create_tool_call("look", {"text": "good"}),
            "done",
        ],
        object_to("tool_call", Verdict.retry("look elsewhere"), what="bad"),
        tools=[create_test_tool("look", calls=calls)],
    )

    first, second = go(agent).tool_messages

    assert calls == ["good"]
    assert first == ToolMessage(
        "call-1", "look", "Error: not carried out: look elsewhere", "denied"
    )
    assert second.outcome == "ok"


def test_result_that_is_sent_back_is_withheld_and_the_model_is_told() -> None:
    agent = make_agent(
        [create_tool_call("look", {}), "done"],
        object_to("tool_result", Verdict.retry("it has numbers")),
        tools=[create_test_tool("look", result=CANARY)],
    )

    outcome = go(agent)

    assert outcome.tool_messages == [
        ToolMessage("call-1", "look", "Error: the result is withheld: it has numbers", "error")
    ]
    assert not outcome.shows(CANARY)


# Order


@each_stage
def test_guardrails_look_one_after_the_other_each_at_what_the_one_before_left(
    stage: GuardrailStage,
) -> None:
    seen: list[tuple[str, str]] = []

    def replace_with(name: str, text: str) -> Guardrail[Any]:
        async def check(given: str, context: GuardrailContext[Any]) -> Verdict:
            await asyncio.sleep(5 if name == "first" else 1)
            seen.append((name, given))
            return Verdict.replace(text, "why")

        return guard(stage, check, name)

    one, two = ('{"text": "one"}', '{"text": "two"}') if stage == "tool_call" else ("one", "two")

    outcome, _ = run_through(
        replace_with("first", one), replace_with("second", two), replace_with("third", two)
    )

    assert seen[1:3] == [("second", one), ("third", two)]
    assert [name for name, *_ in decisions(outcome)] == ["first", "second", "third"]


@each_stage
@pytest.mark.parametrize("verdict", [Verdict.block("no"), Verdict.retry("no")])
def test_guardrail_after_one_that_objects_is_not_asked(
    stage: GuardrailStage, verdict: Verdict
) -> None:
    seen: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(text)
        return Verdict.allow()

    text = {"output": "the answer", "tool_call": "arguments", "tool_result": "the result"}
    objects = object_to(stage, verdict, what=text.get(stage, "the prompt"))

    run_through(objects, guard(stage, check, "second"))

    assert seen == (["another answer"] if (stage, verdict.decision) == ("output", "retry") else [])


# Checks that give no verdict


def raise_error(text: str, context: GuardrailContext[Any]) -> Verdict:
    raise ValueError(f"cannot read {text!r}")


async def raise_later(text: str, context: GuardrailContext[Any]) -> Verdict:
    await asyncio.sleep(1)
    raise ValueError(f"cannot read {text!r}")


async def time_out(text: str, context: GuardrailContext[Any]) -> Verdict:
    raise TimeoutError("of its own")


async def cancel_itself(text: str, context: GuardrailContext[Any]) -> Verdict:
    raise asyncio.CancelledError


async def never(text: str, context: GuardrailContext[Any]) -> Verdict:
    await asyncio.Event().wait()
    raise AssertionError


async def never_mind(text: str, context: GuardrailContext[Any]) -> Verdict:
    for _ in range(100):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    return Verdict.allow()


NO_VERDICT = [
    (raise_error, "could not look: its check raised ValueError"),
    (raise_later, "could not look: its check raised ValueError"),
    (time_out, "could not look: its check raised TimeoutError"),
    (cancel_itself, "could not look: its check raised RuntimeError"),
    (never, "had no verdict within 2 s"),
    (never_mind, "had no verdict within 2 s"),
    (lambda text, context: None, "returned NoneType in place of a Verdict"),
    (lambda text, context: True, "returned bool in place of a Verdict"),
    (lambda text, context: Verdict("deny"), "its check raised ConfigurationError"),  # type: ignore[arg-type]
]


@each_stage
@pytest.mark.parametrize(("check", "what"), NO_VERDICT, ids=range(len(NO_VERDICT)))
def test_guardrail_without_a_verdict_lets_nothing_pass(
    stage: GuardrailStage, check: Any, what: str
) -> None:
    calls: list[str] = []
    texts = dict.fromkeys(STAGES, "fine") | {stage: CANARY}
    agent = make_agent(
        [create_tool_call("look", {"text": texts["tool_call"]}), texts["output"]],
        guard(stage, check, timeout=2),
        tools=[create_test_tool("look", result=texts["tool_result"], calls=calls)],
    )

    outcome = go(agent, texts["input"], streaming=True)

    assert what in outcome.error.message
    assert outcome.error.guardrail == "mine"
    assert CANARY not in calls
    assert outcome.text == ""
    assert not outcome.shows(CANARY)


@each_stage
def test_cause_of_a_failed_check_is_kept(stage: GuardrailStage) -> None:
    outcome, _ = run_through(guard(stage, raise_error))

    assert isinstance(outcome.error.__cause__, ValueError)


def test_guardrail_error_that_a_check_raises_is_raised_as_it_is() -> None:
    error = GuardrailError("too long to look at", guardrail="inner", stage="output")

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        raise error

    outcome, _ = run_through(guard("output", check))

    assert outcome.error is error


@each_stage
def test_run_whose_time_is_out_while_a_guardrail_looks_has_timed_out(
    stage: GuardrailStage,
) -> None:
    agent = make_agent(
        [create_tool_call("look", {}), "done"],
        guard(stage, never, timeout=50),
        tools=[create_test_tool("look")],
        limits=Limits(timeout=3),
    )

    assert isinstance(go(agent).failure, RunTimeoutError)


@each_stage
def test_check_may_be_awaited(stage: GuardrailStage) -> None:
    async def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        await asyncio.sleep(1)
        return Verdict.block("no")

    outcome, _ = run_through(guard(stage, check))

    assert outcome.error.stage == stage


# What a guardrail knows


def test_guardrail_knows_the_run_and_what_it_looks_at() -> None:
    seen: list[GuardrailContext[str]] = []

    def check(text: str, context: GuardrailContext[str]) -> Verdict:
        seen.append(context)
        return Verdict.allow()

    everything = Guardrail("all", frozenset(STAGES), check)
    agent = make_agent(
        [create_tool_call("look", {}), "done"], everything, tools=[create_test_tool("look")]
    )

    run_id = go(agent, "the prompt", deps="the deps").result.run_id

    asked = ("the deps", "clerk", run_id)
    assert seen == [
        GuardrailContext("input", *asked),
        GuardrailContext("tool_call", *asked, "look", "the prompt"),
        GuardrailContext("tool_result", *asked, "look", "the prompt"),
        GuardrailContext("output", *asked, "", "the prompt"),
    ]


def test_guardrail_is_told_the_prompt_as_it_reached_the_model() -> None:
    seen: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(context.prompt)
        return Verdict.allow()

    agent = make_agent(
        ["done"], guard("input", Verdict.replace("other", "why")), guard("output", check)
    )

    go(agent, CANARY)

    assert seen == ["other"]


@pytest.mark.parametrize("stage", ["tool_call", "tool_result"])
def test_guardrail_for_some_tools_does_not_look_at_the_others(stage: GuardrailStage) -> None:
    seen: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(context.tool)
        return Verdict.allow()

    agent = make_agent(
        [AssistantMessage("", (ToolCall("1", "look", ""), ToolCall("2", "find", ""))), "done"],
        guard(stage, check, tools=frozenset({"find"})),
        tools=[create_test_tool("look"), create_test_tool("find")],
    )

    outcome = go(agent)

    assert seen == ["find"]
    assert [event.tool for event in outcome.get(GuardrailChecked)] == ["find"]


def test_guardrail_for_some_tools_still_looks_at_prompt_and_answer() -> None:
    guardrail = Guardrail(
        "all",
        frozenset({"input", "output"}),
        lambda text, context: Verdict.allow(),
        tools=frozenset({"find"}),
    )

    assert [stage for _, stage, *_ in decisions(go(make_agent(["done"], guardrail)))] == [
        "input",
        "output",
    ]


# Tools


def test_no_call_of_an_answer_begins_where_one_of_them_is_blocked() -> None:
    async def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        await asyncio.sleep(1)
        return Verdict.block("no")

    calls: list[str] = []
    agent = make_agent(
        [AssistantMessage("", (ToolCall("1", "wait", ""), ToolCall("2", "look", ""))), "never"],
        guard("tool_call", check, tools=frozenset({"look"})),
        tools=[create_test_tool("wait", calls=calls), create_test_tool("look", calls=calls)],
    )

    assert go(agent).error.tool == "look"
    assert calls == []


def test_call_that_is_sent_back_does_not_disturb_its_neighbours() -> None:
    calls: list[str] = []
    agent = make_agent(
        [
            AssistantMessage(
                "",
                (
                    create_tool_call("look", {"text": "bad"}, call_id="1"),
                    create_tool_call("look", {"text": "good"}, call_id="2"),
                ),
            ),
            "done",
        ],
        object_to("tool_call", Verdict.retry("no"), what="bad"),
        tools=[create_test_tool("look", calls=calls)],
    )

    assert [message.outcome for message in go(agent).tool_messages] == ["denied", "ok"]
    assert calls == ["good"]


def test_guardrail_looks_at_a_call_once_however_often_it_is_tried() -> None:
    seen: list[str] = []
    keys: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(context.stage)
        return Verdict.allow()

    @tool(effect="read", retries=1)
    async def look(context: ToolContext[Any]) -> str:
        keys.append(context.idempotency_key)
        if len(keys) == 1:
            raise ConnectionResetError
        return "seen"

    both = Guardrail("both", frozenset({"tool_call", "tool_result"}), check)

    go(make_agent([create_tool_call("look", {}), "done"], both, tools=[look]))

    assert seen == ["tool_call", "tool_result"]
    assert len(keys) == 2


def test_call_that_a_guardrail_refuses_is_not_in_the_journal() -> None:
    journal = InMemoryJournal()
    agent = make_agent(
        [create_tool_call("pay", {}), "done"],
        guard("tool_call", Verdict.retry("no")),
        tools=[create_test_tool("pay", effect="once")],
    )

    go(agent, journal=journal)

    assert journal.entries == {}


def test_arguments_in_the_journal_are_those_that_a_guardrail_left() -> None:
    journal = InMemoryJournal()
    agent = make_agent(
        [create_tool_call("pay", {"text": "a"}), "done"],
        guard("tool_call", Verdict.replace('{"text": "b"}', "why")),
        tools=[create_test_tool("pay", effect="once")],
    )

    go(agent, journal=journal)

    [entry] = journal.entries.values()
    assert entry.arguments == '{"text":"b"}'


def test_result_from_the_journal_is_looked_at_too() -> None:
    journal = InMemoryJournal()

    def run_again() -> Outcome:
        agent = make_agent(
            [create_tool_call("pay", {}), "done"],
            object_to("tool_result", Verdict.replace("a fruit", "why")),
            tools=[create_test_tool("pay", effect="once", result=CANARY)],
        )
        return go(agent, journal=journal, run_id="run-1")

    first, second = run_again(), run_again()

    assert first.tool_messages == second.tool_messages
    assert not second.shows(CANARY)


@pytest.mark.parametrize("stage", ["tool_call", "tool_result"])
def test_refused_call_of_an_unknown_tool_is_not_looked_at(stage: GuardrailStage) -> None:
    agent = make_agent([create_tool_call("nope", {}), "done"], guard(stage, Verdict.block("no")))

    assert [message.outcome for message in go(agent).tool_messages] == ["error"]


@pytest.mark.parametrize("stage", ["input", "tool_result"])
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_guardrail_that_exits_ends_its_run_and_not_the_event_loop(stage: Any, kind: str) -> None:
    def leave(text: str, _: object) -> Verdict:
        sys.exit(3)

    async def leave_later(text: str, _: object) -> Verdict:
        sys.exit(3)

    check = leave if kind == "plain" else leave_later
    guardrail: Guardrail[Any] = Guardrail("g", frozenset({stage}), check)
    agent = make_agent(
        [create_tool_call("look", {}), "never"], guardrail, tools=[create_test_tool("look")]
    )

    async def go_on() -> str:
        with pytest.raises(GuardrailError, match="could not look"):
            await agent.run("Hi.")
        return "went on"

    assert asyncio.run(go_on()) == "went on"


@pytest.mark.parametrize(
    ("effect", "told"), [("once", "\nthe call took effect: do not repeat it"), ("read", "")]
)
def test_model_is_told_that_a_call_took_effect_whose_result_is_withheld(
    effect: Any, told: str
) -> None:
    agent = make_agent(
        [create_tool_call("pay", {}), "done"],
        object_to("tool_result", Verdict.retry("it has numbers")),
        tools=[create_test_tool("pay", result=CANARY, effect=effect)],
    )

    [message] = go(agent).tool_messages

    assert message.content == f"Error: the result is withheld: it has numbers{told}"


def test_model_is_told_that_the_effect_of_a_withheld_call_is_not_known() -> None:
    error = ToolTimeoutError("the server is slow")
    agent = make_agent(
        [create_tool_call("pay", {}), "done"],
        object_to("tool_result", Verdict.retry("it has numbers"), what="slow"),
        tools=[create_test_tool("pay", effect="once", error=error)],
    )

    [message] = go(agent).tool_messages

    assert message.outcome == "unknown"
    assert message.content == (
        "Error: the result is withheld: it has numbers\n"
        "whether it took effect is not known: find out before anything is repeated"
    )
