"""Answers that are none, and what records show of answers that guardrails looked at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    Guardrail,
    GuardrailContext,
    GuardrailError,
    Limits,
    Message,
    ModelAnswered,
    ModelError,
    ModelRequest,
    ModelResponse,
    ModelResponseError,
    OutputError,
    Reasoning,
    ReasoningReceived,
    RunOptions,
    ToolCall,
    Usage,
    UserMessage,
    Verdict,
)
from agent_factory.core.guardrails import judge
from agent_factory.core.records import rebuild_run
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.core.guarded_runs import CANARY, go, guard, make_agent, object_to
from tests.utils import create_test_agent, create_test_tool

THOUGHT = (Reasoning("I think", '{"id": 1}', "someone"),)
THINKING = AssistantMessage("aside", (), THOUGHT)
ALLOW: Guardrail[object] = Guardrail(
    "allow", frozenset({"output"}), lambda text, _: Verdict.allow()
)


@pytest.mark.parametrize("text", ["", " \n"])
def test_empty_answer_is_sent_back(text: str) -> None:
    agent = create_test_agent([text, "done"])

    result = agent.run_sync("Hi.")

    assert result.output == "done"
    assert result.messages[-2] == UserMessage("the answer is empty. Answer again.")


def test_answer_that_stays_empty_is_an_error() -> None:
    agent = create_test_agent([""], limits=Limits(max_output_retries=0))

    with pytest.raises(OutputError, match="empty"):
        agent.run_sync("Hi.")


@pytest.mark.parametrize("reason", ["tool_calls", "tired"])
def test_answer_that_contradicts_its_end_is_refused(reason: Any) -> None:
    agent = create_test_agent([ModelResponse(AssistantMessage("half"), finish_reason=reason)])

    with pytest.raises(ModelResponseError, match=reason):
        agent.run_sync("Hi.")


def test_calls_that_cannot_be_told_apart_are_refused_before_guardrails_send_the_model_back() -> (
    None
):
    twins = AssistantMessage(CANARY, (create_tool_call("echo", {}), create_tool_call("echo", {})))
    events: list[Any] = []
    agent = make_agent(
        [twins, "done"],
        object_to("output", Verdict.retry("no")),
        tools=[create_test_tool("echo")],
    )

    with pytest.raises(ModelResponseError, match="under one id"):
        agent.run_sync("Hi.", options=RunOptions(observers=(events.append,)))
    assert CANARY not in repr(events)


@pytest.mark.parametrize("before", [(), (ALLOW,)])
@pytest.mark.parametrize("after", [(), (ALLOW,)])
def test_run_with_thoughts_is_rebuilt_whichever_agent_is_looked_at(
    before: tuple[Guardrail[object], ...], after: tuple[Guardrail[object], ...]
) -> None:
    other: Agent[None, str] = Agent(
        name="other",
        model=ScriptedModel([AssistantMessage("done", (), THOUGHT)]),
        guardrails=after,
    )
    call = create_tool_call("transfer_to_other", {})
    first = Agent(
        name="first",
        model=ScriptedModel([AssistantMessage("", (call,), THOUGHT)]),
        handoffs=[other],
        guardrails=before,
    )
    events: list[Any] = []
    earlier: list[Message] = [UserMessage("Hello."), AssistantMessage("Yes?", (), THOUGHT)]

    result = first.run_sync("Hi.", history=earlier, options=RunOptions(observers=(events.append,)))

    assert rebuild_run(events).messages == result.messages
    assert earlier[1] in result.messages


def test_thoughts_still_reach_the_model_that_had_them() -> None:
    agent = make_agent(
        [AssistantMessage("", (create_tool_call("echo", {}),), THOUGHT), "done"],
        ALLOW,
        tools=[create_test_tool("echo")],
    )

    agent.run_sync("Hi.")

    model: Any = agent.model
    assert model.requests[1].messages[-2].reasoning == THOUGHT


def test_words_of_a_judge_are_on_no_record() -> None:
    secret = "sk-proj-0123456789abcdefghijklmnop"
    said = f'{{"verdict": "fail", "reason": "it has {secret}"}}'
    agent = make_agent(
        [secret], judge(ScriptedModel([said]), criteria="No names.", stages=["output"])
    )

    outcome = go(agent)

    aside = [event for event in outcome.events if isinstance(event, ModelAnswered) and event.aside]
    assert len(aside) == 1
    assert secret not in repr(outcome.events)


def test_judge_counts_towards_the_limits_of_the_run() -> None:
    verdict = '{"verdict": "pass", "reason": "fine"}'
    agent = make_agent(
        ["done"], judge(ScriptedModel([verdict]), criteria="Anything.", stages=["output"])
    )

    assert agent.run_sync("Hi.").usage.requests == 2


def test_model_is_not_asked_once_a_guardrail_beside_it_has_objected() -> None:
    asked: list[ModelRequest] = []

    async def slow_instructions(_: object) -> str:
        await asyncio.sleep(0.05)
        return "Be kind."

    def answer(request: ModelRequest) -> str:
        asked.append(request)
        return "done"

    def check(text: str, context: GuardrailContext) -> Verdict:
        return Verdict.block("no")

    class Policy:
        """Takes its time, so that the verdict is there before the model would be asked."""

        async def select(self, messages: Any, context: Any) -> Any:
            await asyncio.sleep(0.05)
            return messages

    agent = Agent(
        name="clerk",
        model=FunctionModel(answer),
        instructions=slow_instructions,
        memory=Policy(),
        guardrails=[guard("input", check, mode="parallel")],
    )

    with pytest.raises(GuardrailError):
        agent.run_sync("Hi.")
    assert asked == []


def test_answers_are_numbered_as_the_requests_for_them() -> None:
    outcome = go(
        make_agent([create_tool_call("look", {}), "done"], tools=[create_test_tool("look")])
    )

    told = [event for event in outcome.events if isinstance(event, ModelAnswered)]
    assert [event.attempt for event in told] == [1, 2]


def test_thoughts_of_a_summary_change_no_other_message() -> None:
    class Summariser:
        """Asks a model that thinks, before each request, and keeps nothing of its answer."""

        async def select(self, messages: Any, context: Any) -> Any:
            for _ in range(3):
                await context.ask(FunctionModel(lambda request: THINKING), messages[:1])
            return messages

    calls = [AssistantMessage("", (create_tool_call("echo", {"text": str(n)}),)) for n in range(9)]
    agent = make_agent(
        [*calls, "done"], ALLOW, tools=[create_test_tool("echo")], memory=Summariser(),
        limits=Limits(max_requests=100),
    )  # fmt: skip

    outcome = go(agent)

    assert rebuild_run(outcome.events).messages == outcome.result.messages
    assert all("aside" not in getattr(item, "text", "") for item in outcome.result.messages)


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("streaming", [True, False])
def test_thoughts_are_not_given_out_beside_guardrails_of_answers(
    hold: bool, streaming: bool
) -> None:
    agent = make_agent([AssistantMessage("done", (), THOUGHT)], replace(ALLOW, hold=hold))

    assert not go(agent, streaming=streaming).get(ReasoningReceived)


def test_refusal_with_twins_does_not_say_what_nobody_looked_at() -> None:
    twins = AssistantMessage(CANARY, (create_tool_call("echo", {}), create_tool_call("echo", {})))
    refused = ModelResponse(twins, finish_reason="refusal")
    agent = make_agent(
        [refused], object_to("output", Verdict.block("no")), tools=[create_test_tool("echo")]
    )

    assert not go(agent).shows(CANARY)


def test_what_a_judge_says_when_it_refuses_is_not_repeated() -> None:
    refusal = ModelResponse(AssistantMessage(f"I will not judge {CANARY}"), finish_reason="refusal")
    agent = make_agent(
        [CANARY], judge(ScriptedModel([refusal]), criteria="Nice.", stages=["output"])
    )

    assert not go(agent).shows(CANARY)


@pytest.mark.parametrize(
    "response",
    [
        None,
        "text",
        ModelResponse(AssistantMessage(None)),  # type: ignore[arg-type]
        ModelResponse(AssistantMessage("x", None)),  # type: ignore[arg-type]
        ModelResponse(AssistantMessage("x", ({"id": "1"},))),  # type: ignore[arg-type]
        ModelResponse(AssistantMessage("x", (ToolCall([], "echo", "{}"),))),  # type: ignore[arg-type]
        ModelResponse(AssistantMessage("x"), Usage(1, "3")),  # type: ignore[arg-type]
    ],
)
def test_response_of_another_shape_is_the_adapters_mistake(response: Any) -> None:
    class Wrong(FunctionModel):
        async def respond(self, request: ModelRequest) -> ModelResponse:
            given: ModelResponse = response
            return given

    agent = create_test_agent(model=Wrong(lambda request: ""))

    with pytest.raises(ModelError, match="its adapter has to"):
        agent.run_sync("Hi.")
