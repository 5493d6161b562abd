"""What the server refuses, and how it says so, as the official client sees it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest

from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.testing import (
    ErrorAnswer,
    OpenAIServer,
    ReceivedRequest,
    ServerAnswer,
)
from tests.integrations.testing.clients import PARAMETERS, TOOL, USER, sdk

CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "3"}
LOOSE = {"type": "object", "properties": {"name": {"type": "string"}}}


def refused(
    messages: Any = (USER,), server_options: Any = None, client_options: Any = None, **fields: Any
) -> openai.APIStatusError:
    """Return the error that a request ends with; it must have used up no answer."""

    async def run() -> openai.APIStatusError:
        server = OpenAIServer(["unused"], unix=True, **(server_options or {}))
        async with server, sdk(server, **(client_options or {})) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(
                    **{"model": "tiny", "messages": list(messages), **fields}
                )
        assert server.requests == []
        (refusal,) = server.refusals
        assert refusal.message in caught.value.message
        return caught.value

    return asyncio.run(run())


def test_a_wrong_key_is_refused_and_not_repeated_in_full() -> None:
    error = refused(client_options={"api_key": "sk-wrong-and-secret-1234"})
    assert isinstance(error, openai.AuthenticationError)
    assert error.code == "invalid_api_key"
    assert error.type == "invalid_request_error"
    assert "secret" not in error.message
    assert "1234" in error.message


def test_a_missing_key_is_refused() -> None:
    async def run() -> int:
        async with OpenAIServer(unix=True) as server, sdk(server) as client:
            response = await client._client.get("http://server.test/v1/models")
            return int(response.status_code)

    assert asyncio.run(run()) == 401


def test_a_server_without_a_key_takes_any() -> None:
    async def run() -> str | None:
        server = OpenAIServer(["Paris."], api_key=None, unix=True)
        async with server, sdk(server, api_key="whatever") as client:
            answer = await client.chat.completions.create(model="tiny", messages=[USER])
        return answer.choices[0].message.content

    assert asyncio.run(run()) == "Paris."


def test_an_unknown_model_is_not_found() -> None:
    error = refused(model="gpt-9")
    assert isinstance(error, openai.NotFoundError)
    assert error.code == "model_not_found"
    assert "`gpt-9` does not exist" in error.message


def test_an_unknown_path_is_not_found() -> None:
    async def run() -> openai.APIStatusError:
        async with OpenAIServer(unix=True) as server, sdk(server) as client:
            with pytest.raises(openai.NotFoundError) as caught:
                await client.embeddings.create(model="tiny", input="x")
        return caught.value

    assert "Invalid URL (POST /v1/embeddings)" in asyncio.run(run()).message


def test_a_conversation_longer_than_the_model_reads_is_refused() -> None:
    error = refused([{"role": "user", "content": "word " * 100}], {"context_tokens": 50})
    assert error.code == "context_length_exceeded"
    assert "maximum context length is 50 tokens" in error.message
    with_answer = refused(server_options={"context_tokens": 50}, max_completion_tokens=50)
    assert with_answer.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("messages", "words", "param"),
    [
        ([], "Invalid 'messages': empty array", "messages"),
        ([{"role": "robot", "content": "x"}], "Invalid value: 'robot'", "messages[0].role"),
        ([{"content": "x"}], "Missing required parameter: 'messages[0].role'", "messages[0].role"),
        (
            [{"role": "user", "content": None}],
            "expected a string, got null",
            "messages.[0].content",
        ),
        (
            [{"role": "user", "content": 3}],
            "expected one of a string or array of objects, but got an integer",
            "messages[0].content",
        ),
        (
            [{"role": "user", "content": [{"type": "picture"}]}],
            "Invalid value: 'picture'",
            "messages[0].content[0].type",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}],
                }
            ],
            "Invalid 'messages[0].content[0].image_url.url'",
            "messages[0].content[0].image_url.url",
        ),
        (
            [USER, RESULT],
            "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'",
            "messages.[1].role",
        ),
        (
            [USER, CALLING, RESULT, RESULT],
            "messages with role 'tool' must be a response",
            "messages.[3].role",
        ),
        (
            [USER, CALLING, USER],
            "The following tool_call_ids did not have response messages: call_1",
            "messages.[2].role",
        ),
        ([USER, CALLING], "did not have response messages: call_1", "messages.[2].role"),
        (
            [USER, {"role": "assistant", "content": "x", "tool_calls": []}],
            "Invalid 'messages[1].tool_calls': empty array",
            "messages[1].tool_calls",
        ),
        (
            [USER, {"role": "assistant", "content": None}],
            "expected a string, got null",
            "messages.[1].content",
        ),
        (
            [USER, {"role": "assistant", "tool_calls": [{**CALL, "id": 3}]}, RESULT],
            "Invalid type for 'messages[1].tool_calls[0].id'",
            "messages[1].tool_calls[0].id",
        ),
        (
            [{"role": "function", "name": "add", "content": "3"}],
            "role 'function' are no longer supported",
            "messages.[0].role",
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 3}}]}],
            "expected a string, but got an integer",
            "messages[0].content[0].image_url.url",
        ),
        (
            [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
            "Invalid value: 'input_audio'",
            "messages[0].content[0].type",
        ),
        (["Hi"], "expected an object, but got a string", "messages[0]"),
        (
            [USER, CALLING, {"role": "tool", "content": "3"}],
            "Missing required parameter: 'messages[2].tool_call_id'",
            "messages[2].tool_call_id",
        ),
    ],
)
def test_messages_that_break_the_rules_are_refused(messages: Any, words: str, param: str) -> None:
    error = refused(messages)
    assert isinstance(error, openai.BadRequestError)
    assert words in error.message
    assert error.param == param


@pytest.mark.parametrize(
    ("fields", "words", "param"),
    [
        ({"temperature": 3}, "Expected a value <= 2, but got 3 instead", "temperature"),
        ({"top_p": -1}, "Expected a value >= 0, but got -1", "top_p"),
        ({"n": "two"}, "expected an integer, but got a string", "n"),
        ({"stream": "yes"}, "expected a boolean, but got a string", "stream"),
        (
            {"stream_options": {"include_usage": True}},
            "only allowed when 'stream' is enabled",
            "stream_options",
        ),
        ({"top_logprobs": 2}, "only allowed when 'logprobs' is enabled", "top_logprobs"),
        ({"max_tokens": 0}, "Expected a value >= 1, but got 0", "max_tokens"),
        (
            {"max_tokens": 5, "max_completion_tokens": 5},
            "at the same time is not supported",
            "max_tokens",
        ),
        ({"model": ""}, "you must provide a model parameter", None),
        ({"temperature": "hot"}, "expected a decimal, but got a string", "temperature"),
        ({"tools": {}}, "expected an array of objects, but got an object", "tools"),
        (
            {"tools": [{"type": "function", "function": {"name": ""}}]},
            "Invalid 'tools[0].function.name': empty string",
            "tools[0].function.name",
        ),
        (
            {"tools": [TOOL], "tool_choice": "always"},
            "Supported values are: 'none', 'auto', and 'required'",
            "tool_choice",
        ),
        ({"tools": []}, "Invalid 'tools': empty array", "tools"),
        ({"tool_choice": "required"}, "only allowed when 'tools' are specified", "tool_choice"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "sub"}}},
            "Tool choice 'sub' not found",
            "tool_choice",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "string does not match pattern",
            "tools[0].function.name",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "x" * 65}}]},
            "maximum length 64, but got a string with length 65",
            "tools[0].function.name",
        ),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "add", "parameters": {"type": "string"}},
                    }
                ]
            },
            "Invalid schema for function 'add'",
            "tools[0].function.parameters",
        ),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "add", "parameters": LOOSE, "strict": True},
                    }
                ]
            },
            "'additionalProperties' is required to be supplied and to be false",
            "tools[0].function.parameters",
        ),
        ({"response_format": {"type": "xml"}}, "Invalid value: 'xml'", "response_format.type"),
        (
            {"response_format": {"type": "json_object"}},
            "must contain the word 'json'",
            "messages",
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "Missing required parameter: 'response_format.json_schema'",
            "response_format.json_schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": LOOSE}}},
            "Missing required parameter: 'response_format.json_schema.name'",
            "response_format.json_schema.name",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "city", "schema": {"type": "array"}},
                }
            },
            "Invalid schema for response_format 'city'",
            "response_format",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "city",
                        "strict": True,
                        "schema": {**LOOSE, "additionalProperties": False},
                    },
                }
            },
            "Missing 'name'",
            "response_format",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "city",
                        "strict": True,
                        "schema": {
                            "type": "object",
                            "properties": {"list": {"type": "array", "items": LOOSE}},
                            "required": ["list"],
                            "additionalProperties": False,
                        },
                    },
                }
            },
            "In context=('properties', 'list', 'items'), 'additionalProperties' is required",
            "response_format",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "city",
                        "strict": True,
                        "schema": {
                            "type": "object",
                            "properties": {"it": {"anyOf": [{"type": "null"}, LOOSE]}},
                            "required": ["it"],
                            "additionalProperties": False,
                        },
                    },
                }
            },
            "In context=('properties', 'it', 'anyOf', '1')",
            "response_format",
        ),
    ],
)
def test_settings_that_break_the_rules_are_refused(
    fields: dict[str, Any], words: str, param: str | None
) -> None:
    error = refused(**fields)
    assert isinstance(error, openai.BadRequestError)
    assert words in error.message
    assert error.param == param


def test_a_schema_that_is_not_said_to_be_strict_may_be_loose() -> None:
    async def run() -> None:
        server = OpenAIServer(["{}"], unix=True)
        async with server, sdk(server) as client:
            loose: Any = {"name": "city", "schema": LOOSE}
            await client.chat.completions.create(
                model="tiny",
                messages=[USER],
                response_format={"type": "json_schema", "json_schema": loose},
            )
        assert server.refusals == []

    asyncio.run(run())


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"messages": []}'])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    async def run() -> tuple[int, Any]:
        async with OpenAIServer(unix=True) as server, sdk(server) as client:
            response = await client._client.post(
                "http://server.test/v1/chat/completions",
                content=body,
                headers={"Authorization": "Bearer sk-test"},
            )
            return response.status_code, response.json()

    status, answer = asyncio.run(run())
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


def test_a_request_that_the_script_has_no_answer_for_is_refused_once() -> None:
    async def run() -> openai.APIStatusError:
        server = OpenAIServer([], unix=True)
        async with server, sdk(server, max_retries=3) as client:
            with pytest.raises(openai.BadRequestError) as caught:
                await client.chat.completions.create(model="tiny", messages=[USER])
        assert len(server.requests) == 1
        return caught.value

    error = asyncio.run(run())
    assert error.code == "script_ended"
    assert "no answer for request number 1" in error.message


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (ErrorAnswer(400, code="content_filter"), openai.BadRequestError, "content_filter"),
        (ErrorAnswer(403), openai.PermissionDeniedError, None),
        (ErrorAnswer(429, retry_after=1.5), openai.RateLimitError, "rate_limit_exceeded"),
        (ErrorAnswer(429, code="insufficient_quota"), openai.RateLimitError, "insufficient_quota"),
        (ErrorAnswer(500), openai.InternalServerError, None),
        (ErrorAnswer(502), openai.InternalServerError, None),
        (ErrorAnswer(503), openai.InternalServerError, None),
        (ErrorAnswer(418, "I am a teapot."), openai.APIStatusError, None),
    ],
)
def test_a_script_may_hold_errors(
    answer: ErrorAnswer, kind: type[openai.APIStatusError], code: str | None
) -> None:
    async def run() -> openai.APIStatusError:
        async with OpenAIServer([answer], unix=True) as server, sdk(server) as client:
            with pytest.raises(kind) as caught:
                await client.chat.completions.create(model="tiny", messages=[USER])
        return caught.value

    error = asyncio.run(run())
    assert (error.status_code, error.code) == (answer.status, code)
    if answer.status == 502:
        assert "502 Bad Gateway" in error.response.text
    elif answer.status == 429 and code != "insufficient_quota":
        assert error.response.headers["retry-after-ms"] == "1500"
        assert error.response.headers["retry-after"] == "2"
        assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    else:
        assert json.loads(error.response.text)["error"]["message"] == answer.message


def test_the_clients_own_retries_follow_the_wait() -> None:
    async def run() -> tuple[str | None, int]:
        answers: list[ServerAnswer] = [ErrorAnswer(429, retry_after=0.001), "Paris."]
        server = OpenAIServer(answers, unix=True)
        async with server, sdk(server, max_retries=1) as client:
            answer = await client.chat.completions.create(model="tiny", messages=[USER])
        return answer.choices[0].message.content, len(server.requests)

    assert asyncio.run(run()) == ("Paris.", 2)


def test_parameters_of_tools_are_taken_as_they_are() -> None:
    async def run() -> OpenAIServer:
        server = OpenAIServer(["ok"], unix=True)
        async with server, sdk(server) as client:
            await client.chat.completions.create(model="tiny", messages=[USER], tools=[TOOL])
        return server

    assert asyncio.run(run()).requests[0].tools[0].parameters == PARAMETERS


@pytest.mark.parametrize(
    ("create", "words"),
    [
        (lambda: ErrorAnswer(200), "ErrorAnswer.status"),
        (lambda: ErrorAnswer(429, retry_after=-1), "ErrorAnswer.retry_after"),
        (lambda: OpenAIServer(chunk_tokens=0), "chunk_tokens"),
        (lambda: OpenAIServer(context_tokens=0), "context_tokens"),
        (lambda: OpenAIServer().base_url, "does not run"),
        (lambda: OpenAIServer(unix=True).path, "does not run"),
    ],
)
def test_what_cannot_work_is_refused_at_once(create: Any, words: str) -> None:
    with pytest.raises(IntegrationConfigurationError, match=words):
        create()


def test_a_script_that_fails_is_named_to_the_client_and_raised_at_the_end() -> None:
    async def run(error: list[openai.APIStatusError]) -> None:
        wrong: Any = 3
        async with OpenAIServer([wrong], unix=True) as server, sdk(server) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(model="tiny", messages=[USER])
            error.append(caught.value)

    errors: list[openai.APIStatusError] = []
    with pytest.raises(IntegrationConfigurationError, match="holds 3: use a text"):
        asyncio.run(run(errors))
    assert errors[0].code == "script_failed"
    assert "holds 3: use a text" in errors[0].message


def test_a_failed_assertion_about_a_request_fails_the_test() -> None:
    def answer(request: ReceivedRequest) -> str:
        assert request.tools, "no tools were offered"
        return "Paris."

    async def run() -> None:
        async with OpenAIServer(answer, unix=True) as server, sdk(server) as client:
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(model="tiny", messages=[USER])

    with pytest.raises(AssertionError, match="no tools were offered"):
        asyncio.run(run())
