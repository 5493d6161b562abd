"""Grants and lookups for tests of what calls servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent_factory.core.permissions import Denial, Grant, Permissions
from agent_factory.integrations.http.resolving import Lookup

__all__ = ["Secrets", "create_grant", "create_lookup"]


class Secrets(dict[str, str]):
    """A source of secrets."""


def create_grant(
    *hosts: str,
    private: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
    denials: list[Denial] | None = None,
) -> Grant:
    known = Secrets(secrets or {})
    return Grant(
        Permissions(hosts=hosts, private_hosts=tuple(private), secrets=tuple(known)),
        Path("/"),
        secrets=known,
        on_denied=None if denials is None else denials.append,
    )


def create_lookup(addresses: Mapping[str, Sequence[str]], asked: list[str] | None = None) -> Lookup:
    async def look_up(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        if host not in addresses:
            raise OSError("no such host")
        return addresses[host]

    return look_up
