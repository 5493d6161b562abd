"""Grants for tests, and strategies for what they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from agent_factory.core.permissions import Grant, Need, Permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.permissions import Denial

__all__ = ["LISTS", "create_grant", "manifests", "needs"]

LISTS = ("models", "tools", "hosts", "private_hosts", "secrets", "read", "write", "commands")

_HOSTS = [
    "example.com",
    "api.example.com",
    "*.example.com",
    "*",
    "http://example.com",
    "example.com:8443",
    "[::1]",
    "http://127.0.0.1:8080",
]
_NAMES = {
    "models": ["default", "openai:a", "local"],
    "tools": ["calculate", "set/*", "set/look", "set/other", "sett/look"],
    "hosts": _HOSTS,
    "private_hosts": [item for item in _HOSTS if "*" not in item],
    "secrets": ["TOKEN", "KEY"],
    "read": ["docs", "docs/a", "docsx", ".", "..", "/base/docs", "/other"],
    "write": ["out", "out/a", "outx", ".", "..", "/base/out", "/other"],
    "commands": ["git", "ls"],
}

manifests = st.fixed_dictionaries(
    {key: st.lists(st.sampled_from(_NAMES[key]), max_size=4).map(tuple) for key in LISTS}
)
"""Any entries of a manifest, as keyword arguments."""

needs = st.sampled_from(LISTS).flatmap(
    lambda key: st.sampled_from(_NAMES[key]).map(lambda target: Need(key, target))  # type: ignore[arg-type]
)
"""Anything that may be asked for."""


class Secrets:
    """Secrets of a test."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """Return a secret."""
        return self._values.get(name)


def create_grant(
    *,
    folder: Path = Path("/base"),
    secrets: Mapping[str, str] | None = None,
    named: tuple[str, ...] = (),
    denials: list[Denial] | None = None,
    **lists: tuple[str, ...],
) -> Grant:
    """Return a grant; every secret that there is, is permitted.

    Args:
        folder: The folder of the blueprint.
        secrets: The secrets by name.
        named: Further names of secrets that are permitted.
        denials: Where denials are added.
        lists: The entries of the manifest.
    """
    lists.setdefault("secrets", (*(secrets or ()), *named))
    return Grant(
        Permissions(**lists),  # type: ignore[arg-type]
        folder,
        secrets=None if secrets is None else Secrets(secrets),
        on_denied=None if denials is None else denials.append,
    )
