"""The three clients of one server, for what all of them have to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias

from agent_factory.core import Model, ModelDelta, ModelRequest, ModelResponse
from agent_factory.integrations.openai import OpenAIClientModel, RetryPolicy
from tests.integrations.openai.sdk_clients import sdk_client
from tests.integrations.openai.server import Answer, Server, serving

__all__ = ["CHAT_KINDS", "KINDS", "Kind", "connected", "get_response", "get_stream"]

Kind: TypeAlias = Literal["chat", "responses", "sdk"]
"""Which client: the lean ones of both protocols, or the one that works through the ``openai`` package."""

CHAT_KINDS: tuple[Kind, ...] = ("chat", "sdk")
KINDS: tuple[Kind, ...] = (*CHAT_KINDS, "responses")


@asynccontextmanager
async def connected(kind: Kind, server: Server, **options: Any) -> AsyncIterator[Model]:
    """Open a client of a server, which repeats failed calls without waiting."""
    if kind == "sdk":
        async with sdk_client(server) as client:
            retry = options.pop("retry", RetryPolicy(first_delay=0))
            yield OpenAIClientModel("tiny", client, retry=retry, **options)
        return
    create = server.model if kind == "chat" else server.responses_model
    async with create(**options) as model:
        yield model


async def get_response(
    kind: Kind, request: ModelRequest, *answers: Answer, **options: Any
) -> tuple[ModelResponse, Server]:
    """Return what a client makes of whole answers, and what the server got."""
    async with serving(*answers) as server, connected(kind, server, **options) as model:
        return await model.respond(request), server


async def get_stream(
    kind: Kind, request: ModelRequest, *answers: Answer, **options: Any
) -> tuple[list[ModelDelta], ModelResponse, Server]:
    """Return the pieces and the response that a client makes of streamed answers, and what the server got."""
    deltas: list[ModelDelta] = []
    async with serving(*answers) as server, connected(kind, server, **options) as model:
        async for item in model.stream(request):
            if isinstance(item, ModelResponse):
                return deltas, item, server
            deltas.append(item)
    raise AssertionError("a stream ends with a response")
