"""Answers that break HTTP, their encoding, or UTF-8."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from agent_factory.core import ModelConnectionError, ModelError, ModelResponseError
from tests.integration.faults.proxy import Exchange, Fault, frame, reply, take_body
from tests.integration.faults.runs import (
    KINDS,
    SAYING,
    TEXT,
    Ending,
    Kind,
    answer_with_tool,
    put_up,
)

pytestmark = pytest.mark.integration

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
NO_HTTP = "does not speak HTTP"
NO_SENSE = "cannot be understood"
BROKE = "broke"


def run(kind: Kind, fault: Fault, *, stream: bool) -> Ending:
    """Return how a run ends whose every request meets a fault."""

    async def call() -> Ending:
        async with put_up(kind, always=fault, script=answer_with_tool) as bench:
            return await bench.run(stream=stream)

    return asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"", ModelConnectionError, BROKE),
        (b"220 mail.test ESMTP\r\n", ModelResponseError, NO_HTTP),
        (b"\0" * 1000, ModelResponseError, NO_HTTP),
        # What a server says to plain words at its port for TLS.
        (b"\x15\x03\x01\x00\x02\x02\x28", ModelResponseError, NO_HTTP),
        (b"HTTP/1.1 abc OK\r\n\r\n", ModelResponseError, NO_HTTP),
        (b"HTTP/9.9 200 OK\r\n\r\n", ModelResponseError, NO_HTTP),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, ModelResponseError, NO_HTTP),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 20_000, ModelResponseError, NO_HTTP),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, ModelConnectionError, BROKE),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", ModelResponseError, "no answer of a"),
        (JSON + b"Content-Length: -1\r\n\r\n{}", ModelResponseError, NO_HTTP),
        (JSON + b"Content-Length: 2x\r\n\r\n{}", ModelResponseError, NO_HTTP),
        (JSON + b"Content-Length: %d\r\n\r\n{}" % 10**30, ModelResponseError, NO_HTTP),
        (JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", ModelResponseError, NO_HTTP),
        (JSON + b"Content-Length: 2\r\n" + CHUNKED + b"0\r\n\r\n", ModelResponseError, NO_HTTP),
        (JSON + b"Content-Length: 5000\r\n\r\n{}", ModelConnectionError, BROKE),
        (JSON + b"\r\n", ModelResponseError, NO_SENSE),
        (JSON + CHUNKED + b"5\r\n{}", ModelConnectionError, BROKE),
        (JSON + CHUNKED + b"zz\r\n{}", ModelResponseError, NO_HTTP),
        (JSON + CHUNKED + b"f" * 20 + b"\r\n{}", ModelResponseError, NO_HTTP),
        (JSON + b"Content-Encoding: gzip\r\n\r\nnonsense", ModelConnectionError, BROKE),
        (JSON + b"Content-Length: 5\r\n\r\n\xff\xfe{}\n", ModelResponseError, "not valid UTF-8"),
        (b"HTTP/1.1 200 \xff\r\nContent-Type: ;\xff\r\n\r\n{}", ModelResponseError, NO_SENSE),
        (SSE + b"\r\n", ModelResponseError, "ended before the model"),
        (SSE + b'\r\ndata: {"a": "\xff"}\n\n', ModelResponseError, "not valid UTF-8"),
        (SSE + b"\r\ndata: {\n\n", ModelResponseError, "not valid JSON"),
        (SSE + b"\r\ndata: [DONE]\n\n", ModelResponseError, "ended before the model"),
        (SSE + b"\r\n\xff\xfe\0\n\n\n", ModelResponseError, "ended before the model"),
        (SSE + b"\r\n<html>", ModelResponseError, "ended before the model"),
    ],
)
def test_what_is_no_answer_is_named(
    answer: bytes, kind: type[ModelError], words: str, stream: bool
) -> None:
    ending = run("chat", reply(answer), stream=stream)
    assert type(ending.error) is kind
    assert words in ending.error.message
    assert "sk-test" not in str(ending.error.to_dict())
    # The request was sent, and whether it was carried out is not known.
    assert ending.used.requests == 1
    assert ending.text == ""


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["length", "chunked", "close", "old", "gzip", "early"])
def test_any_framing_that_http_allows_is_read(how: str, kind: Kind, stream: bool) -> None:
    async def reframe(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        if how == "old":
            head = head.replace(b"HTTP/1.1", b"HTTP/1.0")
        if how == "gzip":
            head += b"\r\nContent-Encoding: gzip"
            pieces = [gzip.compress(b"".join(pieces))]
        if how == "early":
            await exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        framing = {"old": "close", "gzip": "length", "early": "chunked"}.get(how, how)
        await exchange.send(frame(head, pieces, framing))
        if framing == "close":
            exchange.close()

    ending = run(kind, reframe, stream=stream)
    assert (ending.output, ending.text) == (TEXT, SAYING + TEXT)
    assert ending.calls == [(1, 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_shorter_than_it_is_is_not_taken(kind: Kind) -> None:
    async def shorten(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        body = b"".join(pieces)
        await exchange.send(head + b"\r\nContent-Length: %d\r\n\r\n" % (len(body) - 10) + body)

    ending = run(kind, shorten, stream=False)
    assert isinstance(ending.error, ModelResponseError)
    assert ending.calls == []


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_answer_that_is_cut_is_not_taken(kind: Kind, stream: bool) -> None:
    async def compress(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        packed = gzip.compress(b"".join(pieces))
        # In order as far as HTTP can say.
        head += b"\r\nContent-Encoding: gzip"
        await exchange.send(frame(head, [packed[: len(packed) // 2]], "length"))

    ending = run(kind, compress, stream=stream)
    assert isinstance(ending.error, (ModelResponseError, ModelConnectionError))
    assert ending.calls == []


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_text_with_a_spoilt_character_is_not_taken(kind: Kind, stream: bool) -> None:
    async def spoil(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        await exchange.send(frame(head, [part.replace(b"Wait", b"W\xffit") for part in pieces]))

    ending = run(kind, spoil, stream=stream)
    assert isinstance(ending.error, ModelResponseError)
    assert "not valid UTF-8" in ending.error.message
    assert ending.calls == []
