"""Clients of the ``openai`` package that reach only a test's server."""

from __future__ import annotations

from typing import Any

import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI

from tests.integrations.openai.server import Server

__all__ = ["azure_client", "sdk_client"]


def sdk_client(server: Server, **options: Any) -> AsyncOpenAI:
    """Return a client of a server, which repeats nothing."""
    known: dict[str, Any] = {
        "api_key": "sk-secret",
        "base_url": "http://server.test/v1",
        "max_retries": 0,
        "http_client": _connect(server),
    }
    return AsyncOpenAI(**(known | options))


def azure_client(server: Server) -> AsyncAzureOpenAI:
    """Return a client of a server that takes it for Azure's."""
    return AsyncAzureOpenAI(
        api_key="sk-secret",
        azure_endpoint="http://server.test",
        api_version="2025-01-01",
        max_retries=0,
        http_client=_connect(server),
    )


def _connect(server: Server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=server.path))
