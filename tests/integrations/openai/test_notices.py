"""Who is told of repetitions, how long one attempt may take, and whether a request was sent at all."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ConnectionKey

from agent_factory.core import (
    ModelConnectionError,
    ModelError,
    ModelRequest,
    ModelResponse,
    ModelRetry,
    TextDelta,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai import OpenAIClientModel, RetryPolicy
from agent_factory.integrations.openai.faults import translate
from tests.integrations.openai.clients import KINDS, Kind, connected, get_response, get_stream
from tests.integrations.openai.failing import get_failure
from tests.integrations.openai.sdk_clients import sdk_client
from tests.integrations.openai.server import (
    Answer,
    chunk,
    completion,
    delta,
    events,
    message,
    reply,
    response,
    serving,
    terminal,
)

ASK = ModelRequest((UserMessage("Hi"),))
BUSY = reply({"error": {"message": "no slot"}}, status=503)
KEY = ConnectionKey("server.test", 443, True, True, None, None, None)
NONE = RetryPolicy(max_retries=0)


def good(kind: Kind, *, stream: bool = False) -> Answer:
    """Return an answer that ends the call."""
    if kind == "responses":
        whole = response(message("Paris."))
        return events(delta("Paris."), terminal(whole), done=False) if stream else reply(whole)
    if stream:
        return events(chunk("Paris."), chunk(finish_reason="stop"))
    return reply(completion("Paris."))


async def never(request: web.Request) -> web.StreamResponse:
    """Answer nothing; the server gives up when the client does."""
    await asyncio.sleep(3600)
    return web.Response()


def failed(kind: Kind, *answers: Answer, stream: bool = False, **options: Any) -> ModelError:
    """Return the error that a call ends with."""
    get: Any = get_stream if stream else get_response
    with pytest.raises(ModelError) as caught:
        asyncio.run(get(kind, ASK, *answers, **options))
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_each_repetition_is_told_before_its_pause(kind: Kind, stream: bool) -> None:
    told: list[ModelRetry] = []
    request = replace(ASK, notify=told.append)
    get: Any = get_stream if stream else get_response
    asyncio.run(get(kind, request, BUSY, BUSY, good(kind, stream=stream)))
    assert [retry.attempt for retry in told] == [1, 2]
    assert {retry.model for retry in told} == {"openai:tiny"}
    assert {retry.next_model for retry in told} == {""}
    assert {retry.delay for retry in told} == {0}
    assert all("no slot" in retry.reason for retry in told)


@pytest.mark.parametrize("kind", KINDS)
def test_listener_is_told_which_attempt_may_have_to_be_paid_for(kind: Kind) -> None:
    told: list[ModelRetry] = []
    request = replace(ASK, notify=told.append)
    cut = events(done=False, abort=True)
    retry = RetryPolicy(max_retries=3, first_delay=0)
    asyncio.run(get_response(kind, request, BUSY, cut, BUSY, good(kind), retry=retry))
    assert [item.sent for item in told] == [False, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pause_that_the_server_asks_for_is_told(kind: Kind) -> None:
    told: list[ModelRetry] = []
    request = replace(ASK, notify=told.append)
    busy = reply({}, status=429, headers={"Retry-After-Ms": "1"})
    asyncio.run(get_response(kind, request, busy, good(kind), retry=RetryPolicy(first_delay=99)))
    assert [retry.delay for retry in told] == [0.001]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_that_is_not_repeated_is_not_told(kind: Kind) -> None:
    told: list[ModelRetry] = []
    request = replace(ASK, notify=told.append)
    for answer in (reply({}, status=400), reply({}, status=429, headers={"Retry-After": "9999"})):
        with pytest.raises(ModelError):
            asyncio.run(get_response(kind, request, answer))
    assert told == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_attempt_that_takes_too_long_is_repeated(kind: Kind, stream: bool) -> None:
    told: list[ModelRetry] = []
    request = replace(ASK, notify=told.append)
    get: Any = get_stream if stream else get_response
    # More repetitions than one for a machine that is busy.
    retry = RetryPolicy(max_retries=50, first_delay=0, attempt_timeout=0.3)
    _, *_, server = asyncio.run(get(kind, request, never, good(kind, stream=stream), retry=retry))
    assert len(server.bodies) >= 2
    assert "did not answer in the 0.3 s of one attempt" in told[0].reason


@pytest.mark.parametrize("kind", KINDS)
def test_an_attempt_that_takes_too_long_says_so(kind: Kind) -> None:
    error = failed(kind, never, retry=RetryPolicy(max_retries=0, attempt_timeout=0.05))
    assert isinstance(error, ModelConnectionError)
    assert "RetryPolicy(attempt_timeout=...)" in error.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_has_begun_may_take_longer_than_an_attempt(kind: Kind) -> None:
    first, last = (
        (delta("Pa"), terminal(response(message("Paris."))))
        if kind == "responses"
        else (chunk("Pa"), chunk("ris.", finish_reason="stop"))
    )

    async def call() -> str:
        late = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            written = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await written.prepare(request)
            await written.write(b"data: %s\n\n" % json.dumps(first).encode())
            await late.wait()
            await written.write(b"data: %s\n\n" % json.dumps(last).encode())
            return written

        retry = RetryPolicy(max_retries=0, attempt_timeout=1)
        async with serving(answer) as server, connected(kind, server, retry=retry) as model:
            async for item in model.stream(ASK):
                if item == TextDelta("Pa"):
                    await asyncio.sleep(1.1)
                    late.set()
        assert isinstance(item, ModelResponse)
        return item.message.text

    assert asyncio.run(call()) == "Paris."


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_stops_halfway_is_given_up_at_the_requests_timeout(kind: Kind) -> None:
    first = delta("Pa") if kind == "responses" else chunk("Pa")

    async def answer(request: web.Request) -> web.StreamResponse:
        await events(first, done=False)(request)
        return await never(request)

    async def call() -> tuple[ModelError, str]:
        async with serving(answer) as server, connected(kind, server) as model:
            return await get_failure(model, replace(ASK, timeout=1), stream=True)

    error, text = asyncio.run(call())
    assert isinstance(error, ModelConnectionError)
    assert "in the time given to the call" in error.message
    assert text == "Pa"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_to_no_server_was_never_sent(kind: Kind, stream: bool) -> None:
    async def call() -> ModelError:
        async with serving(BUSY) as server:
            pass
        async with connected(kind, server, retry=NONE) as model:
            with pytest.raises(ModelConnectionError) as caught:
                if stream:
                    _ = [item async for item in model.stream(ASK)]
                else:
                    await model.respond(ASK)
        return caught.value

    assert asyncio.run(call()).details["sent"] is False


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ConnectionTimeoutError(), "could not be reached within 10 s"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("expired")),
            "has a certificate that is not trusted",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError("no cipher")),
            "cannot be reached (('no cipher',))",
        ),
    ],
    ids=["silence", "certificate", "TLS"],
)
def test_a_connection_that_was_never_made_sent_nothing(error: Exception, words: str) -> None:
    told = translate(error, model="tiny", server="https://server.test", patience="in time.")
    assert isinstance(told, ModelConnectionError)
    assert words in told.message
    assert told.details["sent"] is False


def test_a_request_to_an_unknown_name_was_never_sent() -> None:
    class Nowhere(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: Any = None
        ) -> list[ResolveResult]:
            raise OSError("no such name")

        async def close(self) -> None:
            pass

    def connect() -> aiohttp.BaseConnector:
        return aiohttp.TCPConnector(resolver=Nowhere(), family=socket.AF_INET)

    error = failed("chat", BUSY, retry=NONE, connector=connect)
    assert isinstance(error, ModelConnectionError)
    assert "cannot be reached" in error.message
    assert error.details["sent"] is False


@pytest.mark.parametrize(
    ("answer", "sent"),
    [(BUSY, None), (events(done=False, abort=True), True), (reply(b"{"), True)],
    ids=["refused", "broken off", "nonsense"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_broke_off_may_have_to_be_paid_for_and_one_that_was_refused_not(
    kind: Kind, answer: Answer, sent: bool | None
) -> None:
    assert failed(kind, answer, retry=NONE).details.get("sent") is sent


@pytest.mark.parametrize("kind", KINDS)
def test_an_attempt_that_broke_off_is_not_forgotten_when_the_next_is_refused(kind: Kind) -> None:
    retry = RetryPolicy(max_retries=1, first_delay=0)
    error = failed(kind, events(done=False, abort=True), BUSY, retry=retry)
    assert error.status == 503
    assert error.details["sent"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_fails_after_its_first_piece_may_have_to_be_paid_for(kind: Kind) -> None:
    first = delta("Pa") if kind == "responses" else chunk("Pa")
    broken = {"error": {"message": "out of memory", "code": 507}}
    error = failed(kind, events(first, broken), stream=True)
    assert "out of memory" in error.message
    assert error.details["sent"] is True


def test_a_repetition_that_was_never_sent_does_not_hide_the_attempt_that_was() -> None:
    async def call() -> ModelError:
        busy = reply({}, status=503, headers={"Connection": "close"})
        async with serving(busy) as server, server.model() as model:
            # Without its socket the server is out of reach.
            request = replace(ASK, notify=lambda _: Path(server.path).unlink(missing_ok=True))
            with pytest.raises(ModelConnectionError, match="cannot be reached") as caught:
                await model.respond(request)
        return caught.value

    error = asyncio.run(call())
    assert error.details["attempts"] == 3
    assert "sent" not in error.details


def test_a_client_that_repeats_calls_itself_does_not_claim_that_none_was_sent() -> None:
    async def call() -> ModelError:
        async with serving(BUSY) as server:
            client = sdk_client(server, max_retries=1)
        async with client:
            with pytest.raises(ModelConnectionError) as caught:
                await OpenAIClientModel("tiny", client).respond(ASK)
        return caught.value

    assert asyncio.run(call()).details["sent"] is True


@pytest.mark.parametrize("value", [0, -1, True, float("inf"), float("nan")])
def test_an_attempt_without_time_is_refused(value: float) -> None:
    with pytest.raises(IntegrationConfigurationError, match="attempt_timeout must be"):
        RetryPolicy(attempt_timeout=value)
