"""What the client makes of answers that break the protocol, and of connections that break."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from aiohttp import web

from agent_factory.core import (
    ModelConnectionError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequest,
    ModelRequestError,
    ModelResponse,
    ModelResponseError,
    ModelServerError,
    TextDelta,
    UserMessage,
)
from agent_factory.integrations.exceptions import ModelQuotaError
from agent_factory.integrations.openai import OpenAIModel, RetryPolicy
from tests.integrations.openai.failing import get_failure
from tests.integrations.openai.server import Answer, chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))
DONE = chunk(finish_reason="stop")


def without(body: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """Return a copy of a body that lacks one thing."""
    copy = json.loads(json.dumps(body))
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    assert isinstance(copy, dict)
    return copy


def failure(answer: Answer, *, stream: bool = False, **options: Any) -> tuple[ModelError, str]:
    """Return the error that a call ends with, and the text that was given out before."""

    async def call() -> tuple[ModelError, str]:
        async with serving(answer) as server, server.model(**options) as model:
            return await get_failure(model, ASK, stream=stream)

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"choices": [', "not valid JSON at line 1 column 14"),
        (b"<html>Hello</html>", "it begins with '<html>Hello</html>'"),
        (b'{"choices": "\xff"}', "not valid UTF-8 at byte 13"),
        (b"[" * 100_000, "nested too deeply"),
        (b"", "not valid JSON"),
        (b'{"choices": ' + b"9" * 5000 + b"}", "a number with too many digits"),
        (b"[]", "a list instead of an object"),
        ({}, "'choices' is missing instead of a list"),
        ({"choices": []}, "'choices' is empty"),
        ({"choices": [1]}, "'choices[0]' is a number instead of an object"),
        ({"choices": [{}]}, "'choices[0].message' is missing"),
        (completion(content=3), "'choices[0].message.content' is a number"),
        (completion(finish_reason=None), "'choices[0].finish_reason' is None"),
        (completion(finish_reason="tired"), "'choices[0].finish_reason' is 'tired'"),
        (completion(finish_reason="tool_calls"), "stopped for tool calls, but there are none"),
        (completion(usage=[1]), "'usage' is a list instead of an object"),
        (completion(usage={"prompt_tokens": -1}), "'usage.prompt_tokens' is -1"),
        (completion(usage={"completion_tokens": True}), "'usage.completion_tokens' is True"),
        (completion(tool_calls=["add"]), "tool_calls[0]' is a string instead of an object"),
        (completion(tool_calls=[{"id": "x"}]), "tool call number 1 has no name"),
        (completion(tool_calls=[{"index": "0"}]), "tool_calls[0].index' is not a whole number"),
        (
            completion(tool_calls=[{"id": "x", "function": {"name": "f"}}] * 2),
            "two tool calls have the same id",
        ),
    ],
)
def test_an_answer_that_breaks_the_protocol_is_named(body: object, words: str) -> None:
    error, _ = failure(reply(body))
    assert isinstance(error, ModelResponseError)
    assert words in error.message
    assert "model 'tiny'" in error.message
    assert "http://server.test/v1" in error.message
    assert "Check that base_url" in error.message


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((chunk("Pa"), b"data: {\n\n"), "not valid JSON"),
        ((chunk("Pa"), b'data: {"a": "\xff"}\n\n'), "not valid UTF-8"),
        ((chunk("Pa"), {"choices": 1}), "'choices' is a number"),
        ((chunk("Pa"), chunk(tool_calls=7)), "delta.tool_calls' is a number"),
        ((chunk("Pa"),), "ended before the model said why it stopped"),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_that_breaks_the_protocol_is_named(
    items: tuple[object, ...], words: str, done: bool
) -> None:
    error, text = failure(events(*items, done=done), stream=True)
    assert isinstance(error, ModelResponseError)
    assert words in error.message
    assert text == "Pa"


def test_an_empty_stream_is_an_error() -> None:
    error, _ = failure(events(done=False), stream=True)
    assert isinstance(error, ModelResponseError)


def test_a_server_may_fail_in_the_middle_of_a_stream() -> None:
    broken = {"error": {"message": "out of memory", "code": 507}}
    error, text = failure(events(chunk("Pa"), broken), stream=True)
    assert isinstance(error, ModelServerError)
    assert (error.status, text) == (507, "Pa")
    assert "out of memory" in error.message


def test_an_error_with_a_good_status_is_an_error() -> None:
    error, _ = failure(reply({"error": {"message": "no slot", "code": "busy"}}))
    assert isinstance(error, ModelServerError)
    assert "no slot" in error.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m", "code": 429}, ModelRateLimitError),
        ({"message": "m", "code": "rate_limit_exceeded"}, ModelRateLimitError),
        ({"message": "m", "type": "insufficient_quota"}, ModelQuotaError),
        ({"message": "m", "type": "invalid_request_error"}, ModelRequestError),
        ({"message": "m", "code": "context_length_exceeded"}, ModelContextLengthError),
        ({"message": "m", "code": True}, ModelServerError),
        ("m", ModelServerError),
    ],
)
def test_the_code_of_an_error_with_a_good_status_says_its_kind(
    error: object, kind: type[ModelError]
) -> None:
    caught, _ = failure(reply({"error": error}), retry=RetryPolicy(max_retries=0))
    assert type(caught) is kind


def test_a_connection_that_breaks_in_a_stream_is_not_taken_for_its_end() -> None:
    error, text = failure(events(chunk("Pa"), done=False, abort=True), stream=True)
    assert isinstance(error, ModelConnectionError)
    assert text == "Pa"


def test_a_connection_that_breaks_in_a_whole_answer_is_an_error() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices"')
        assert request.transport is not None
        request.transport.abort()
        return response

    error, _ = failure(answer)
    assert isinstance(error, ModelConnectionError)
    assert "broke" in error.message


def test_what_does_not_speak_http_is_named() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"220 mail.test ESMTP\r\n")
        return web.Response()

    error, _ = failure(answer)
    assert isinstance(error, ModelResponseError)
    assert "does not speak HTTP" in error.message


def test_no_server_at_all_is_a_connection_error() -> None:
    async def call() -> None:
        async with serving(reply(completion())) as server:
            model = server.model(retry=RetryPolicy(max_retries=0))
        async with model:
            with pytest.raises(ModelConnectionError, match="cannot be reached") as caught:
                await model.respond(ASK)
        assert caught.value.retryable

    asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True])
def test_a_silent_server_is_given_up_at_the_requests_timeout(stream: bool) -> None:
    async def call() -> None:
        leave = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            await leave.wait()
            return web.Response()

        async with serving(answer) as server, server.model() as model:
            request = ModelRequest(ASK.messages, timeout=0.05)
            with pytest.raises(ModelConnectionError, match="in the time given") as caught:
                if stream:
                    _ = [item async for item in model.stream(request)]
                else:
                    await model.respond(request)
            assert caught.value.details["attempts"] == 1
            leave.set()

    asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_beyond_the_bound_is_refused(stream: bool) -> None:
    answer = events(chunk("x" * 5000), DONE) if stream else reply(completion("x" * 5000))
    error, _ = failure(answer, stream=stream, max_response_bytes=4000)
    assert isinstance(error, ModelResponseError)
    assert "more than 4000 bytes" in error.message


def test_the_bound_counts_what_compression_hides() -> None:
    packed = gzip.compress(b" " * 1_000_000)
    answer = reply(packed, headers={"Content-Encoding": "gzip"}, kind="application/json")
    error, _ = failure(answer, max_response_bytes=100_000)
    assert isinstance(error, ModelResponseError)
    assert "more than 100000 bytes" in error.message


def test_a_server_that_does_not_end_its_stream_is_not_waited_for() -> None:
    async def call() -> str:
        leave = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            response = await events(chunk("Hi"), DONE)(request)
            await leave.wait()
            return response

        async with serving(answer) as server, server.model() as model:
            *_, last = [item async for item in model.stream(ASK)]
            leave.set()
        assert isinstance(last, ModelResponse)
        return last.message.text

    assert asyncio.run(call()) == "Hi"


def test_a_long_line_in_many_pieces_is_read_in_one_go() -> None:
    async def call() -> str:
        answer = events(chunk("x" * 300_000), DONE, cut=997)
        async with serving(answer) as server, server.model() as model:
            return "".join(
                [item.text async for item in model.stream(ASK) if isinstance(item, TextDelta)]
            )

    assert asyncio.run(call()) == "x" * 300_000


def test_cancelling_a_call_gives_the_connection_up() -> None:
    async def call() -> None:
        started = asyncio.Event()
        ended = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            started.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            return web.Response()

        async with serving(answer) as server:
            model: OpenAIModel = server.model()
            async with model:
                task = asyncio.create_task(model.respond(ASK))
                await started.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(call())
