"""Connections to a server at the addresses that were found for it, and at no other."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from agent_factory.core.exceptions import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from aiohttp.connector import Connection

    from agent_factory.integrations.http.resolving import Route

__all__ = ["MAX_HEADER_BYTES", "create_session"]

MAX_HEADER_BYTES = 16 * 1024
"""Bytes that one header of an answer may have."""


def create_session(route: Route, on_sending: Callable[[], None]) -> aiohttp.ClientSession:
    """Return a session for one request, which knows no cookies, no proxies and no credentials of its own.

    Args:
        route: Where the server may be reached. It is compared before a connection is made, and once more before anything is
            sent over it.
        on_sending: Called when the request begins to be sent.
    """

    def open_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not route.allows(address[0]):
            raise _create_error()
        return socket.socket(family, kind, protocol)

    class Request(aiohttp.ClientRequest):
        async def send(self, conn: Connection) -> aiohttp.ClientResponse:
            transport = conn.transport
            peer = None if transport is None else transport.get_extra_info("peername")
            if not peer or not route.allows(peer[0]):
                raise _create_error()
            on_sending()
            return await super().send(conn)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=_Known(route),
            use_dns_cache=False,
            force_close=True,
            socket_factory=open_socket,
        ),
        request_class=Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        # Never more than is wanted.
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        headers={"User-Agent": "agent-factory"},
        skip_auto_headers=("Content-Type",),
    )


class _Known(AbstractResolver):
    """Answers with what was found before: a name that leads elsewhere by now is not asked for again."""

    def __init__(self, route: Route) -> None:
        self._route = route

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - one of the interface
    ) -> list[ResolveResult]:
        """Return the addresses that were checked, of whatever family."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._route.addresses
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _create_error() -> ToolError:
    return ToolError("the connection led to another address than was checked: nothing was sent")
