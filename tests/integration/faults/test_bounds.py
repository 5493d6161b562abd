"""Answers that are too long, or never end: they are cut, and take no more memory than they may."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib

import pytest

from agent_factory.core import ModelConnectionError, ModelResponseError, RunTimeoutError
from tests.integration.faults.proxy import Exchange, Fault, pour, reply
from tests.integration.faults.runs import KINDS, TEXT, Ending, Kind, put_up

pytestmark = pytest.mark.integration

MEBIBYTE = 1024 * 1024
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
TEXT_EVENT = b'data: {"choices":[{"delta":{"content":"x"}}],"model":"tiny"}\n\n'
ROOM = 12 * MEBIBYTE
"""What everything besides an answer may take, generously: buffers of both sides, events, the test itself."""


def bomb(size: int) -> bytes:
    """Return blanks, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b" " * MEBIBYTE) for _ in range(size // MEBIBYTE)]
    return b"".join((*parts, packer.flush()))


def run(
    fault: Fault, *, stream: bool, timeout: float = 60.0, bound: int = MEBIBYTE, kind: Kind = "chat"
) -> tuple[Ending, int]:
    """Return how a run ends, and how many bytes it took at its peak."""

    async def call() -> tuple[Ending, int]:
        async with put_up(kind, always=fault, max_response_bytes=bound) as bench:
            tracemalloc.start()
            try:
                ending = await bench.run(stream=stream, timeout=timeout)
                return ending, tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    return asyncio.run(call())


ENDLESS = {
    "json": pour(JSON + b"Content-Length: 104857600\r\n\r\n", b" " * 65536),
    "json in chunks": pour(JSON + CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "no line break": pour(SSE + b"\r\n", b"data: " + b"x" * 65536),
    "comments": pour(SSE + b"\r\n", b": ping\n\n" * 8000),
    "comments in one event": pour(SSE + b"\r\n", b": ping\n" * 8000),
    "empty lines": pour(SSE + b"\r\n", b"\n" * 65536),
    "text": pour(SSE + b"\r\n", TEXT_EVENT * 1000),
    "gzip bomb": reply(JSON + b"Content-Encoding: gzip\r\n\r\n" + bomb(256 * MEBIBYTE)),
    "gzip bomb of a stream": reply(SSE + b"Content-Encoding: gzip\r\n\r\n" + bomb(256 * MEBIBYTE)),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_beyond_its_bound_is_cut(name: str, stream: bool) -> None:
    ending, peak = run(ENDLESS[name], stream=stream)
    assert isinstance(ending.error, ModelResponseError)
    assert f"more than {MEBIBYTE} bytes" in ending.error.message
    assert peak < MEBIBYTE + ROOM


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_megabytes_are_cut_by_default(kind: Kind) -> None:
    default = 32 * MEBIBYTE
    ending, peak = run(ENDLESS["json"], stream=False, bound=default, kind=kind)
    assert isinstance(ending.error, ModelResponseError)
    assert f"more than {default} bytes" in ending.error.message
    assert peak < 2 * default + ROOM


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "fault",
    [
        pour(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        pour(SSE + CHUNKED + b"5;", b"a=b;" * 1000),
    ],
    ids=["early answers", "words beside a chunk"],
)
def test_what_never_becomes_an_answer_is_given_up_at_the_deadline(
    fault: Fault, stream: bool
) -> None:
    ending, peak = run(fault, stream=stream, timeout=0.3)
    assert isinstance(ending.error, (ModelConnectionError, RunTimeoutError))
    assert peak < ROOM


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_follows_the_end_of_a_stream_is_not_kept(stream: bool) -> None:
    end = b'data: {"choices":[{"delta":{"content":"It is 3."},"finish_reason":"stop"}]}\n\n'
    fault = pour(SSE + b"\r\n" + end + b"data: [DONE]\n\n", b"x" * 65536)
    ending, peak = run(fault, stream=stream, bound=32 * MEBIBYTE)
    assert ending.output == TEXT
    assert peak < ROOM


def test_a_refusal_of_a_hundred_megabytes_is_read_as_far_as_it_matters() -> None:
    head = b"HTTP/1.1 500 Failed\r\nContent-Length: 104857600\r\n\r\n"
    ending, peak = run(pour(head, b"<title>" * 9000), stream=False, bound=64 * MEBIBYTE)
    assert ending.error is not None
    assert "(HTTP 500)" in ending.error.message
    assert peak < MEBIBYTE + ROOM


def test_a_client_that_leaves_stops_the_server() -> None:
    left = asyncio.Event()

    async def talk(exchange: Exchange) -> None:
        try:
            await pour(SSE + b"\r\n", TEXT_EVENT)(exchange)
        finally:
            left.set()

    async def call() -> None:
        async with put_up("chat", always=talk, max_response_bytes=MEBIBYTE) as bench:
            await bench.run(stream=True)
            await asyncio.wait_for(left.wait(), 30)

    asyncio.run(call())
