"""How the client keeps and gives up connections, and what it is put together from."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import aiohttp
import pytest

from agent_factory.core import (
    Agent,
    ModelAuthenticationError,
    ModelRequest,
    ModelResponseError,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai import DEFAULT_BASE_URL, OpenAIModel
from tests.integrations.openai.server import chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))


def test_calls_of_one_loop_share_a_connection() -> None:
    async def call() -> int:
        stream = events(chunk("Hi"), chunk(finish_reason="stop"))
        answers = reply(completion()), stream, reply(completion())
        async with serving(*answers) as server, server.model() as model:
            await model.respond(ASK)
            _ = [item async for item in model.stream(ASK)]
            await model.respond(ASK)
            return len(server.connections)

    assert asyncio.run(call()) == 1


def test_a_model_works_on_many_loops_without_being_closed_and_leaks_nothing() -> None:
    def run(model_of: dict[str, OpenAIModel]) -> str:
        async def call() -> str:
            async with serving(reply(completion("Paris."))) as server:
                # One client for all loops, as with Agent.run_sync; only its socket differs here.
                path["now"] = server.path
                model = model_of.setdefault("model", server.model(connector=connect))
                result = await Agent(name="clerk", model=model).run("Capital of France?")
                return result.output

        return asyncio.run(call())

    path: dict[str, str] = {}

    def connect() -> aiohttp.BaseConnector:
        return aiohttp.UnixConnector(path["now"])

    models: dict[str, OpenAIModel] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [run(models) for _ in range(3)] == ["Paris."] * 3
        transport = models["model"]._transport
        assert not transport._sessions
        assert not transport._open
        models.clear()
        gc.collect()
    assert not [item for item in caught if issubclass(item.category, ResourceWarning)]


def test_a_closed_model_opens_again_when_it_is_called() -> None:
    async def call() -> int:
        async with serving(reply(completion())) as server:
            model = server.model()
            await model.respond(ASK)
            await model.aclose()
            await model.aclose()
            await model.respond(ASK)
            await model.aclose()
            return len(server.connections)

    assert asyncio.run(call()) == 2


def test_a_model_that_was_never_called_opens_and_closes_nothing() -> None:
    async def call() -> None:
        async with OpenAIModel("tiny", api_key=None):
            pass

    asyncio.run(call())


def test_the_models_of_a_server_are_listed_in_order() -> None:
    async def call() -> tuple[str, ...]:
        async with serving(reply(completion())) as server, server.model() as model:
            server.models = {"object": "list", "data": [{"id": "small"}, {"id": "large"}]}
            return await model.list_models()

    assert asyncio.run(call()) == ("large", "small")


@pytest.mark.parametrize("models", [{}, {"data": [{}]}, {"data": 1}, {"data": [{"id": 3}]}, []])
def test_something_else_than_a_list_of_models_is_an_error(models: object) -> None:
    async def call() -> None:
        async with serving(reply(completion())) as server, server.model() as model:
            server.models = models
            with pytest.raises(ModelResponseError, match=r"data|object"):
                await model.list_models()

    asyncio.run(call())


def test_a_server_that_refuses_the_key_lists_no_models() -> None:
    async def call() -> None:
        async with serving(reply(completion())) as server, server.model() as model:
            server.refuse_models = 401
            with pytest.raises(ModelAuthenticationError):
                await model.list_models()

    asyncio.run(call())


def test_the_default_server_is_openais() -> None:
    model = OpenAIModel("gpt-5-mini", api_key="sk-1")
    assert model.base_url == DEFAULT_BASE_URL == "https://api.openai.com/v1"
    assert model.name == "openai:gpt-5-mini"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": " "}, "model must not be empty"),
        ({"base_url": "localhost:11434/v1"}, "base_url must be an http:// or https:// address"),
        ({"base_url": "ftp://host/v1"}, "base_url must be an http:// or https:// address"),
        ({"base_url": "http://"}, "base_url must be an http:// or https:// address"),
        ({"base_url": "http://host:99999/v1"}, "base_url must be an http:// or https:// address"),
        ({"base_url": "http://me:hidden@host/v1"}, "must not contain a user or a password"),
        ({"base_url": "http://me:hidden@ho st:x/v1"}, "not that"),
        ({"base_url": "http://host/v1#top"}, "must not contain '#'"),
        ({"proxy": "socks5://host"}, "proxy must be an http:// or https:// address"),
        ({"api_key": ""}, "api_key is empty"),
        ({"api_key": "hidden\n"}, "api_key contains a blank, a line break"),
        ({"api_key": "hiddén"}, "api_key contains a blank, a line break"),
        ({"headers": {"X-A": "hidden\r\nX-B: 1"}}, "the value of 'X-A' contains a line break"),
        ({"headers": {"X A": "1"}}, "'X A' is no name of a header"),
        ({"max_response_bytes": 0}, "max_response_bytes must be a whole number of at least 1"),
        ({"extra_body": {"stream": True}}, "must not contain 'stream'"),
        ({"extra_body": {"stop": {1}}}, "extra_body is not JSON"),
        ({"extra_body": {"temperature": float("nan")}}, "extra_body is not JSON"),
    ],
)
def test_values_that_cannot_work_are_refused_at_once(options: dict[str, Any], words: str) -> None:
    known: dict[str, Any] = {"model": "tiny", "api_key": None}
    with pytest.raises(IntegrationConfigurationError) as caught:
        OpenAIModel(**(known | options))
    assert words in caught.value.message
    assert "hidden" not in caught.value.message
