"""What the tests with real MCP servers share."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_factory.core.context import ToolContext
from agent_factory.core.permissions import Grant, Permissions
from agent_factory.core.tools import Tool
from agent_factory.integrations.mcp import (
    HttpServer,
    McpToolset,
    SecretRef,
    StdioServer,
    create_mcp_toolset,
)

__all__ = [
    "CONTEXT",
    "Secrets",
    "create_grant",
    "create_stdio_toolset",
    "create_url_toolset",
    "find_tool",
    "run_http_server",
    "wait_until",
]

HERE = Path(__file__).parent
CONTEXT: ToolContext[object] = ToolContext(None, "run", "call")


class Secrets:
    """Secrets from a mapping."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        return self._values.get(name)


def create_grant(folder: Path, **permissions: Any) -> Grant:
    granted: dict[str, Any] = {
        "commands": (sys.executable,),
        "tools": ("it/*",),
        "secrets": ("TOKEN",),
        **permissions,
    }
    return Grant(Permissions(**granted), folder, secrets=Secrets({"TOKEN": "s3cr3t-v4lue"}))


def create_stdio_toolset(
    program: str,
    *arguments: str,
    folder: Path,
    permissions: Mapping[str, Any] | None = None,
    environment: Mapping[str, SecretRef | str] | None = None,
    server_folder: str | None = None,
    **options: Any,
) -> McpToolset:
    command = (sys.executable, str(HERE / program), *arguments)
    server = StdioServer(command, environment or {}, server_folder)
    grant = create_grant(folder, **(permissions or {}))
    return create_mcp_toolset(server, grant=grant, name="it", **options)


def create_url_toolset(
    url: str,
    folder: Path,
    headers: Mapping[str, SecretRef | str] | None = None,
    permissions: Mapping[str, Any] | None = None,
    **options: Any,
) -> McpToolset:
    server = HttpServer(url, headers or {})
    host = f"http://{server.address.host}:{server.address.port}"
    grant = create_grant(folder, **({"private_hosts": (host,)} | dict(permissions or {})))
    return create_mcp_toolset(server, grant=grant, name="it", **options)


async def find_tool(toolset: McpToolset, name: str) -> Tool[object]:
    return {tool.name: tool for tool in await toolset.list_tools()}[name]


@contextmanager
def run_http_server(*arguments: str, port: int | None = None) -> Iterator[int]:
    """Run the honest server on a local port."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "honest_server.py"), str(port), *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.05)
        else:
            raise AssertionError("the server does not listen")
        yield port
    finally:
        process.kill()
        process.wait()


async def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that has to happen; pytest's own limit ends what never does."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")
