"""That a run writes each message once, and that what it wrote is what it would write anew."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    AssistantMessage,
    Message,
    ModelRequest,
    OutputSchema,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from agent_factory.integrations.openai import OpenAIModel, OpenAIResponsesModel
from agent_factory.integrations.openai.base import ServerModel
from tests.integrations.openai.clients import KINDS, Kind, connected
from tests.integrations.openai.server import completion, message, reply, response, serving

ADD = ToolSpec("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}})
SUM = OutputSchema("sum", {"type": "object", "properties": {"sum": {"type": "integer"}}})
MESSAGES: tuple[Message, ...] = (
    SystemMessage("Be brief."),
    UserMessage("Grüße"),
    AssistantMessage("Wait.", (ToolCall("x", "add", "{}"),)),
    ToolMessage("x", "add", "3"),
    UserMessage("Well?"),
)


class Counted(dict[str, Any]):
    """A schema that counts how often it is written."""

    written = 0

    def items(self) -> Any:
        """Count, and go on as ever."""
        Counted.written += 1
        return super().items()


def bodies(kind: Kind, *requests: ModelRequest) -> list[dict[str, Any]]:
    """Return what reaches the server."""

    async def call() -> list[dict[str, Any]]:
        answer = reply(response(message("Hi")) if kind == "responses" else completion("Hi"))
        async with serving(answer) as server, connected(kind, server) as model:
            for request in requests:
                await model.respond(request)
            return server.bodies

    return asyncio.run(call())


@pytest.mark.parametrize("kind", KINDS)
def test_a_conversation_that_grows_is_written_as_if_it_were_new(kind: Kind) -> None:
    memo: dict[Any, Any] = {}
    lengths = [1, 2, 4, 4, 5]
    grown = [ModelRequest(MESSAGES[:length], memo=memo) for length in lengths]
    fresh = [ModelRequest(MESSAGES[:length]) for length in lengths]
    assert bodies(kind, *grown) == bodies(kind, *fresh)


@given(st.lists(st.lists(st.sampled_from(MESSAGES[:2] + MESSAGES[4:]), min_size=1), min_size=1))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("kind", [OpenAIModel, OpenAIResponsesModel])
def test_whatever_a_run_does_to_its_conversation_each_request_is_as_if_it_were_new(
    kind: type[ServerModel], conversations: list[list[Message]]
) -> None:
    model = kind("tiny", api_key=None)
    memo: dict[Any, Any] = {}
    for messages in conversations:
        asked = ModelRequest(tuple(messages), memo=memo)
        anew = ModelRequest(tuple(messages))
        key = (kind, model)
        assert model._writer.write(asked, key, streaming=False) == model._writer.write(
            anew, key, streaming=False
        )


@pytest.mark.parametrize("kind", KINDS)
def test_the_tools_and_the_shape_are_those_of_each_request(kind: Kind) -> None:
    memo: dict[Any, Any] = {}
    asked = [
        ModelRequest(MESSAGES, (ADD,), memo=memo),
        ModelRequest(MESSAGES, memo=memo),
        ModelRequest(MESSAGES, (), SUM, memo=memo),
        ModelRequest(MESSAGES, (ADD,), SUM, memo=memo, max_output_tokens=5),
    ]
    got = bodies(kind, *asked)
    shape = "text" if kind == "responses" else "response_format"
    assert ["tools" in body for body in got] == [True, False, False, True]
    assert [shape in body for body in got] == [False, False, True, True]


def test_tools_are_written_once_for_all_runs() -> None:
    Counted.written = 0
    tools = (ToolSpec("add", "Adds.", Counted(type="object")),)
    bodies("chat", *(ModelRequest(MESSAGES, tools) for _ in range(5)))
    assert Counted.written <= 1


def test_many_sets_of_tools_are_not_kept_for_ever() -> None:
    model = OpenAIModel("tiny", api_key=None)
    for number in range(200):
        request = ModelRequest(MESSAGES, (ToolSpec(f"tool_{number}", "", {"type": "object"}),))
        body = model._writer.write(request, (OpenAIModel, model), streaming=False)
        assert f'"tool_{number}"'.encode() in body
    assert len(model._writer._fields) < 100


def test_two_models_in_one_run_do_not_share_what_they_wrote() -> None:
    async def call() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        memo: dict[Any, Any] = {}
        request = ModelRequest(MESSAGES, memo=memo)
        chat, responses = reply(completion("Hi")), reply(response(message("Hi")))
        async with serving(chat) as one, serving(responses) as two:
            async with one.model() as first, two.responses_model() as second:
                await first.respond(request)
                await second.respond(request)
            return one.bodies, two.bodies

    one, two = asyncio.run(call())
    assert one == bodies("chat", ModelRequest(MESSAGES))
    assert two == bodies("responses", ModelRequest(MESSAGES))


@pytest.mark.parametrize("kind", KINDS)
def test_seed_of_a_request_reaches_servers_that_take_one(kind: Kind) -> None:
    [body] = bodies(kind, ModelRequest((UserMessage("Hi"),), seed=7))

    assert body.get("seed") == (None if kind == "responses" else 7)
