"""Makes tools of the operations of an OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.permissions.manifest import Need
from agent_factory.core.problems import cut
from agent_factory.core.schemas import create_schema_tool
from agent_factory.core.toolsets import combine_tools
from agent_factory.integrations.http.client import (
    DEFAULT_MAX_BYTES,
    DEFAULT_MAX_REDIRECTS,
    DEFAULT_TIMEOUT,
    GuardedClient,
)
from agent_factory.integrations.http.urls import parse_url
from agent_factory.integrations.openapi.calling import create_request, describe_answer
from agent_factory.integrations.openapi.document import OpenApiDocument, as_list, as_mapping
from agent_factory.integrations.openapi.operations import compile_operations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.context import ToolContext
    from agent_factory.core.permissions import Grant
    from agent_factory.core.tools import Tool
    from agent_factory.core.toolsets import Toolset
    from agent_factory.integrations.http.resolving import Lookup
    from agent_factory.integrations.openapi.authentication import OpenApiAuthentication
    from agent_factory.integrations.openapi.operations import CompiledOperation

__all__ = ["create_openapi_toolset"]

DEFAULT_MAX_CHARACTERS = 50_000
# Beyond the client's own deadline, which has the better words.
_SPARE_SECONDS = 5.0


def create_openapi_toolset(
    document: Mapping[str, Any],
    *,
    grant: Grant,
    server: str | None = None,
    operations: Sequence[str] | None = None,
    authentication: OpenApiAuthentication | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_characters: int = DEFAULT_MAX_CHARACTERS,
    max_redirects: int = DEFAULT_MAX_REDIRECTS,
    lookup: Lookup | None = None,
) -> Toolset[object]:
    """Make tools of the operations of an OpenAPI document. Nothing is called before a tool is.

    The arguments of a tool are the parameters of the operation, and its JSON body as ``body``. Its result has ``status``,
    ``content_type``, ``body`` and ``truncated``; a status of 400 and above is a result too. What reads has the effect
    ``read``, PUT and DELETE are ``idempotent``, everything else is ``once``.

    Args:
        document: A document of OpenAPI 3.0 or 3.1 as plain data.
        grant: What may be called, and the secret that may be used.
        server: The URL that paths are appended to; the first of the document's ``servers`` if None.
        operations: The ``operationId`` of those that become tools; all of them if None.
        authentication: The secret that goes along with each request.
        timeout: Seconds that a call may take; finite and greater than 0.
        max_bytes: Bytes of an answer that are read, at least 1.
        max_characters: Characters of an answer that the model gets, at least 1.
        max_redirects: How many redirects are followed; each is checked, and the secret goes to no other server.
        lookup: Finds the addresses of a host's name; the operating system's way if None.

    Returns:
        The tools.

    Raises:
        ConfigurationError: The document, the server or an operation cannot be used; the message says what and where.
        PermissionDeniedError: The server or the secret is not granted.
    """
    if isinstance(max_characters, bool) or max_characters < 1:
        raise ConfigurationError(
            f"max_characters must be a whole number of at least 1, not {max_characters!r}"
        )
    hidden: set[tuple[str, str]] = set()
    if authentication is not None:
        grant.check(Need("secrets", authentication.secret, ("authentication", "secret")))
        hidden.add(
            ("header", authentication.header)
            if authentication.header
            else ("query", authentication.name)
        )
    compiled = compile_operations(document, operations, without=frozenset(hidden))
    base = _find_server(document, server, grant)
    client = GuardedClient(
        grant,
        max_bytes=max_bytes,
        timeout=timeout,
        max_redirects=max_redirects,
        lookup=lookup,
    )

    def create(operation: CompiledOperation) -> Tool[object]:
        async def call(_: ToolContext[object], arguments: dict[str, Any]) -> object:
            headers, query = ({}, {}) if authentication is None else authentication.create(grant)
            request = create_request(
                operation, base, arguments, secret_headers=headers, secret_query=query
            )
            return describe_answer(await client.send(request), grant, max_characters)

        return create_schema_tool(
            call,
            name=operation.name,
            description=operation.description,
            parameters=operation.schema,
            effect=operation.effect,
            timeout=timeout + _SPARE_SECONDS,
            # The answer is bounded already, and cut JSON would be none.
            max_result_chars=8 * max_characters + 100_000,
        )

    return combine_tools(*map(create, compiled))


def _find_server(document: Mapping[str, Any], server: str | None, grant: Grant) -> str:
    text = _read_server(document) if server is None else server
    try:
        url = parse_url(text)
    except ToolError as error:
        raise ConfigurationError(
            f"the server {cut(repr(text))} cannot be used: {error.message}"
            if "@" not in text
            else f"the server cannot be used: {error.message}"
        ) from None
    if url.url.raw_query_string or "#" in text:
        raise ConfigurationError(f"the server {cut(repr(text))} must have no '?' and no '#' in it")
    grant.check_address(url.scheme, url.host, url.port)
    return str(url.url).rstrip("/")


def _read_server(document: Mapping[str, Any]) -> str:
    """Return the first server of a document, with the usual values of its variables."""
    reader = OpenApiDocument(document)
    for operation in reader.list_operations():
        if "servers" in operation.item or "servers" in operation.body:
            raise ConfigurationError(
                f"{operation.where} has servers of its own: say with 'server' which one to call"
            )
    servers = as_list(document.get("servers", []), "servers")
    if not servers:
        raise ConfigurationError(
            "the document names no server: say with 'server' which one to call"
        )
    first = as_mapping(servers[0], "servers/0")
    url = first.get("url")
    if not isinstance(url, str):
        raise ConfigurationError("servers/0: must have the text 'url'")
    variables = as_mapping(first.get("variables", {}), "servers/0/variables")
    for name, variable in variables.items():
        default = as_mapping(variable, f"servers/0/variables/{cut(str(name))}").get("default")
        url = url.replace(f"{{{name}}}", str(default))[:10_000]
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"servers/0: {cut(repr(url))} is no absolute URL: say with 'server' which one to call"
        )
    return url
