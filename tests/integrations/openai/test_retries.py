"""When a call is repeated, and when it is not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from agent_factory.core import (
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelRequest,
    ModelResponse,
    TextDelta,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError, ModelQuotaError
from agent_factory.integrations.openai import RetryPolicy
from agent_factory.integrations.openai.retry import read_retry_after
from tests.integrations.openai.server import Answer, chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))
GOOD = reply(completion("Paris."))
BUSY = reply({}, status=503)


def called(*answers: Answer, retry: RetryPolicy | None = None) -> tuple[ModelResponse, int]:
    """Return what a call ends with, and how many requests it took."""

    async def call() -> tuple[ModelResponse, int]:
        policy = retry or RetryPolicy(first_delay=0)
        async with serving(*answers) as server, server.model(retry=policy) as model:
            return await model.respond(ASK), len(server.bodies)

    return asyncio.run(call())


def failed(
    *answers: Answer, retry: RetryPolicy | None = None, timeout: float = 60
) -> tuple[ModelError, int]:
    """Return the error a call ends with, and how many requests it took."""

    async def call() -> tuple[ModelError, int]:
        policy = retry or RetryPolicy(first_delay=0)
        async with serving(*answers) as server, server.model(retry=policy) as model:
            with pytest.raises(ModelError) as caught:
                await model.respond(ModelRequest(ASK.messages, timeout=timeout))
            return caught.value, len(server.bodies)

    return asyncio.run(call())


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_repeated(status: int) -> None:
    response, requests = called(reply({}, status=status), GOOD)
    assert response.message.text == "Paris."
    assert requests == 2


def test_a_broken_connection_is_repeated() -> None:
    response, requests = called(events(done=False, abort=True), GOOD)
    assert response.message.text == "Paris."
    assert requests == 2


def test_a_repeated_call_counts_as_one_request_of_the_answer() -> None:
    response, _ = called(BUSY, BUSY, GOOD)
    assert response.usage.requests == 1


def test_a_failure_that_stays_is_reported_with_the_number_of_attempts() -> None:
    error, requests = failed(BUSY, retry=RetryPolicy(max_retries=3, first_delay=0))
    assert requests == 4
    assert error.details["attempts"] == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_lasting_failure_is_not_repeated(status: int) -> None:
    assert failed(reply({}, status=status))[1] == 1


def test_an_account_without_credit_is_not_asked_again() -> None:
    error, requests = failed(reply({"error": {"type": "insufficient_quota"}}, status=429))
    assert isinstance(error, ModelQuotaError)
    assert requests == 1


def test_the_wait_that_the_server_asks_for_replaces_the_policys() -> None:
    busy = reply({}, status=429, headers={"Retry-After": "0"})
    _, requests = called(busy, GOOD, retry=RetryPolicy(first_delay=1000, max_delay=1000))
    assert requests == 2


def test_a_wait_beyond_the_requests_timeout_is_not_begun() -> None:
    busy = reply({}, status=429, headers={"Retry-After": "3600"})
    error, requests = failed(busy, GOOD, timeout=30)
    assert isinstance(error, ModelRateLimitError)
    assert error.retry_after == 3600
    assert requests == 1


def test_a_stream_is_repeated_before_its_first_piece() -> None:
    async def call() -> tuple[int, str]:
        good = events(chunk("Paris."), chunk(finish_reason="stop"))
        broken = events(chunk("", role="assistant"), done=False, abort=True)
        async with serving(BUSY, broken, good) as server, server.model() as model:
            items = [item async for item in model.stream(ASK)]
            assert isinstance(items[-1], ModelResponse)
            return len(server.bodies), items[-1].message.text

    assert asyncio.run(call()) == (3, "Paris.")


def test_a_stream_is_not_repeated_after_its_first_piece() -> None:
    async def call() -> tuple[int, list[str]]:
        pieces = []
        broken = events(chunk("Pa"), done=False, abort=True)
        async with serving(broken) as server, server.model() as model:
            with pytest.raises(ModelConnectionError):
                async for item in model.stream(ASK):
                    assert isinstance(item, TextDelta)
                    pieces.append(item.text)
            return len(server.bodies), pieces

    assert asyncio.run(call()) == (1, ["Pa"])


def test_pauses_double_up_to_their_bound_and_vary_by_at_most_half() -> None:
    policy = RetryPolicy(max_retries=100, first_delay=1.0, max_delay=6.0)
    error = ModelConnectionError("no", model="m")
    for retries, longest in [(0, 1.0), (1, 2.0), (2, 4.0), (3, 6.0), (99, 6.0)]:
        pauses = [policy.pause(error, retries) or 0 for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_no_retry_means_no_pause() -> None:
    error = ModelConnectionError("no", model="m")
    assert RetryPolicy(max_retries=0).pause(error, 0) is None


@pytest.mark.parametrize(
    "values",
    [
        {"max_retries": -1},
        {"max_retries": True},
        {"first_delay": -0.1},
        {"max_delay": float("inf")},
        {"max_delay": float("nan")},
    ],
)
def test_a_policy_out_of_range_is_refused(values: dict[str, float]) -> None:
    (name,) = values
    with pytest.raises(IntegrationConfigurationError, match=f"RetryPolicy.{name} must be"):
        RetryPolicy(**values)  # type: ignore[arg-type]  # a bool or a float for a count


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
    ],
)
def test_a_wait_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    assert read_retry_after(CIMultiDict(headers), now=now) == seconds
