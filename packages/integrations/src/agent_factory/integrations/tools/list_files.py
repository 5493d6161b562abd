"""The tool `list_files`: names of the files below a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.exceptions import ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_folder
from agent_factory.integrations.tools.patterns import PathPatterns, PatternError

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.permissions.roots import GrantedPath

__all__ = ["ListFilesOptions", "create_list_files", "create_list_files_entry"]

DEFAULT_MAX_FILES = 500
MAX_SKIPPED = 20


class ListFilesOptions(BaseModel):
    """Options of `list_files` in a blueprint.

    Attributes:
        folder: The folder to list, relative to the blueprint's own.
        max_files: How many files one call lists, 1 to 10,000.
        hidden: Whether files and folders whose names start with a dot are listed.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str = Field(min_length=1)
    max_files: int = Field(default=DEFAULT_MAX_FILES, ge=1, le=10_000)
    hidden: bool = False


def create_list_files(
    folder: Path | str | GrantedPath, *, max_files: int = DEFAULT_MAX_FILES, hidden: bool = False
) -> Tool[object]:
    """Make the tool `list_files`.

    Args:
        folder: The folder to list; links below it are not followed.
        max_files: How many files one call lists at most; at least 1.
        hidden: Whether files and folders whose names start with a dot are listed.

    Returns:
        The tool; its result has ``files``, ``total`` and ``skipped``.

    Raises:
        ConfigurationError: There is no such folder.
    """
    root = Folder(folder, hidden=hidden)

    @tool(effect="read", timeout=20.0)
    def list_files(pattern: str = "**/*") -> dict[str, object]:
        """List the files that match a pattern.

        When total is more than the number of files listed, ask again with a narrower pattern.

        Args:
            pattern: Relative pattern; '*' matches within a name, '**' any number of folders, as in 'docs/**/*.md'.
        """
        try:
            patterns = PathPatterns([pattern])
        except PatternError as error:
            raise ToolError(str(error)) from None
        found = root.find(patterns)
        return {
            "files": [file.path for file in found.files[:max_files]],
            "total": len(found.files),
            "skipped": found.skipped[:MAX_SKIPPED],
        }

    return list_files


def create_list_files_entry() -> ToolEntry[ListFilesOptions]:
    """Return the entry through which blueprints use `list_files`."""
    return ToolEntry(
        "list_files",
        "lists the files below a folder",
        ListFilesOptions,
        lambda options, environment: create_list_files(
            environment.grant.get_path("read", options.folder),
            max_files=options.max_files,
            hidden=options.hidden,
        ),
        need_folder("read"),
    )
