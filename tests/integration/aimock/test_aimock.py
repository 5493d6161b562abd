"""The OpenAI client against a server that somebody else wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    Agent,
    Model,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequest,
    ModelRequestError,
    ModelResponse,
    TextDelta,
    Usage,
    UserMessage,
    tool,
)
from agent_factory.integrations.openai import OpenAIModel, RetryPolicy
from tests.integration.aimock.server import KEY, running_aimock
from tests.integrations.model_contract import ModelContract, Scenario

pytestmark = pytest.mark.integration

CALLS = [
    {"id": "call_a", "name": "search_documents", "arguments": {"query": "capital of France"}},
    {"id": "call_b", "name": "search_documents", "arguments": {"query": "Paris"}},
]
FIXTURES: list[object] = [
    {
        "match": {"userMessage": "say it slowly"},
        "response": {"content": "The capital of France is Paris, as everybody knows."},
        "truncateAfterChunks": 3,
        # Without a pause Node throws the first pieces away together with the connection.
        "latency": 30,
    },
    {
        "match": {"userMessage": "too fast"},
        "response": {
            "error": {"message": "Slow down", "type": "rate_limit_error"},
            "status": 429,
        },
    },
    {
        "match": {"userMessage": "capital", "responseFormat": "json_schema"},
        "response": {"content": '{"name":"Paris"}'},
    },
    {
        "match": {
            "userMessage": "capital",
            "toolName": "search_documents",
            "hasToolResult": False,
        },
        "response": {"toolCalls": CALLS},
    },
    {
        "match": {"userMessage": "capital"},
        "response": {"content": "The capital of France is Paris."},
    },
]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_aimock(FIXTURES, tmp_path_factory.mktemp("aimock")) as url:
        yield url


def client(base_url: str, **options: Any) -> OpenAIModel:
    known: dict[str, Any] = {"api_key": KEY, "retry": RetryPolicy(max_retries=0)}
    return OpenAIModel("gpt-5-mini", base_url=base_url, **(known | options))


def ask(text: str) -> ModelRequest:
    return ModelRequest((UserMessage(text),))


class TestContract(ModelContract):
    @pytest.fixture(autouse=True)
    def prepare(self, base_url: str) -> None:
        self.base_url = base_url

    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        key = "sk-wrong" if scenario == "failure" else KEY
        async with client(self.base_url, api_key=key) as model:
            yield model


def test_streamed_usage_is_the_servers_count(base_url: str) -> None:
    async def call() -> tuple[int, Usage]:
        async with client(base_url) as model:
            *pieces, last = [item async for item in model.stream(ask("The capital?"))]
        assert isinstance(last, ModelResponse)
        return len(pieces), last.usage

    pieces, usage = asyncio.run(call())
    assert pieces > 1
    assert usage.requests == 1
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


def test_an_agent_carries_out_parallel_calls_and_answers(base_url: str) -> None:
    asked: list[str] = []

    @tool
    async def search_documents(query: str) -> str:
        """Search the documents.

        Args:
            query: Words to look for.
        """
        asked.append(query)
        return "The capital of France is Paris."

    agent = Agent(name="clerk", model=client(base_url), tools=[search_documents])
    for _ in range(2):
        # Each run_sync has an event loop of its own, and the client is never closed.
        result = agent.run_sync("What is the capital of France?")
        assert result.output == "The capital of France is Paris."
        assert (result.usage.requests, result.usage.tool_calls) == (2, 2)
    assert sorted(asked) == ["Paris", "Paris", "capital of France", "capital of France"]


def test_an_agent_gets_an_answer_of_its_type(base_url: str) -> None:
    class City(BaseModel):
        name: str

    agent = Agent(name="clerk", model=client(base_url), output_type=City)
    assert agent.run_sync("Which city is the capital?").output == City(name="Paris")


def test_a_wrong_key_is_an_authentication_error(base_url: str) -> None:
    async def call() -> None:
        async with client(base_url, api_key="sk-wrong") as model:
            with pytest.raises(ModelAuthenticationError) as caught:
                await model.respond(ask("capital"))
        assert "sk-wrong" not in str(caught.value)

    asyncio.run(call())


def test_the_wait_that_the_server_asks_for_is_known(base_url: str) -> None:
    async def call() -> None:
        async with client(base_url) as model:
            with pytest.raises(ModelRateLimitError, match="Slow down") as caught:
                await model.respond(ask("too fast"))
        assert caught.value.retry_after == 1

    asyncio.run(call())


def test_what_the_server_does_not_know_is_a_request_error_with_its_models(base_url: str) -> None:
    async def call() -> None:
        async with client(base_url) as model:
            offered = await model.list_models()
            with pytest.raises(ModelRequestError, match="It offers: ") as caught:
                await model.respond(ask("something else"))
        assert offered
        assert offered[0] in caught.value.message

    asyncio.run(call())


def test_a_stream_that_breaks_off_is_not_taken_for_an_answer(base_url: str) -> None:
    async def call() -> str:
        text = ""
        async with client(base_url) as model:
            with pytest.raises(ModelConnectionError):
                async for item in model.stream(ask("say it slowly")):
                    assert isinstance(item, TextDelta)
                    text += item.text
        return text

    text = asyncio.run(call())
    assert text
    assert "everybody knows" not in text
