"""From an option of a blueprint to the folder that it may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent_factory.core.permissions.manifest import Need
from agent_factory.integrations.tools.folders import Folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.permissions.manifest import PermissionKind
    from agent_factory.core.registry import ToolEnvironment

__all__ = ["HasFolder", "HasPlace", "need_folder", "need_place", "open_place"]


class HasFolder(Protocol):
    """Options that name a folder."""

    @property
    def folder(self) -> str:
        """The folder, relative to the blueprint's own."""


class HasPlace(Protocol):
    """Options that name a folder or a single file."""

    @property
    def folder(self) -> str | None:
        """The folder, relative to the blueprint's own, or None."""

    @property
    def file(self) -> str | None:
        """The file, relative to the blueprint's folder, or None."""

    @property
    def hidden(self) -> bool:
        """Whether names that start with a dot count."""


def need_folder(kind: PermissionKind) -> Callable[[HasFolder], tuple[Need, ...]]:
    """Return what says what a tool needs that has an option `folder`.

    Args:
        kind: ``read`` or ``write``.
    """
    return lambda options: (Need(kind, options.folder, ("folder",)),)


def need_place(options: HasPlace) -> tuple[Need, ...]:
    """Return what a tool needs that reads a folder or a single file.

    Args:
        options: Its options.
    """
    if options.file is not None:
        return (Need("read", options.file, ("file",)),)
    return (Need("read", options.folder or "", ("folder",)),)


def open_place(options: HasPlace, environment: ToolEnvironment) -> Folder:
    """Return the folder that a tool reads, or the one of its single file.

    Args:
        options: The tool's options.
        environment: What it is made in.

    Raises:
        PermissionDeniedError: It is not granted.
        ConfigurationError: It cannot be used.
    """
    if options.file is not None:
        return Folder.of_file(environment.grant.get_path("read", options.file))
    return Folder(environment.grant.get_path("read", options.folder or ""), hidden=options.hidden)
