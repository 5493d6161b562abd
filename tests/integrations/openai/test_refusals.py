"""Which error a server's refusal becomes, and what it says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequest,
    ModelRequestError,
    ModelServerError,
    UserMessage,
)
from agent_factory.integrations.exceptions import ModelQuotaError
from agent_factory.integrations.openai import RetryPolicy
from tests.integrations.openai.server import completion, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))


def refusal(
    status: int, body: object, *, models: object = None, kind: str = "", **headers: str
) -> ModelError:
    """Return the error of a call that the server refuses."""

    async def call() -> ModelError:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = reply(body, status=status, headers=named, kind=kind)
        async with serving(answer) as server:
            server.models = models
            async with server.model(retry=RetryPolicy(max_retries=0)) as model:
                with pytest.raises(ModelError) as caught:
                    await model.respond(ASK)
                return caught.value

    return asyncio.run(call())


def said(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable", "advice"),
    [
        (401, said("Incorrect key"), ModelAuthenticationError, False, "Check the API key"),
        (403, said("Not in your region"), ModelAuthenticationError, False, "Check the API key"),
        (408, {}, ModelConnectionError, True, "Try again"),
        (409, {}, ModelServerError, True, "Try again later"),
        (429, said("Slow down"), ModelRateLimitError, True, "Wait a while"),
        (
            429,
            said("No credit", code="insufficient_quota"),
            ModelQuotaError,
            False,
            "Waiting does not help",
        ),
        (500, "Oops", ModelServerError, True, "Try again later"),
        (
            400,
            said("bad", code="context_length_exceeded"),
            ModelContextLengthError,
            False,
            "Shorten",
        ),
        (
            400,
            said("request exceeds the available context size (2048 tokens)"),
            ModelContextLengthError,
            False,
            "Shorten",
        ),
        (400, said("no", code="content_filter"), ModelContentFilterError, False, "Rephrase"),
        (400, said("Unknown field"), ModelRequestError, False, "Correct the request"),
        (413, "Too large", ModelRequestError, False, "Correct the request"),
        (307, "", ModelRequestError, False, "final address"),
    ],
)
def test_a_status_becomes_the_error_that_says_what_to_do(
    status: int, body: object, kind: type[ModelError], retryable: bool, advice: str
) -> None:
    error = refusal(status, body)
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.status == status
    assert advice in error.message
    assert f"HTTP {status}" in error.message
    assert "model 'tiny'" in error.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (said("Unknown field: foo."), "(HTTP 400): Unknown field: foo. Correct"),
        ({"error": "plain words"}, "(HTTP 400): plain words."),
        ({"message": "vLLM's way", "object": "error"}, "(HTTP 400): vLLM's way."),
        ({"detail": [{"loc": ["body"]}]}, '(HTTP 400): [{"loc": ["body"]}].'),
        ("only text", "(HTTP 400): only text."),
        (b"\xff\xfe", "(HTTP 400): "),
        ("<html><title> 400 Bad\n Request </title></html>", "(HTTP 400): 400 Bad Request."),
        ("<html>no title</html>", "(HTTP 400). Correct"),
        ("x" * 10_000, "x" * 500 + "…"),
        ({}, "(HTTP 400). Correct"),
        ([], "(HTTP 400). Correct"),
    ],
)
def test_a_servers_words_are_found_wherever_it_puts_them(body: object, words: str) -> None:
    message = refusal(400, body).message
    assert words in message
    assert len(message) < 800


def test_a_gateways_page_becomes_a_server_error() -> None:
    error = refusal(502, "<html><head><title>502 Bad Gateway</title></head></html>")
    assert isinstance(error, ModelServerError)
    assert "gateway" in error.message
    assert "502 Bad Gateway" in error.message
    assert "<html>" not in error.message


def test_a_model_that_is_not_there_brings_the_list_of_those_that_are() -> None:
    models = {"data": [{"id": "small"}, {"id": "large"}]}
    error = refusal(404, said("The model 'tiny' does not exist"), models=models)
    assert isinstance(error, ModelRequestError)
    assert "It offers: large, small." in error.message


def test_a_long_list_of_models_is_cut() -> None:
    models = {"data": [{"id": f"m{number:02}"} for number in range(30)]}
    assert "m19 and 10 more." in refusal(404, {}, models=models).message


@pytest.mark.parametrize(
    "models", [{"data": []}, {"data": None}], ids=["an empty list", "none, as Ollama writes it"]
)
def test_a_server_without_models_says_so(models: object) -> None:
    assert "no models at all" in refusal(404, {}, models=models).message


@pytest.mark.parametrize("models", [None, {}, {"data": [{"name": "x"}]}, {"data": 3}, [1]])
def test_a_server_that_lists_no_models_is_told_apart_by_its_address(models: object) -> None:
    message = refusal(404, said("not found"), models=models).message
    assert "base_url, which usually ends with /v1" in message


def test_the_key_is_in_no_message_and_no_representation() -> None:
    error = refusal(401, said("Incorrect API key provided: sk-secret."))
    assert "sk-secret" not in f"{error} {error.details} {error!r}"
    assert "provided: ***" in error.message

    async def shown() -> str:
        async with serving(reply(completion())) as server, server.model() as model:
            return f"{model!r} {model._transport!r}"

    text = asyncio.run(shown())
    assert "OpenAIModel('tiny', base_url='http://server.test/v1')" in text
    assert "Bearer" not in text


def test_the_query_of_an_address_is_sent_but_not_shown() -> None:
    async def call() -> ModelError:
        async with serving(reply("no", status=400)) as server:
            model = server.model(base_url="http://server.test/v1?key=hidden")
            async with model:
                with pytest.raises(ModelError) as caught:
                    await model.respond(ASK)
            return caught.value

    assert "hidden" not in str(asyncio.run(call()))


def test_the_wait_that_a_server_asks_for_is_part_of_the_error() -> None:
    error = refusal(429, said("Slow down"), Retry_After="30")
    assert error.retry_after == 30
    assert "Wait 30 s" in error.message
