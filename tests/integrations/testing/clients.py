"""Clients of the test server, which reach only its Unix socket."""

from __future__ import annotations

from typing import Any

import httpx2
from openai import AsyncOpenAI

from agent_factory.integrations.openai import OpenAIModel, OpenAIResponsesModel, RetryPolicy
from agent_factory.integrations.testing import OpenAIServer

__all__ = ["RESPONSES_TOOL", "TOOL", "USER", "chat_model", "responses_model", "sdk"]

USER: Any = {"role": "user", "content": "What is the capital of France?"}
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
TOOL: Any = {"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}
RESPONSES_TOOL: Any = {"type": "function", "name": "add", "parameters": PARAMETERS, "strict": True}


def sdk(server: OpenAIServer, **options: Any) -> AsyncOpenAI:
    """Return the official client, which repeats nothing unless told to."""
    known: dict[str, Any] = {
        "api_key": server.api_key,
        "base_url": server.base_url,
        "max_retries": 0,
        "http_client": httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=server.path)),
    }
    return AsyncOpenAI(**(known | options))


def chat_model(server: OpenAIServer, **options: Any) -> OpenAIModel:
    """Return our client of Chat Completions, which repeats without waiting."""
    return OpenAIModel("tiny", **_options(server, options))


def responses_model(server: OpenAIServer, **options: Any) -> OpenAIResponsesModel:
    """Return our client of Responses, which repeats without waiting."""
    return OpenAIResponsesModel("tiny", **_options(server, options))


def _options(server: OpenAIServer, options: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "api_key": server.api_key,
        "base_url": server.base_url,
        "retry": RetryPolicy(first_delay=0),
        "connector": server.connector,
    }
    return known | options
