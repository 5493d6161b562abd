"""The manifest: what a blueprint may touch. What it does not name is denied."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions.hosts import parse_host_rule
from agent_factory.core.waiting import is_duration

__all__ = ["Need", "PermissionKind", "Permissions"]

PermissionKind: TypeAlias = Literal[
    "models", "tools", "hosts", "private_hosts", "secrets", "read", "write", "commands"
]
"""What a permission is about; each is a list of the manifest."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a tool, a model or a toolset has to be permitted.

    Attributes:
        kind: What it is about.
        target: What is needed: a name, a host as in the manifest, or a path.
        path: Where in the options the need comes from, for messages.
    """

    kind: PermissionKind
    target: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a blueprint may touch in one run. Empty as long as nothing is named: everything is denied.

    Attributes:
        models: Names of models, as in ``models.*.use``.
        tools: Names of tools in the registry; of a toolset's tools as ``toolset/tool``, or ``toolset/*`` for all.
        hosts: Hosts that tools may call, such as ``api.example.com``, ``*.example.org`` or ``http://example.com:8080``;
            https unless they say http. They never lead to a private address.
        private_hosts: Hosts with a private or loopback address that tools may call, written out without ``*``.
        secrets: Names of secrets that tools may use.
        read: Folders and files that may be read, relative to the blueprint's folder.
        write: Folders that may be written to, relative to the blueprint's folder. It does not imply ``read``.
        commands: Names of programs that may be run.
        spend: What all model calls of a run together may cost, in millionths of the currency's unit.
        timeout: Seconds that a run may take; None for no bound but those of its agents.

    Raises:
        ConfigurationError: An entry is empty or no host, or a number is out of its range.
    """

    models: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    spend: int = 0
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Check the entries."""
        for field in fields(self):
            if field.name not in get_args(PermissionKind):
                continue
            items: tuple[object, ...] = getattr(self, field.name)
            for item in items:
                if not (isinstance(item, str) and item.strip()):
                    raise ConfigurationError(
                        f"Permissions.{field.name} has an entry that is no text, or empty: {item!r}"
                    )
        for host in self.hosts:
            parse_host_rule(host)
        for host in self.private_hosts:
            if parse_host_rule(host).is_pattern:
                raise ConfigurationError(
                    f"Permissions.private_hosts must be written out, without '*', not {host!r}"
                )
        spend: Any = self.spend
        if isinstance(spend, bool) or not isinstance(spend, int) or spend < 0:
            raise ConfigurationError(
                f"Permissions.spend must be a whole number of at least 0, not {self.spend!r}"
            )
        if self.timeout is not None and not is_duration(self.timeout):
            raise ConfigurationError(
                f"Permissions.timeout must be a finite number of seconds above 0, not {self.timeout!r}"
            )
