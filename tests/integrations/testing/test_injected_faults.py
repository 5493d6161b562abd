"""What goes wrong on purpose, as clients see it."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import openai
import pytest

from agent_factory.core.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelServerError,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError, ModelQuotaError
from agent_factory.integrations.testing import Fault, OpenAIServer
from tests.integrations.testing.clients import USER, sdk

BODY = {"model": "tiny", "messages": [USER]}
STREAM = {**BODY, "stream": True}


def read(fault: Fault | None, body: Any = BODY) -> tuple[bytes, str]:
    """Return the bytes of an answer, and what went wrong while they were read."""

    async def run() -> tuple[bytes, str]:
        got, error = b"", ""
        server = OpenAIServer(["Paris is the capital."], faults=[fault], unix=True)
        async with server, sdk(server) as client:
            request = client._client.build_request(
                "POST",
                "http://server.test/v1/chat/completions",
                json=body,
                headers={"Authorization": "Bearer sk-test"},
            )
            try:
                response = await client._client.send(request, stream=True)
                async for data in response.aiter_raw():
                    got += data
                    if len(got) > 1_000_000:
                        break
                await response.aclose()
            except Exception as problem:  # noqa: BLE001 - which one is the client's own matter
                error = type(problem).__name__
        return got, error

    return asyncio.run(run())


def test_an_error_comes_before_the_answer_which_is_kept() -> None:
    async def run() -> tuple[list[str | None], list[int]]:
        faults = [Fault(status=429, retry_after=0), None, Fault(status=503)]
        server = OpenAIServer(["one", "two"], faults=faults, unix=True)
        statuses: list[int] = []
        texts = []
        async with server, sdk(server) as client:
            for _ in range(4):
                try:
                    answer = await client.chat.completions.create(model="tiny", messages=[USER])
                    texts.append(answer.choices[0].message.content)
                except openai.APIStatusError as error:
                    statuses.append(error.status_code)
        return texts, statuses

    assert asyncio.run(run()) == (["one", "two"], [429, 503])


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_a_cut_ends_the_body_after_exactly_that_many_bytes(body: Any) -> None:
    whole, _ = read(None, body)
    for size in (1, 10, len(whole) // 2):
        got, error = read(Fault(cut_after=size), body)
        assert len(got) == size
        assert error
    assert read(Fault(cut_after=0), body)[0] == b""


def test_a_cut_behind_the_end_of_the_body_changes_nothing() -> None:
    assert read(Fault(cut_after=1_000_000))[1] == ""


def test_each_event_comes_twice_but_the_last() -> None:
    whole, _ = read(None, STREAM)
    twice, error = read(Fault(duplicate=True), STREAM)
    events = whole.split(b"\n\n")
    expected = [event for event in events[:-2] for _ in range(2)] + events[-2:]
    assert len(twice.split(b"\n\n")) == len(expected)
    assert twice.count(b"[DONE]") == 1
    assert error == ""


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_bytes_that_are_no_text_stand_in_the_body(body: Any) -> None:
    got, _ = read(Fault(invalid_utf8=True), body)
    assert got.count(b"\xff\xfe") == 1
    with pytest.raises(UnicodeDecodeError):
        got.decode()


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_slow_bytes_are_the_same_bytes(body: Any) -> None:
    def choices(data: bytes) -> list[Any]:
        events = data.removeprefix(b"data: ").split(b"\n\ndata: ")
        return [json.loads(event)["choices"] for event in events if b"[DONE]" not in event]

    slow, error = read(Fault(bytes_at_a_time=7, pause=1e-6), body)
    assert choices(slow) == choices(read(None, body)[0])
    assert error == ""


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_an_endless_body_goes_on_until_the_client_leaves(body: Any) -> None:
    got, _ = read(Fault(endless=True), body)
    assert len(got) > 1_000_000
    assert (b"[DONE]" in got, b"usage" in got and body is BODY) == (False, False)


def test_an_answer_that_never_comes_runs_into_the_clients_timeout() -> None:
    async def run() -> None:
        server = OpenAIServer(["Paris."], faults=[Fault(delay=math.inf)], unix=True)
        async with server, sdk(server, timeout=0.05) as client:
            with pytest.raises(openai.APITimeoutError):
                await client.chat.completions.create(model="tiny", messages=[USER])

    asyncio.run(run())


def test_a_delay_comes_before_the_answer() -> None:
    assert json.loads(read(Fault(delay=0.001))[0])["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "values",
    [
        {"status": 200},
        {"delay": -1},
        {"delay": math.nan},
        {"pause": math.inf},
        {"cut_after": -1},
        {"bytes_at_a_time": -1},
    ],
)
def test_a_fault_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(IntegrationConfigurationError, match=r"Fault\."):
        Fault(**values)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ModelAuthenticationError("no", model="m"), 401, None),
        (ModelRateLimitError("no", model="m"), 429, None),
        (ModelQuotaError("no", model="m"), 429, "insufficient_quota"),
        (ModelContextLengthError("no", model="m"), 400, "context_length_exceeded"),
        (ModelRequestError("no", model="m", status=422), 422, None),
        (ModelServerError("no", model="m"), 500, None),
    ],
)
def test_a_models_error_in_the_script_is_the_answer_that_leads_to_it(
    error: ModelError, status: int, code: str | None
) -> None:
    async def run() -> openai.APIStatusError:
        async with OpenAIServer([error], unix=True) as server, sdk(server) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(model="tiny", messages=[USER])
        return caught.value

    answered = asyncio.run(run())
    assert (answered.status_code, answered.code) == (status, code)


def test_a_models_error_that_no_answer_leads_to_is_refused() -> None:
    async def run() -> None:
        error = ModelConnectionError("no", model="m")
        async with OpenAIServer([error], unix=True) as server, sdk(server) as client:
            with pytest.raises(openai.APIStatusError):
                await client.chat.completions.create(model="tiny", messages=[USER])

    with pytest.raises(IntegrationConfigurationError, match="use an ErrorAnswer or a Fault"):
        asyncio.run(run())
