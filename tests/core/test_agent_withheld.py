from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    Guardrail,
    GuardrailChecked,
    GuardrailContext,
    Limits,
    ModelAnswered,
    ModelRequested,
    ModelResponse,
    OutputError,
    ReasoningDelta,
    ReasoningReceived,
    RunStarted,
    Session,
    TextDelta,
    TextReceived,
    TokenLogprob,
    ToolCall,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    UserMessage,
    Verdict,
)
from agent_factory.core.memory import InMemoryStore, MemoryScope
from agent_factory.core.runs.dialogue import WITHHELD
from agent_factory.core.testing import (
    FunctionModel,
    ScriptedModel,
    ScriptedStream,
    create_tool_call,
)
from tests.core.guarded_runs import (
    CANARY,
    STAGES,
    both_ways,
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


# Text that is held back


def stream_words(*words: str) -> ScriptedStream:
    """Return an answer that comes word by word."""
    return ScriptedStream([TextDelta(word) for word in words])


def test_blocked_answer_was_not_streamed_before() -> None:
    # openai-agents#495: the guardrail trips when the text has been streamed already.
    agent = make_agent(
        [stream_words("It ", "is ", CANARY, ".")], object_to("output", Verdict.block("no"))
    )

    outcome = go(agent, streaming=True)

    assert outcome.error.stage == "output"
    assert outcome.get(TextReceived) == []
    assert not outcome.shows(CANARY)


def test_blocked_answer_is_on_record_as_withheld() -> None:
    agent = make_agent([CANARY], object_to("output", Verdict.block("no")))

    [answered] = go(agent).get(ModelAnswered)

    assert answered.message == AssistantMessage(WITHHELD)


def test_replaced_answer_is_streamed_as_it_was_replaced() -> None:
    agent = make_agent(
        [stream_words("It ", "is ", CANARY, ".")],
        object_to("output", Verdict.replace("It is a fruit.", "why")),
    )

    outcome = go(agent, streaming=True)

    assert [event.text for event in outcome.get(TextReceived)] == ["It is a fruit."]
    assert not outcome.shows(CANARY)


def test_allowed_answer_is_streamed_after_the_verdict() -> None:
    agent = make_agent([stream_words("It ", "is.")], guard("output", Verdict.allow()))

    outcome = go(agent, streaming=True)

    assert [type(event) for event in outcome.get(TextReceived, GuardrailChecked)] == [
        GuardrailChecked,
        TextReceived,
    ]
    assert outcome.text == "It is."


def test_answer_streams_at_once_where_nothing_is_held_back() -> None:
    agent = make_agent(
        [stream_words("It ", "is.")], guard("output", Verdict.block("no"), hold=False)
    )

    outcome = go(agent, streaming=True)

    assert [type(event) for event in outcome.get(TextReceived, GuardrailChecked)] == [
        TextReceived,
        TextReceived,
        GuardrailChecked,
    ]


def test_one_guardrail_that_holds_back_holds_back_for_all() -> None:
    agent = make_agent(
        [stream_words("It ", "is ", CANARY)],
        guard("output", Verdict.allow(), hold=False),
        object_to("output", Verdict.block("no"), name="second"),
    )

    outcome = go(agent, streaming=True)

    assert outcome.error.guardrail == "second"
    assert not outcome.shows(CANARY)


@both_ways
@pytest.mark.parametrize("verdict", [Verdict.allow(), Verdict.block("no"), Verdict.retry("no")])
def test_thoughts_stay_back_where_answers_are_looked_at(verdict: Verdict, streaming: bool) -> None:
    agent = make_agent(
        [ScriptedStream([ReasoningDelta(CANARY), TextDelta("bad")]), "done"],
        object_to("output", verdict, what="bad"),
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.get(ReasoningReceived) == []
    assert not outcome.shows(CANARY)


def test_likelihoods_of_tokens_go_with_the_text_that_is_replaced() -> None:
    response = ModelResponse(
        AssistantMessage(CANARY), model="m", logprobs=(TokenLogprob(CANARY, -0.1),)
    )

    replaced = go(make_agent([response], object_to("output", Verdict.replace("x", "why"))))
    blocked = go(make_agent([response], object_to("output", Verdict.block("no"))))

    assert not replaced.shows(CANARY)
    assert not blocked.shows(CANARY)


@both_ways
def test_text_beside_calls_is_looked_at_and_blocked_before_a_tool_runs(streaming: bool) -> None:
    calls: list[str] = []
    agent = make_agent(
        [AssistantMessage(f"{CANARY}!", (ToolCall("1", "look", ""),)), "never"],
        object_to("output", Verdict.block("no")),
        tools=[create_test_tool("look", calls=calls)],
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.error.stage == "output"
    assert calls == []
    assert not outcome.shows(CANARY)


def test_text_beside_calls_is_replaced() -> None:
    call = ToolCall("1", "look", "")
    model = ScriptedModel([AssistantMessage(f"{CANARY}!", (call,)), "done"])
    agent = make_agent(
        model,
        object_to("output", Verdict.replace("Let me look.", "why")),
        tools=[create_test_tool("look")],
    )

    outcome = go(agent)

    assert model.requests[1].messages[-2] == AssistantMessage("Let me look.", (call,))
    assert not outcome.shows(CANARY)


def test_text_beside_calls_is_sent_back_with_its_calls() -> None:
    calls: list[str] = []
    agent = make_agent(
        [AssistantMessage(f"{CANARY}!", (ToolCall("1", "look", ""),)), "done"],
        object_to("output", Verdict.retry("name no numbers")),
        tools=[create_test_tool("look", calls=calls)],
    )

    outcome = go(agent)

    assert calls == []
    assert outcome.tool_messages == [
        ToolMessage("1", "look", "Error: not carried out: name no numbers", "denied")
    ]
    assert outcome.result.output == "done"
    assert not outcome.shows(CANARY)


# Answers that are sent back


def test_answer_is_sent_back_as_often_as_it_may_be_corrected() -> None:
    limits = Limits(max_output_retries=2)
    objects = object_to("output", Verdict.retry("no numbers"))

    enough = go(make_agent([CANARY, CANARY, "done"], objects, limits=limits))
    never_good = go(make_agent([CANARY, CANARY, CANARY, "never"], objects, limits=limits))

    assert enough.result.output == "done"
    assert isinstance(never_good.failure, OutputError)
    assert str(never_good.failure) == "the answer was not accepted: no numbers"
    assert len(never_good.get(ModelRequested)) == 3
    assert not never_good.shows(CANARY)


def test_answers_that_do_not_fit_and_that_are_sent_back_count_together() -> None:
    agent = make_agent(
        ["no number", "13", "7"],
        object_to("output", Verdict.retry("another"), what="13"),
        output_type=int,
        limits=Limits(max_output_retries=1),
    )

    outcome = go(agent)

    assert isinstance(outcome.failure, OutputError)
    assert len(outcome.get(ModelRequested)) == 2


# Answers that are calls


@both_ways
def test_arguments_of_the_call_that_answers_are_looked_at(streaming: bool) -> None:
    agent = make_agent(
        [create_tool_call("final_answer", {"name": CANARY})],
        object_to("output", Verdict.replace('{"name": "fruit"}', "why")),
        output_type=dict[str, str],
        output_mode="tool",
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.result.output == {"name": "fruit"}
    assert not outcome.shows(CANARY)


@both_ways
def test_call_that_answers_is_sent_back(streaming: bool) -> None:
    agent = make_agent(
        [
            create_tool_call("final_answer", {"name": "pear"}),
            create_tool_call("final_answer", {"name": "apple"}),
        ],
        object_to("output", Verdict.retry("no pears"), what="pear"),
        output_type=dict[str, str],
        output_mode="tool",
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.result.output == {"name": "apple"}
    assert outcome.tool_messages[0] == ToolMessage(
        "call-1", "final_answer", "Error: not carried out: no pears", "denied"
    )


@both_ways
def test_call_that_answers_is_blocked(streaming: bool) -> None:
    agent = make_agent(
        [create_tool_call("final_answer", {"name": CANARY})],
        object_to("output", Verdict.block("no")),
        output_type=dict[str, str],
        output_mode="tool",
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.error.stage == "output"
    assert not outcome.shows(CANARY)


def test_text_and_call_of_an_answer_are_both_looked_at() -> None:
    seen: list[str] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append(text)
        return Verdict.allow()

    agent = make_agent(
        [AssistantMessage("Here:", (ToolCall("1", "final_answer", '{"name": "fruit"}'),))],
        guard("output", check),
        output_type=dict[str, str],
        output_mode="tool",
    )

    go(agent)

    assert seen == ["Here:", '{"name": "fruit"}']


@pytest.mark.parametrize("output_mode", ["native", "prompt"])
def test_structured_answer_is_looked_at_before_it_is_parsed(output_mode: Any) -> None:
    agent = make_agent(
        [f'{{"name": "{CANARY}"}}'],
        object_to("output", Verdict.replace('{"name": "fruit"}', "why")),
        output_type=dict[str, str],
        output_mode=output_mode,
    )

    outcome = go(agent)

    assert outcome.result.output == {"name": "fruit"}
    assert not outcome.shows(CANARY)


# What is kept


def test_blocked_prompt_shows_nowhere() -> None:
    outcome = go(make_agent(["never"], object_to("input", Verdict.block("no"))), CANARY)

    assert outcome.get(RunStarted)[0].prompt == WITHHELD
    assert not outcome.shows(CANARY)


@pytest.mark.parametrize("stage", ["input", "output"])
def test_blocked_run_adds_nothing_to_its_session(stage: GuardrailStage) -> None:
    store, scope = InMemoryStore(), MemoryScope("acme", "ada")
    agent = make_agent(["done"], guard(stage, Verdict.block("no")))

    outcome = go(agent, session=Session(store, scope))

    assert outcome.error.stage == stage
    assert asyncio.run(store.load(scope)) == ()


def test_session_keeps_what_guardrails_left() -> None:
    store, scope = InMemoryStore(), MemoryScope("acme", "ada")
    agent = make_agent(
        [f"{CANARY}!"],
        object_to("input", Verdict.replace("a prompt", "why")),
        object_to("output", Verdict.replace("an answer", "why")),
    )

    go(agent, CANARY, session=Session(store, scope))

    assert asyncio.run(store.load(scope)) == (
        UserMessage("a prompt"),
        AssistantMessage("an answer"),
    )


def test_agent_that_runs_as_a_tool_has_its_own_guardrails() -> None:
    inner = make_agent([CANARY], object_to("output", Verdict.block("no")))
    outer: Agent[Any, str] = Agent(
        name="outer",
        model=FunctionModel(
            lambda request: (
                "done"
                if isinstance(request.messages[-1], ToolMessage)
                else create_tool_call("clerk", {"prompt": "Go."})
            )
        ),
        tools=[inner.as_tool()],
    )

    outcome = go(outer)

    assert outcome.tool_messages[0].outcome == "error"
    assert "blocked the answer: no" in outcome.tool_messages[0].content
    assert not outcome.shows(CANARY)


def test_events_of_a_guardrail_come_before_what_it_let_pass() -> None:
    everything = Guardrail("all", frozenset(STAGES), lambda text, context: Verdict.allow())
    agent = make_agent(
        [create_tool_call("look", {}), "done"], everything, tools=[create_test_tool("look")]
    )

    outcome = go(agent)

    told = outcome.get(ToolStarted, GuardrailChecked, ToolFinished, ModelAnswered)
    assert [getattr(event, "stage", type(event).__name__) for event in told] == [
        "input",
        "tool_call",
        "ModelAnswered",
        "ToolStarted",
        "tool_result",
        "ToolFinished",
        "output",
        "ModelAnswered",
    ]


@pytest.mark.parametrize(
    "verdict", [Verdict.block("no"), Verdict.replace('{"text": "x"}', "why"), Verdict.retry("no")]
)
def test_arguments_that_a_guardrail_objects_to_are_on_no_record(verdict: Verdict) -> None:
    calls: list[str] = []
    several = (
        create_tool_call("look", {"text": "fine"}, call_id="1"),
        create_tool_call("look", {"text": CANARY}, call_id="2"),
        create_tool_call("look", {"text": f"{CANARY} again"}, call_id="3"),
    )
    agent = make_agent(
        [AssistantMessage("", several), "done"],
        object_to("tool_call", verdict),
        tools=[create_test_tool("look", calls=calls)],
    )

    assert not go(agent).shows(CANARY)
    assert CANARY not in repr(calls)


def test_arguments_that_a_guardrail_replaces_are_those_on_record() -> None:
    agent = make_agent(
        [create_tool_call("look", {"text": CANARY}), "done"],
        object_to("tool_call", Verdict.replace('{"text": "x"}', "why")),
        tools=[create_test_tool("look")],
    )

    outcome = go(agent)

    [started] = outcome.get(ToolStarted)
    assert started.call.arguments == '{"text": "x"}'
    assert outcome.tool_messages[0].content == "x"
