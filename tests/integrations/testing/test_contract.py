"""The clients keep the contract of core's port against the test server as well, and with it the server its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_factory.core.messages import ToolCall, ToolMessage
from agent_factory.core.models import Model
from agent_factory.integrations.openai import OpenAIClientModel
from agent_factory.integrations.testing import (
    ErrorAnswer,
    OpenAIServer,
    ReceivedRequest,
    ServerAnswer,
)
from tests.integrations.model_contract import ModelContract, Scenario
from tests.integrations.testing.clients import chat_model, responses_model, sdk

ANSWERS: dict[Scenario, ServerAnswer] = {
    "text": "Paris it is.",
    "tools": ToolCall("call_1", "search_documents", '{"query":"capital"}'),
    "output": '{"name":"Paris"}',
    "failure": ErrorAnswer(400, "no"),
}


def create_server(scenario: Scenario) -> OpenAIServer:
    """Return a server that does what a scenario says."""

    def answer(request: ReceivedRequest) -> ServerAnswer:
        done = isinstance(request.messages[-1], ToolMessage)
        return "Paris it is." if done else ANSWERS[scenario]

    return OpenAIServer(answer, unix=True)


@asynccontextmanager
async def serving(scenario: Scenario) -> AsyncIterator[OpenAIServer]:
    """Run that server; nothing that a client sends may be refused."""
    async with create_server(scenario) as server:
        yield server
    assert server.refusals == []


class TestChatCompletions(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with serving(scenario) as server, chat_model(server) as model:
            yield model


class TestResponses(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with serving(scenario) as server, responses_model(server) as model:
            yield model


class TestTheOfficialClient(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with serving(scenario) as server, sdk(server) as client:
            yield OpenAIClientModel("tiny", client)
