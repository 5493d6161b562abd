"""Servers and gateways that refuse, in good order or not."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from agent_factory.core import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelResponseError,
    ModelServerError,
    Usage,
)
from agent_factory.integrations.openai import RetryPolicy
from tests.integration.faults.proxy import Exchange, Fault, pour, reply
from tests.integration.faults.runs import KINDS, TEXT, Ending, Kind, put_up

pytestmark = pytest.mark.integration

PAGE = b"<html><head><title> 502 Bad\nGateway </title></head><body>\xff nginx</body></html>"


def refusal(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    """Return a refusal."""
    lines = [b"HTTP/1.1 %d Refused" % status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def run(
    kind: Kind, *faults: Fault | None, stream: bool = False, timeout: float = 30.0, retries: int = 2
) -> tuple[Ending, int]:
    """Return how a run ends, and how many requests it took."""

    async def call() -> tuple[Ending, int]:
        retry = RetryPolicy(max_retries=retries, first_delay=0)
        always = faults[0] if len(faults) == 1 else None
        async with put_up(kind, faults, always=always, retry=retry) as bench:
            return await bench.run(stream=stream, timeout=timeout), len(bench.proxy.requests)

    return asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("header", [(), (b"Retry-After: 0",), (b"Retry-After-Ms: 1",)])
def test_a_storm_of_rate_limits_ends_in_an_answer_or_in_its_error(
    kind: Kind, stream: bool, header: tuple[bytes, ...]
) -> None:
    storm = reply(refusal(429, b'{"error": {"message": "slow down"}}', *header), close=False)
    ending, requests = run(kind, storm, storm, None, stream=stream)
    assert (ending.output, ending.retries, requests) == (TEXT, 2, 3)
    assert ending.used.requests == 1
    ending, requests = run(kind, storm, stream=stream)
    assert isinstance(ending.error, ModelRateLimitError)
    assert (ending.retries, requests) == (2, 3)
    assert ending.used == Usage()


def test_a_pause_that_is_longer_than_the_deadline_is_not_begun() -> None:
    storm = reply(refusal(429, b"", b"Retry-After: 3600"), close=False)
    ending, requests = run("chat", storm)
    assert isinstance(ending.error, ModelRateLimitError)
    assert (ending.error.retry_after, ending.retries, requests) == (3600.0, 0, 1)


@pytest.mark.parametrize(
    "said",
    [
        b"Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        b"Mon, 01 Jan 99999 00:00:00 GMT",
        b"\xff\xfe",
        b"nan",
        b"1e999",
        b"-1",
        b"9" * 5000,
        b"",
    ],
)
def test_a_pause_that_cannot_be_understood_is_not_asked_for(said: bytes) -> None:
    storm = reply(refusal(429, b"", b"Retry-After: " + said), close=False)
    ending, requests = run("chat", storm, None)
    assert (ending.output, ending.retries, requests) == (TEXT, 1, 2)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_the_page_of_a_gateway_is_an_error_of_the_server(status: int, stream: bool) -> None:
    page = reply(refusal(status, PAGE, b"Content-Type: text/html"), close=False)
    ending, requests = run("chat", page, None, stream=stream)
    assert (ending.output, requests) == (TEXT, 2)
    ending, _ = run("chat", page, stream=stream)
    assert isinstance(ending.error, ModelServerError)
    assert f"(HTTP {status}): 502 Bad Gateway." in ending.error.message
    assert ending.used == Usage()


@pytest.mark.parametrize(
    "page",
    [
        b"<html><title>" + b" " * 200_000,
        b"<html>" + b"<title>x" * 50_000,
        b"<html>" + b"<" * 400_000,
        b"[" * 400_000,
        b'{"error": ' * 50_000,
        b"\xff" * 400_000,
    ],
)
def test_a_page_made_to_be_hard_to_read_is_read(page: bytes) -> None:
    # What takes more than linear time would take hours here.
    ending, _ = run("chat", reply(refusal(500, page)), retries=0)
    assert isinstance(ending.error, ModelServerError)
    assert len(ending.error.message) < 1000


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize(
    ("status", "kind"), [(401, ModelAuthenticationError), (429, ModelRateLimitError)]
)
@pytest.mark.parametrize("how", ["cut", "silent", "endless", "spoilt"])
def test_a_refusal_whose_words_do_not_arrive_is_still_that_refusal(
    how: str, status: int, kind: type[ModelError], stream: bool
) -> None:
    start = b"HTTP/1.1 %d Refused\r\nContent-Type: text/html\r\n" % status
    long = start + b"Content-Length: 104857600\r\n\r\n<html>"

    async def fall_silent(exchange: Exchange) -> None:
        await exchange.send(long)
        await asyncio.Event().wait()

    faults = {
        "cut": reply(long),
        "silent": fall_silent,
        "endless": pour(long, b"x" * 65536),
        "spoilt": reply(start + b"Content-Encoding: gzip\r\n\r\nnonsense"),
    }
    ending, _ = run("chat", faults[how], stream=stream, timeout=0.3, retries=0)
    if how == "silent" and not isinstance(ending.error, ModelError):
        return  # the run's own deadline is the same one, and may be the first to end it
    assert isinstance(ending.error, kind)
    assert ending.error.status == status
    assert ending.used == Usage()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    elsewhere = b"Location: http://127.0.0.1:1/v1/chat/completions"
    ending, requests = run("chat", reply(refusal(status, b"", elsewhere)))
    assert isinstance(ending.error, ModelRequestError)
    assert "points to another address" in ending.error.message
    assert requests == 1


@pytest.mark.parametrize("status", [201, 202, 204, 206, 304])
def test_a_good_status_without_an_answer_is_no_answer(status: int) -> None:
    ending, requests = run("chat", reply(refusal(status, b"{}" if status < 204 else b"")))
    assert isinstance(ending.error, ModelResponseError)
    assert f"status that no answer of a model has (HTTP {status})" in ending.error.message
    assert requests == 1
    # It may have been carried out.
    assert ending.used.requests == 1


def test_a_compressed_refusal_is_read() -> None:
    body = gzip.compress(b'{"error": {"message": "no such thing"}}')
    ending, _ = run("chat", reply(refusal(400, body, b"Content-Encoding: gzip")))
    assert isinstance(ending.error, ModelRequestError)
    assert "no such thing" in ending.error.message


def test_a_server_that_breaks_and_refuses_in_turn_may_have_to_be_paid_for() -> None:
    async def reset(exchange: Exchange) -> None:
        exchange.reset()

    storm = reply(refusal(503), close=False)
    ending, requests = run("chat", reset, storm, reset)
    assert isinstance(ending.error, ModelConnectionError)
    assert requests == 3
    assert ending.error.details["sent"] is True
    # The two that broke may have to be paid for, the refused one has not.
    assert 1 <= ending.used.requests <= 2


@pytest.mark.parametrize("how", ["cut", "silent", "garbage", "refused"])
def test_a_model_that_is_not_found_is_named_though_the_others_cannot_be_listed(how: str) -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.startswith(b"POST"):
            await exchange.send(refusal(404, b'{"error": {"message": "no such model"}}'))
        elif how == "silent":
            await asyncio.Event().wait()
        else:
            said = {"cut": b"HTTP/1.1 200 OK\r\nContent-Le", "garbage": b"\0\n" * 9}
            await exchange.send(said.get(how, refusal(500)))
            exchange.close()

    ending, _ = run("chat", answer, timeout=0.3)
    if how == "silent" and not isinstance(ending.error, ModelError):
        return  # the run's own deadline is the same one, and may be the first to end it
    assert isinstance(ending.error, ModelRequestError)
    assert "no such model" in ending.error.message
    assert ending.used == Usage()
