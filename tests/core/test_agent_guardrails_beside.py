from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    Guardrail,
    GuardrailContext,
    ModelAnswered,
    ModelConnectionError,
    ModelResponse,
    Reasoning,
    TextDelta,
    TextReceived,
    ToolCall,
    Verdict,
)
from agent_factory.core.testing import (
    ScriptedModel,
    ScriptedStream,
    create_tool_call,
    run_virtual,
)
from tests.core.guarded_runs import (
    CANARY,
    both_ways,
    go,
    guard,
    make_agent,
)
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from agent_factory.core import (
        ModelRequest,
    )


async def raise_later(text: str, context: GuardrailContext[Any]) -> Verdict:
    await asyncio.sleep(1)
    raise ValueError(f"cannot read {text!r}")


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


# Inputs that are looked at while the model answers


class WaitingModel:
    """A model that never answers, and records that it was cancelled."""

    name = "waiting"

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def respond(self, request: ModelRequest) -> ModelResponse:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append("cancelled")
        raise AssertionError

    async def stream(self, request: ModelRequest) -> Any:
        yield TextDelta("Once ")
        await self.respond(request)


def watch(verdict: Verdict, *, after: float = 5) -> Guardrail[Any]:
    """Return a guardrail that looks for some time beside the model."""

    async def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        await asyncio.sleep(after)
        return verdict

    return guard("input", check, "watch", mode="parallel")


@both_ways
def test_model_call_is_cancelled_when_a_guardrail_beside_it_blocks(streaming: bool) -> None:
    model = WaitingModel()
    agent = make_agent(model, watch(Verdict.block("no")))

    outcome = go(agent, streaming=streaming)

    assert "blocked the prompt: no" in outcome.error.message
    assert model.ended == ["cancelled"]
    assert outcome.get(TextReceived, ModelAnswered) == []


@both_ways
@pytest.mark.parametrize("verdict", [Verdict.block("no"), Verdict.retry("no")])
def test_answer_that_is_there_before_the_guardrail_blocks_is_not_given_out(
    verdict: Verdict, streaming: bool
) -> None:
    calls: list[str] = []
    agent = make_agent(
        [
            AssistantMessage(f"{CANARY}!", (ToolCall("1", "look", ""),), (Reasoning(CANARY),)),
            "done",
        ],
        watch(verdict),
        tools=[create_test_tool("look", calls=calls)],
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.error.guardrail == "watch"
    assert calls == []
    assert not outcome.shows(CANARY)


@both_ways
def test_nothing_is_given_out_and_no_tool_runs_before_the_verdict(streaming: bool) -> None:
    model = ScriptedModel(
        [
            AssistantMessage("Let me look.", (ToolCall("1", "look", ""),), (Reasoning("Hm."),)),
            "done",
        ]
    )
    agent = make_agent(model, watch(Verdict.allow()), tools=[create_test_tool("look")])

    outcome = go(agent, streaming=streaming)

    assert [type(event).__name__ for event in outcome.events[:7]] == [
        "RunStarted",
        "ModelRequested",
        "GuardrailChecked",
        "ReasoningReceived",
        "TextReceived",
        "ModelAnswered",
        "ToolStarted",
    ]
    assert outcome.result.output == "done"


def test_later_answers_stream_again() -> None:
    agent = make_agent(
        [create_tool_call("look", {}), ScriptedStream([TextDelta("do"), TextDelta("ne")])],
        watch(Verdict.allow()),
        tools=[create_test_tool("look")],
    )

    assert [event.text for event in go(agent, streaming=True).get(TextReceived)] == ["do", "ne"]


def test_prompt_that_the_model_has_already_cannot_be_replaced() -> None:
    agent = make_agent([f"{CANARY}!"], watch(Verdict.replace("other", "why")))

    outcome = go(agent)

    assert "declare it with mode='before'" in outcome.error.message
    assert (outcome.error.guardrail, outcome.error.stage) == ("watch", "input")
    assert not outcome.shows(CANARY)


@pytest.mark.parametrize(
    "check", [raise_later, never, never_mind, lambda text, context: None], ids=range(4)
)
def test_guardrail_beside_the_model_without_a_verdict_lets_nothing_pass(check: Any) -> None:
    agent = make_agent([f"{CANARY}!"], guard("input", check, mode="parallel", timeout=2))

    outcome = go(agent)

    assert outcome.error.stage == "input"
    assert not outcome.shows(CANARY)


def test_run_whose_model_fails_does_not_wait_for_the_guardrail_beside_it() -> None:
    ended: list[str] = []

    async def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")
        raise AssertionError

    error = ModelConnectionError("no answer", model="m")
    agent = make_agent([error], guard("input", check, mode="parallel"))

    outcome = go(agent)

    assert outcome.failure is error
    assert ended == ["cancelled"]


def test_guardrails_beside_the_model_look_at_what_those_before_left() -> None:
    seen: list[tuple[str, str]] = []

    def check(text: str, context: GuardrailContext[Any]) -> Verdict:
        seen.append((text, context.prompt))
        return Verdict.allow()

    agent = make_agent(
        ["done"],
        guard("input", check, "beside", mode="parallel"),
        guard("input", Verdict.replace("other", "why")),
    )

    go(agent, CANARY)

    assert seen == [("other", "other")]


def test_cancelling_a_run_cancels_the_guardrail_beside_the_model() -> None:
    ended: list[str] = []

    async def main() -> list[str]:
        began = asyncio.Event()

        async def check(text: str, context: GuardrailContext[Any]) -> Verdict:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")
            raise AssertionError

        agent = make_agent(WaitingModel(), guard("input", check, mode="parallel"))
        run = asyncio.create_task(agent.run("Hi."))
        await began.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        return list(ended)

    assert run_virtual(main()) == ["cancelled"]
