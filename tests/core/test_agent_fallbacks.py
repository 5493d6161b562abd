from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    FallbackModel,
    LimitExceededError,
    Limits,
    ModelAnswered,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequestError,
    ModelRetried,
    ModelServerError,
    RunEvent,
    RunFailed,
    RunFinished,
    TextDelta,
    TextReceived,
)
from agent_factory.core.testing import ScriptedModel, ScriptedStream, create_tool_call
from tests.utils import create_test_tool


def collect(agent: Agent[Any, Any]) -> list[RunEvent[Any]]:
    events: list[RunEvent[Any]] = []

    async def main() -> None:
        async for event in agent.stream("Hi."):
            events.append(event)

    asyncio.run(main())
    return events


def create_agent(first: Any, *others: Any, **given: Any) -> Agent[Any, Any]:
    models = [
        ScriptedModel(answers, name=f"m{number}")
        for number, answers in enumerate((first, *others), 1)
    ]
    return Agent(name="a", model=models[0], fallbacks=models[1:], **given)


def test_agent_without_fallbacks_has_its_model_as_it_is() -> None:
    model = ScriptedModel([])

    assert Agent(name="a", model=model).model is model
    assert Agent(name="a", model=model, fallbacks=()).model is model


def test_model_of_an_agent_with_fallbacks_has_all_of_them() -> None:
    agent = create_agent([], [], [])

    assert isinstance(agent.model, FallbackModel)
    assert agent.model.name == "fallback(m1, m2, m3)"


def test_next_model_answers_where_the_one_before_fails() -> None:
    agent = create_agent(
        [ModelServerError("down", model="m1")],
        [ModelAuthenticationError("no", model="m2")],
        ["Hi!"],
    )

    assert agent.run_sync("Hi.").output == "Hi!"


def test_event_tells_which_model_failed_why_and_who_is_asked_instead() -> None:
    events = collect(create_agent([ModelRateLimitError("slow down", model="m1")], ["Hi!"]))

    (retried,) = [item for item in events if isinstance(item, ModelRetried)]
    assert (retried.model, retried.next_model, retried.reason) == ("m1", "m2", "slow down")
    assert isinstance(events[-1], RunFinished)


def test_each_request_begins_with_the_preferred_model_again() -> None:
    agent = create_agent(
        [ModelServerError("down", model="m1"), "back"],
        [create_tool_call("look", {})],
        tools=[create_test_tool("look")],
    )

    assert agent.run_sync("Hi.").output == "back"


def test_attempt_that_the_server_refused_does_not_count() -> None:
    agent = create_agent(
        [ModelServerError("down", model="m1", status=503)], ["Hi!"], limits=Limits(max_requests=1)
    )

    assert agent.run_sync("Hi.").usage.requests == 1


def test_attempt_that_may_have_to_be_paid_for_counts_as_a_request_of_its_own() -> None:
    cut = ModelConnectionError("cut midway", model="m1")

    assert create_agent([cut], ["Hi!"]).run_sync("Hi.").usage.requests == 2
    with pytest.raises(LimitExceededError, match="max_requests = 1"):
        create_agent([cut], ["Hi!"], limits=Limits(max_requests=1)).run_sync("Hi.")


def test_error_of_the_last_model_lists_all_that_failed() -> None:
    agent = create_agent(
        [ModelConnectionError("gone", model="m1")], [ModelServerError("down", model="m2")]
    )

    with pytest.raises(ModelServerError, match="down") as caught:
        agent.run_sync("Hi.")
    assert caught.value.details["failed"] == [
        {"model": "m1", "code": "model_connection"},
        {"model": "m2", "code": "model_server"},
    ]


def test_wrong_request_is_not_sent_to_another_model() -> None:
    agent = create_agent([ModelRequestError("bad schema", model="m1")], ["never"])

    with pytest.raises(ModelRequestError, match="bad schema"):
        agent.run_sync("Hi.")


def test_no_other_model_is_asked_after_a_piece_was_given_out() -> None:
    broken = ScriptedStream(
        [TextDelta("Half an ")], error=ModelConnectionError("reset", model="m1")
    )
    agent = create_agent([broken], ["another answer"])
    events: list[RunEvent[Any]] = []

    async def main() -> None:
        async for event in agent.stream("Hi."):
            events.append(event)

    with pytest.raises(ModelConnectionError):
        asyncio.run(main())
    assert [item.text for item in events if isinstance(item, TextReceived)] == ["Half an "]
    assert isinstance(events[-1], RunFailed)


def test_stream_that_fails_before_its_first_piece_is_asked_of_the_next_model() -> None:
    events = collect(create_agent([ModelConnectionError("reset", model="m1")], ["Hi you!"]))

    assert "".join(item.text for item in events if isinstance(item, TextReceived)) == "Hi you!"
    (answered,) = [item for item in events if isinstance(item, ModelAnswered)]
    assert answered.model == "m2"


def test_structured_answer_of_the_next_model_is_validated_as_well() -> None:
    agent = create_agent(
        [ModelServerError("down", model="m1")] * 2, ["x", '{"value": 7}'], output_type=int
    )

    assert agent.run_sync("Hi.").output == 7


def test_fallbacks_are_those_of_the_agent_that_goes_on_after_a_handoff() -> None:
    other = Agent(
        name="other",
        model=ScriptedModel([ModelServerError("down", model="m")]),
        fallbacks=[ScriptedModel(["Hi!"])],
    )
    agent = Agent(
        name="desk",
        model=ScriptedModel([create_tool_call("transfer_to_other", {})]),
        handoffs=[other],
    )

    assert agent.run_sync("Hi.").output == "Hi!"
