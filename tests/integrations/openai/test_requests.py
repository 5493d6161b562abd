"""What the client sends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    ModelRequest,
    OutputSchema,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from agent_factory.integrations.openai.schemas import make_strict
from tests.integrations.openai.server import Answer, chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))


def sent(request: ModelRequest, *, stream: bool = False, **options: Any) -> dict[str, Any]:
    """Return the body that reaches the server."""

    async def call() -> dict[str, Any]:
        answer: Answer = reply(completion())
        if stream:
            answer = events(chunk("Hi", finish_reason="stop"))
        async with serving(answer) as server, server.model(**options) as model:
            if stream:
                _ = [item async for item in model.stream(request)]
            else:
                await model.respond(request)
            return server.bodies[0]

    return asyncio.run(call())


def sent_headers(**options: Any) -> dict[str, str]:
    """Return the headers that reach the server."""

    async def call() -> dict[str, str]:
        async with serving(reply(completion())) as server, server.model(**options) as model:
            await model.respond(ASK)
            return dict(server.headers[0])

    return asyncio.run(call())


def test_a_plain_request_has_a_model_and_messages_and_nothing_else() -> None:
    assert sent(ASK) == {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def test_every_kind_of_message_is_written_as_the_protocol_has_it() -> None:
    call = ToolCall("call_1", "add", '{"a": 1}')
    bare = ToolCall("call_2", "now", "")
    request = ModelRequest(
        (
            SystemMessage("Be brief."),
            UserMessage("Grüße 🎉"),
            AssistantMessage("", (call, bare)),
            ToolMessage("call_1", "add", "3"),
            ToolMessage("call_2", "now", "Error: no clock", outcome="error"),
            AssistantMessage(""),
            UserMessage("Well?"),
        )
    )
    assert sent(request)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Grüße 🎉"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a": 1}'},
                },
                {
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "now", "arguments": "{}"},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: no clock"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Well?"},
    ]


def test_tools_are_described_with_their_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    request = ModelRequest(ASK.messages, (ToolSpec("add", "Adds.", schema),))
    assert sent(request)["tools"] == [
        {
            "type": "function",
            "function": {"name": "add", "description": "Adds.", "parameters": schema},
        }
    ]


def test_a_shape_that_strict_mode_knows_is_asked_for_strictly() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "size": {"type": "integer", "default": 1}},
        "required": ["city"],
    }
    body = sent(ModelRequest(ASK.messages, output=OutputSchema("place", schema)))
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "place",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "size": {"type": "integer"}},
                "required": ["city", "size"],
                "additionalProperties": False,
            },
        },
    }


def test_a_shape_that_strict_mode_does_not_know_is_sent_as_it_is() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    body = sent(ModelRequest(ASK.messages, output=OutputSchema("counts", schema)))
    assert body["response_format"]["json_schema"] == {
        "name": "counts",
        "strict": False,
        "schema": schema,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]},
        {"type": "object"},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}},
        {"type": "object", "properties": {"a": {"type": "string", "format": "uri"}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
        {"type": "object", "properties": {"a": True}},
    ],
)
def test_shapes_that_strict_mode_does_not_know(schema: dict[str, Any]) -> None:
    assert make_strict(schema) is None


def test_strict_shapes_are_closed_all_the_way_down() -> None:
    point = {"type": "object", "properties": {"x": {"type": "number"}}}
    closed = {**point, "required": ["x"], "additionalProperties": False}
    schema = {
        "$defs": {"Point": point},
        "type": "object",
        "properties": {
            "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}},
            "first": {"$ref": "#/$defs/Point", "description": "The first one."},
            "last": {"anyOf": [point, {"type": "null"}], "default": None},
        },
    }
    assert make_strict(schema) == {
        "$defs": {"Point": closed},
        "type": "object",
        "properties": {
            "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}},
            "first": {"$ref": "#/$defs/Point"},
            "last": {"anyOf": [closed, {"type": "null"}]},
        },
        "required": ["points", "first", "last"],
        "additionalProperties": False,
    }


def test_a_stream_asks_for_usage() -> None:
    body = sent(ASK, stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_further_fields_are_sent_along() -> None:
    body = sent(ASK, extra_body={"temperature": 0, "seed": 1})
    assert (body["temperature"], body["seed"]) == (0, 1)


def test_half_a_surrogate_pair_is_sent_as_a_question_mark() -> None:
    assert sent(ModelRequest((UserMessage("a\udc80b"),)))["messages"][0]["content"] == "a?b"


def test_the_key_is_a_bearer_token() -> None:
    assert sent_headers(api_key="sk-1")["Authorization"] == "Bearer sk-1"


def test_without_a_key_there_is_no_authorization_header() -> None:
    assert "Authorization" not in sent_headers(api_key=None)


def test_further_headers_win_over_the_clients_own() -> None:
    headers = sent_headers(headers={"Authorization": "Basic abc", "X-Team": "docs"})
    assert (headers["Authorization"], headers["X-Team"]) == ("Basic abc", "docs")
