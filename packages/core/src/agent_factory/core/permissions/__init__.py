"""Permissions: what a blueprint may touch, written down by its author and enforced by the one place that decides."""

from agent_factory.core.permissions.grant import Denial, Grant, SecretSource
from agent_factory.core.permissions.hosts import HostRule, parse_host_rule
from agent_factory.core.permissions.manifest import Need, PermissionKind, Permissions
from agent_factory.core.permissions.roots import GrantedPath

__all__ = [
    "Denial",
    "Grant",
    "GrantedPath",
    "HostRule",
    "Need",
    "PermissionKind",
    "Permissions",
    "SecretSource",
    "parse_host_rule",
]
