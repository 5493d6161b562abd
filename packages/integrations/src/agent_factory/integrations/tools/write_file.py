"""The tool `write_file`: a whole text file below a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.exceptions import ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_folder
from agent_factory.integrations.tools.writing import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.permissions.roots import GrantedPath

__all__ = ["WriteFileOptions", "create_write_file", "create_write_file_entry"]

DEFAULT_MAX_BYTES = 1 << 20


class WriteFileOptions(BaseModel):
    """Options of `write_file` in a blueprint.

    Attributes:
        folder: The folder to write below, relative to the blueprint's own.
        overwrite: Whether files that are there may be replaced.
        create_folders: Whether folders below it that are missing are made.
        max_bytes: The largest file to write, 1 byte to 64 MiB.
        hidden: Whether files and folders whose names start with a dot may be written.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str = Field(min_length=1)
    overwrite: bool = False
    create_folders: bool = False
    max_bytes: int = Field(default=DEFAULT_MAX_BYTES, ge=1, le=1 << 26)
    hidden: bool = False


def create_write_file(
    folder: Path | str | GrantedPath,
    *,
    overwrite: bool = False,
    create_folders: bool = False,
    max_bytes: int = DEFAULT_MAX_BYTES,
    hidden: bool = False,
) -> Tool[object]:
    """Make the tool `write_file`.

    It writes whole files, so that the same call can be made again; there is no way to append. A file that has the content
    already counts as written.

    Args:
        folder: The folder to write below; nothing outside it can be written.
        overwrite: Whether files that are there may be replaced; else only new ones are made.
        create_folders: Whether folders below it that are missing are made.
        max_bytes: The largest file to write, in bytes; at least 1.
        hidden: Whether files and folders whose names start with a dot may be written.

    Returns:
        The tool; its result has ``path``, ``bytes`` and ``outcome`` (``created``, ``replaced`` or ``unchanged``).

    Raises:
        ConfigurationError: There is no such folder.
    """
    root = Folder(folder, hidden=hidden)

    @tool(effect="idempotent", timeout=30.0)
    def write_file(path: str, content: str) -> dict[str, object]:
        """Write a text file as a whole; what it had before is gone.

        Args:
            path: Path of the file, relative to the folder.
            content: The whole content of the file.
        """
        try:
            data = content.encode()
        except UnicodeEncodeError:
            raise ToolError(
                "the content has half a character in it: write whole characters"
            ) from None
        if len(data) > max_bytes:
            raise ToolError(
                f"the content has {len(data)} bytes, and {max_bytes} may be written: write less, or several files"
            )
        outcome = write_whole(root, path, data, overwrite=overwrite, create_folders=create_folders)
        return {"path": path, "bytes": len(data), "outcome": outcome}

    return write_file


def create_write_file_entry() -> ToolEntry[WriteFileOptions]:
    """Return the entry through which blueprints use `write_file`."""
    return ToolEntry(
        "write_file",
        "writes a text file below a folder",
        WriteFileOptions,
        lambda options, environment: create_write_file(
            environment.grant.get_path("write", options.folder),
            overwrite=options.overwrite,
            create_folders=options.create_folders,
            max_bytes=options.max_bytes,
            hidden=options.hidden,
        ),
        need_folder("write"),
    )
