"""Makes built-in tools as a blueprint does: from options, within what is granted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent_factory.core.permissions import Denial, Grant, Permissions, SecretSource
from agent_factory.core.registry import ToolEnvironment, ToolRegistry
from agent_factory.core.tools import Tool
from agent_factory.integrations.tools import create_builtin_entries

__all__ = ["create_environment", "create_granted_tool"]


def create_environment(
    folder: Path,
    *,
    read: tuple[str, ...] = (),
    write: tuple[str, ...] = (),
    commands: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
    secrets: SecretSource | None = None,
    secret_names: tuple[str, ...] = (),
    denied: list[Denial] | None = None,
) -> ToolEnvironment:
    permissions = Permissions(
        read=read, write=write, commands=commands, hosts=hosts, secrets=secret_names
    )
    grant = Grant(
        permissions,
        folder,
        secrets=secrets,
        on_denied=None if denied is None else denied.append,
    )
    return ToolEnvironment(folder, grant)


def create_granted_tool(
    name: str, options: dict[str, Any], environment: ToolEnvironment
) -> Tool[object]:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    checked = entry.options.model_validate(options)
    for need in entry.needs(checked):
        environment.grant.check(need)
    return entry.create(checked, environment)
