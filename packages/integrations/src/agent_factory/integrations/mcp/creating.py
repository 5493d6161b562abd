"""Makes toolsets of MCP servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_factory.core.tools import DEFAULT_RESULT_CHARS, Effect
from agent_factory.integrations.http.messages import check_header
from agent_factory.integrations.http.resolving import Lookup, look_up
from agent_factory.integrations.mcp.connections import Connection
from agent_factory.integrations.mcp.links import Link
from agent_factory.integrations.mcp.programs import (
    Process,
    find_program,
    find_search_path,
    start_program,
)
from agent_factory.integrations.mcp.sdk import Sdk, load_sdk
from agent_factory.integrations.mcp.servers import HttpServer, MCPServer, StdioServer, read_values
from agent_factory.integrations.mcp.settings import OnProgress, Settings
from agent_factory.integrations.mcp.stdio import open_stdio
from agent_factory.integrations.mcp.streamable import open_streamable
from agent_factory.integrations.mcp.toolset import McpToolset
from agent_factory.integrations.mcp.words import LastWords

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant

__all__ = ["create_mcp_toolset"]


def create_mcp_toolset(
    server: MCPServer,
    *,
    grant: Grant,
    name: str,
    timeout: float = 30.0,
    call_timeout: float = 60.0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
    effects: Mapping[str, Effect] = MappingProxyType({}),
    trust_hints: bool = False,
    on_progress: OnProgress | None = None,
    search_path: Sequence[str] | None = None,
    lookup: Lookup = look_up,
) -> McpToolset:
    """Return the tools of an MCP server. Nothing is imported, started or called before they are asked for.

    Of its tools, those are offered that ``permissions.tools`` names as ``name/tool``, or ``name/*`` for all.

    Args:
        server: The server.
        grant: What is permitted.
        name: Name of the toolset, as in the permissions.
        timeout: Seconds that connecting may take; finite and greater than 0.
        call_timeout: Seconds that one call may take; finite and greater than 0.
        max_result_chars: Characters of a result that the model gets; at least 1.
        effects: What tools do to the world, by their names; ``once`` where nothing is said.
        trust_hints: Whether the server is believed what it says of that; ``effects`` counts more.
        on_progress: Told of what the server reports of calls; quick, and raising nothing.
        search_path: Folders in which programs are looked for; those of this process's ``PATH`` if None.
        lookup: Finds the addresses of a host's name.

    Raises:
        ConfigurationError: A value is out of its range.
    """
    settings = Settings(
        name, timeout, call_timeout, max_result_chars, effects, trust_hints, on_progress
    )
    if isinstance(server, StdioServer):
        open_link = _prepare_stdio(server, grant, search_path)
    else:
        open_link = _prepare_streamable(server, grant, timeout, lookup)

    def connect() -> Connection:
        sdk = load_sdk()
        words = LastWords()
        return Connection(lambda on_end: open_link(sdk, words, on_end), sdk, words, timeout)

    return McpToolset(settings, grant, connect)


_Open = Callable[[Sdk, LastWords, Callable[[str], None]], AbstractAsyncContextManager[Link]]


def _prepare_stdio(server: StdioServer, grant: Grant, search_path: Sequence[str] | None) -> _Open:
    # Both are found once: neither a change of PATH nor of the current folder leads to another program.
    folders = find_search_path() if search_path is None else tuple(search_path)
    found: list[str] = []

    def open_link(
        sdk: Sdk, words: LastWords, on_end: Callable[[str], None]
    ) -> AbstractAsyncContextManager[Link]:
        def start() -> Process:
            if not found:
                found.append(find_program(server.command[0], grant.folder, folders))
            return start_program(server, found[0], grant, folders)

        return open_stdio(start, sdk, words, on_end)

    return open_link


def _prepare_streamable(server: HttpServer, grant: Grant, timeout: float, lookup: Lookup) -> _Open:
    @asynccontextmanager
    async def open_link(
        sdk: Sdk, words: LastWords, on_end: Callable[[str], None]
    ) -> AsyncIterator[Link]:
        del words, on_end  # neither is known of a server that is only called
        address = server.address
        grant.check_address(address.scheme, address.host, address.port)
        headers = read_values(server.headers, grant)
        for header, value in headers.items():
            check_header(header, value)
        async with open_streamable(address, headers, sdk, grant, lookup, timeout) as link:
            yield link

    return open_link
