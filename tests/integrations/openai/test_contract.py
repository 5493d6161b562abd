"""The clients of OpenAI's protocols keep the contract of core's port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from agent_factory.core import Model
from agent_factory.integrations.openai import OpenAIClientModel
from tests.integrations.model_contract import ModelContract, Scenario
from tests.integrations.openai.sdk_clients import azure_client, sdk_client
from tests.integrations.openai.server import (
    Server,
    chunk,
    completion,
    delta,
    events,
    function_call,
    item,
    message,
    reply,
    response,
    serving,
    terminal,
)

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "search_documents", "arguments": '{"query":"capital"}'},
}


@asynccontextmanager
async def completing(scenario: Scenario) -> AsyncIterator[Server]:
    """Run a Chat Completions server that does what a scenario says."""
    whole = {
        "text": reply(completion("Paris it is.")),
        "tools": reply(completion(None, finish_reason="tool_calls", tool_calls=[CALL])),
        "output": reply(completion('{"name":"Paris"}')),
        "failure": reply({"error": {"message": "no"}}, status=400),
    }[scenario]
    streamed = {
        "text": events(chunk("Paris "), chunk("it is."), chunk(finish_reason="stop")),
        "tools": events(
            chunk(tool_calls=[{**CALL, "index": 0}]), chunk(finish_reason="tool_calls")
        ),
    }.get(scenario, whole)

    async def answer(request: web.Request) -> web.StreamResponse:
        wants_stream = bool(server.bodies[-1].get("stream"))
        return await (streamed if wants_stream else whole)(request)

    async with serving(answer) as server:
        yield server


class TestOpenAIModel(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with completing(scenario) as server, server.model() as model:
            yield model


class TestOpenAIClientModel(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with completing(scenario) as server, sdk_client(server) as client:
            yield OpenAIClientModel("tiny", client)


class TestOpenAIClientModelOnAzure(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        async with completing(scenario) as server, azure_client(server) as client:
            yield OpenAIClientModel("tiny", client)


class TestOpenAIResponsesModel(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        text = response(message("Paris it is."))
        call = function_call("search_documents", '{"query":"capital"}', "call_1")
        whole = {
            "text": reply(text),
            "tools": reply(response(call)),
            "output": reply(response(message('{"name":"Paris"}'))),
            "failure": reply({"error": {"message": "no"}}, status=400),
        }[scenario]
        streamed = {
            "text": events(delta("Paris "), delta("it is."), terminal(text), done=False),
            "tools": events(item(call), terminal(response(call)), done=False),
        }.get(scenario, whole)

        async def answer(request: web.Request) -> web.StreamResponse:
            wants_stream = bool(server.bodies[-1].get("stream"))
            return await (streamed if wants_stream else whole)(request)

        async with serving(answer) as server, server.responses_model() as model:
            yield model
