"""The manifest of permissions as data, in one form for every way to write the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks.canonical import MAX_INTEGER, shorten_number
from agent_factory.core.permissions.manifest import Permissions

__all__ = ["FILES", "LISTS", "manifest_from_dict", "manifest_to_dict"]

LISTS = ("models", "tools", "hosts", "private_hosts", "secrets", "commands")
"""Kinds of permissions that are lists of their own in the manifest."""

FILES = ("read", "write")
"""Kinds of permissions that are lists under ``files``."""


def manifest_to_dict(permissions: Permissions) -> dict[str, Any]:
    """Return permissions as the manifest that people review. Lists are sorted, and have nothing twice.

    Args:
        permissions: What a blueprint may touch.

    Returns:
        The keys of ``permissions`` in a blueprint, all of them; ``spend`` as a whole number of millionths of the
        currency's unit.

    Raises:
        ConfigurationError: ``spend`` is beyond `MAX_INTEGER`.
    """
    if permissions.spend > MAX_INTEGER:
        raise ConfigurationError(f"Permissions.spend must be at most {MAX_INTEGER} millionths")
    manifest: dict[str, Any] = {kind: sorted(set(getattr(permissions, kind))) for kind in LISTS}
    manifest["files"] = {kind: sorted(set(getattr(permissions, kind))) for kind in FILES}
    manifest["spend"] = permissions.spend
    manifest["timeout"] = shorten_number(permissions.timeout)
    return manifest


def manifest_from_dict(data: Mapping[str, Any]) -> Permissions:
    """Return the permissions that a manifest is of.

    Args:
        data: What `manifest_to_dict` returned; every key has to be there, and no other.

    Raises:
        ConfigurationError: It is no such manifest.
    """
    known = {*LISTS, "files", "spend", "timeout"}
    if set(data) != known:
        odd = sorted(known.symmetric_difference(data))
        raise ConfigurationError(f"the manifest has too many or too few keys: {', '.join(odd)}")
    files = data["files"]
    if not isinstance(files, Mapping) or set(files) != set(FILES):
        raise ConfigurationError("'files' must have the keys 'read' and 'write'")
    lists = {kind: data[kind] for kind in LISTS} | {kind: files[kind] for kind in FILES}
    for kind, items in lists.items():
        if not isinstance(items, (list, tuple)):
            raise ConfigurationError(f"{kind!r} must be a list")
    return Permissions(
        **{kind: tuple(items) for kind, items in lists.items()},
        spend=data["spend"],
        timeout=data["timeout"],
    )
