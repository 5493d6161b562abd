"""MCP servers, as a blueprint names them: a program that is started, or an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeAlias

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.permissions.manifest import Need
from agent_factory.integrations.http.addresses import classify_address
from agent_factory.integrations.http.messages import check_header
from agent_factory.integrations.http.urls import HttpUrl, parse_url

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant

__all__ = ["HttpServer", "MCPServer", "SecretRef", "StdioServer", "find_needs", "read_values"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What belongs to the protocol itself.
_PROTOCOL_HEADERS = ("accept", "content-type", "last-event-id", "mcp-")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A value with a secret in it, by the secret's name.

    Attributes:
        name: Name of the secret, which the permissions must name.
        prefix: Text before the secret, such as ``Bearer ``.

    Raises:
        ConfigurationError: The name is empty.
    """

    name: str
    prefix: str = ""

    def __post_init__(self) -> None:
        """Check the name."""
        if not self.name.strip():
            raise ConfigurationError("SecretRef.name is empty: name a secret")


@dataclass(frozen=True, slots=True)
class StdioServer:
    """A server that is started as a program and spoken with over its standard input and output.

    Attributes:
        command: The program and its arguments. The program is a name that is looked for in the search path, an absolute
            path, or a path with a ``/`` in it, relative to the folder of the blueprint.
        environment: Environment variables, beside the few that every server gets.
        folder: Folder that it starts in, relative to the folder of the blueprint; an empty one of its own if None.

    Raises:
        ConfigurationError: The command is empty, or something in it or in the environment cannot be passed on.
    """

    command: tuple[str, ...]
    environment: Mapping[str, SecretRef | str] = field(default_factory=dict)
    folder: str | None = None

    def __post_init__(self) -> None:
        """Check the command and the environment."""
        given: Any = self.command
        if isinstance(given, str) or not given or not given[0].strip():
            raise ConfigurationError(
                f"StdioServer.command must be a program and its arguments, such as ('my-server', '--stdio'), not {given!r}"
            )
        if any("\0" in part for part in given):
            raise ConfigurationError(
                "StdioServer.command has a NUL in it, which cannot be passed on"
            )
        for name, value in self.environment.items():
            if not _VARIABLE.fullmatch(name):
                raise ConfigurationError(
                    f"StdioServer.environment: {name!r} is no name of an environment variable"
                )
            if isinstance(value, str) and "\0" in value:
                raise ConfigurationError(
                    f"StdioServer.environment: the value of {name!r} has a NUL in it, which cannot be passed on"
                )


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A server that is spoken with over streamable HTTP.

    Attributes:
        url: Its address, such as ``https://mcp.example.com/mcp``.
        headers: Headers of every request. No other origin than that of the address gets them.

    Raises:
        ConfigurationError: The address cannot be called, or a header cannot be sent.
    """

    url: str
    headers: Mapping[str, SecretRef | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the address and the headers."""
        _ = self.address
        for name, value in self.headers.items():
            check_header(name, value if isinstance(value, str) else value.prefix.rstrip(" "))
            if name.lower().startswith(_PROTOCOL_HEADERS):
                raise ConfigurationError(
                    f"HttpServer.headers: {name!r} belongs to the protocol itself: leave it out"
                )

    @property
    def address(self) -> HttpUrl:
        """The address, read in the one way in which it is checked and called."""
        try:
            return parse_url(self.url)
        except ToolError as error:
            raise ConfigurationError(f"HttpServer.url: {error.message}") from None


MCPServer: TypeAlias = StdioServer | HttpServer
"""A server."""


def find_needs(server: MCPServer) -> tuple[Need, ...]:
    """Return what connecting to a server needs to be permitted, so far as its description says it.

    Nothing is opened, started or looked up. Whether a host with a name has a private address is not known before: it counts
    as a public one, unless it is ``localhost``.

    Args:
        server: The server.
    """
    if isinstance(server, StdioServer):
        needs = [Need("commands", server.command[0], ("command", 0))]
        if server.folder is not None:
            needs.append(Need("read", server.folder, ("folder",)))
        return (*needs, *_find_secrets(server.environment, "environment"))
    address = server.address
    shown = f"[{address.host}]" if ":" in address.host else address.host
    target = f"{address.scheme}://{shown}:{address.port}"
    kind = "private_hosts" if _is_private(address.host) else "hosts"
    return (
        Need("private_hosts" if kind == "private_hosts" else "hosts", target, ("url",)),
        *_find_secrets(server.headers, "headers"),
    )


def read_values(values: Mapping[str, SecretRef | str], grant: Grant) -> dict[str, str]:
    """Return values with their secrets.

    Args:
        values: The values, by the names of what they are for.
        grant: Where secrets come from.

    Raises:
        PermissionDeniedError: A secret is not granted.
        ConfigurationError: A secret is not set, or cannot be passed on.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, SecretRef):
            secret = grant.get_secret(value.name)
            if "\0" in secret:
                raise ConfigurationError(
                    f"the secret {value.name!r} has a NUL in it, which cannot be passed on as {name!r}"
                )
            found[name] = f"{value.prefix}{secret}"
        else:
            found[name] = value
    return found


def _find_secrets(values: Mapping[str, SecretRef | str], key: str) -> tuple[Need, ...]:
    return tuple(
        Need("secrets", value.name, (key, name))
        for name, value in values.items()
        if isinstance(value, SecretRef)
    )


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return classify_address(host) != "public"
