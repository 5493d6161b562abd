"""The test server on a port of this machine, for clients that know nothing of Unix sockets."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI

from agent_factory.core.messages import UserMessage
from agent_factory.core.models import ModelRequest
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai import OpenAIModel
from agent_factory.integrations.testing import OpenAIServer

pytestmark = pytest.mark.integration


def test_two_servers_have_addresses_of_their_own() -> None:
    async def run() -> tuple[str, str]:
        async with OpenAIServer() as first, OpenAIServer() as second:
            return first.base_url, second.base_url

    first, second = asyncio.run(run())
    assert first != second
    assert first.startswith("http://127.0.0.1:")
    assert first.endswith("/v1")


def test_any_client_needs_only_the_address_and_the_key() -> None:
    async def run() -> list[str | None]:
        async with OpenAIServer(["one", "two"]) as server:
            async with OpenAIModel(
                "tiny", api_key=server.api_key, base_url=server.base_url, connector=server.connector
            ) as model:
                ours = await model.respond(ModelRequest((UserMessage("Hi"),)))
            async with AsyncOpenAI(api_key=server.api_key, base_url=server.base_url) as client:
                theirs = await client.chat.completions.create(
                    model="tiny", messages=[{"role": "user", "content": "Hi"}]
                )
        return [ours.message.text, theirs.choices[0].message.content]

    assert asyncio.run(run()) == ["one", "two"]


def test_a_server_on_a_port_has_no_path() -> None:
    async def run() -> None:
        async with OpenAIServer() as server:
            with pytest.raises(IntegrationConfigurationError, match="unix=True"):
                _ = server.path

    asyncio.run(run())


def test_nothing_listens_after_the_end() -> None:
    async def run() -> None:
        async with OpenAIServer() as server:
            port = int(server.base_url.split(":")[2].split("/")[0])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(run())
