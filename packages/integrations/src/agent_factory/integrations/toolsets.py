"""The toolsets of blueprints: MCP servers and APIs, made of what a blueprint says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.bundle import read_bundled_file
from agent_factory.core.blueprints.document import MAX_BYTES, read_document
from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.permissions import Need

if TYPE_CHECKING:
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.blueprints.schema.tools import (
        McpSection,
        OpenApiSection,
        SecretValue,
        ToolsetSection,
    )
    from agent_factory.core.permissions import PermissionKind
    from agent_factory.core.registry import ToolEnvironment
    from agent_factory.core.toolsets import Toolset
    from agent_factory.integrations.mcp.servers import MCPServer, SecretRef

__all__ = ["BlueprintToolsets"]


class BlueprintToolsets:
    """Makes the toolsets of blueprints: a `ToolsetFactory` of `agent_factory.core.blueprints`."""

    def find_needs(self, section: ToolsetSection, file: BlueprintFile) -> tuple[Need, ...]:
        """Return what a toolset needs to be permitted; nothing is connected to find out.

        Args:
            section: What the blueprint says of it.
            file: The blueprint.

        Raises:
            ConfigurationError: It cannot be used: an address is none, or the document or an operation is not there.
        """
        if section.mcp is not None:
            from agent_factory.integrations.mcp.servers import find_needs

            return tuple(
                Need(need.kind, need.target, ("mcp", *need.path))
                for need in find_needs(_create_server(section.mcp))
            )
        if section.openapi is None:
            return ()
        return _find_api_needs(section.openapi, file)

    def create(
        self,
        name: str,
        section: ToolsetSection,
        file: BlueprintFile,
        environment: ToolEnvironment,
    ) -> Toolset[object]:
        """Return the toolset. It is connected when its tools are first asked for.

        Args:
            name: Its name in the blueprint.
            section: What the blueprint says of it.
            file: The blueprint.
            environment: What it is made in.

        Raises:
            ConfigurationError: It cannot be made.
            PermissionDeniedError: It needs more than is granted.
        """
        grant = environment.grant
        if section.mcp is not None:
            from agent_factory.integrations.mcp import create_mcp_toolset

            given = section.mcp
            return create_mcp_toolset(
                _create_server(given),
                grant=grant,
                name=name,
                timeout=given.timeout,
                call_timeout=given.call_timeout,
                effects=given.effects,
                trust_hints=given.trust_hints,
            )
        if section.openapi is None:
            raise ConfigurationError(f"toolset {name!r} has neither 'mcp' nor 'openapi'")
        from agent_factory.integrations.openapi import create_openapi_toolset

        api = section.openapi
        made = create_openapi_toolset(
            _read_api(api, file),
            grant=grant,
            server=api.server,
            operations=api.operations or None,
            authentication=_create_authentication(api),
            timeout=api.timeout,
        )
        return made.filter(lambda tool: grant.allows(Need("tools", f"{name}/{tool.name}")))


def _create_server(section: McpSection) -> MCPServer:
    from agent_factory.integrations.mcp.servers import HttpServer, StdioServer

    if section.url is not None:
        return HttpServer(section.url, _create_values(section.headers))
    return StdioServer(section.command, _create_values(section.environment), section.folder)


def _create_values(values: dict[str, SecretValue]) -> dict[str, SecretRef | str]:
    from agent_factory.integrations.mcp.servers import SecretRef

    return {
        name: (value.text or "") if value.secret is None else SecretRef(value.secret, value.prefix)
        for name, value in values.items()
    }


def _create_authentication(section: OpenApiSection) -> Any:
    from agent_factory.integrations.openapi.authentication import OpenApiAuthentication

    given = section.authentication
    if given is None:
        return None
    if given.kind == "basic":
        return OpenApiAuthentication("basic", given.secret, user=given.name or "")
    if given.kind == "bearer":
        return OpenApiAuthentication("bearer", given.secret)
    return OpenApiAuthentication(given.kind, given.secret, name=given.name or "")


def _find_api_needs(section: OpenApiSection, file: BlueprintFile) -> tuple[Need, ...]:
    from agent_factory.integrations.http.urls import parse_url
    from agent_factory.integrations.openapi.operations import compile_operations

    document = _read_api(section, file)
    compile_operations(document, section.operations or None)
    needs: list[Need] = []
    if section.authentication is not None:
        needs.append(
            Need("secrets", section.authentication.secret, ("openapi", "authentication", "secret"))
        )
    if section.server is not None:
        try:
            url = parse_url(section.server)
        except ToolError as error:
            raise ConfigurationError(f"openapi.server: {error.message}") from None
        host = f"[{url.host}]" if ":" in url.host else url.host
        kind: PermissionKind = "private_hosts" if url.host == "localhost" else "hosts"
        needs.append(Need(kind, f"{url.scheme}://{host}:{url.port}", ("openapi", "server")))
    return tuple(needs)


def _read_api(section: OpenApiSection, file: BlueprintFile) -> dict[str, Any]:
    """Return the OpenAPI document as plain data."""
    content = read_bundled_file(file.folder, section.file)
    if section.file.endswith(".json"):
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{section.file} is not JSON: {error}") from None
    else:
        if len(content) > MAX_BYTES:
            raise ConfigurationError(
                f"{section.file} has {len(content):,} bytes; at most {MAX_BYTES:,} of YAML are read: give it as .json"
            )
        document = read_document(content, section.file)
        if document.problems:
            raise ConfigurationError(
                f"{document.problems[0].location}: {document.problems[0].message}"
            )
        value = document.value
    if not isinstance(value, dict):
        raise ConfigurationError(f"{section.file} is no OpenAPI document: it must be a mapping")
    return value
