"""A well-behaved MCP server for tests, written with the SDK. Run as a program of its own, with a port or without."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, ImageContent, TextContent, ToolAnnotations

server = MCPServer("honest", log_level="ERROR")


@server.tool()
def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def read_environment() -> dict[str, str]:
    """Return the environment."""
    return dict(os.environ)


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def where() -> str:
    """Return the current folder."""
    return str(Path.cwd())


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ToolError(reason)


@server.tool()
def show() -> CallToolResult:
    """Return an image beside a text."""
    image = ImageContent(data="AAAA" * 1000, mime_type="image/png")
    return CallToolResult(content=[TextContent(text="a cat"), image])


def note(file: str, state: str) -> None:
    Path(file).write_text(state)


@server.tool()
async def wait(file: str) -> str:
    """Wait until cancelled, and write that down."""
    note(file, "begun")
    try:
        await asyncio.Event().wait()
    except BaseException:
        note(file, "cancelled")
        raise
    return ""


@server.tool()
async def count(context: Context[Any]) -> str:
    """Report progress."""
    await context.report_progress(1, 2, "half of it")
    return "counted"


@server.tool()
def die(marker: str) -> str:
    """End the server, the first time that it is called."""
    file = Path(marker)
    calls = len(file.read_text()) if file.exists() else 0
    file.write_text("x" * (calls + 1))
    if calls == 0:
        os._exit(3)
    return "alive"


@server.tool()
def huge(characters: int) -> str:
    """Return a long text."""
    return "a" * characters


@server.tool()
def read_header(header: str, context: Context[Any]) -> str:
    """Return a header of the request."""
    return (context.headers or {}).get(header, "none")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]), stateless_http="stateless" in sys.argv)
    else:
        print("starting up", file=sys.stderr)
        server.run()
