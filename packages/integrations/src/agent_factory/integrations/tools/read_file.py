"""The tool `read_file`: lines of a text file below a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent_factory.core.exceptions import ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_place, open_place
from agent_factory.integrations.tools.text import decode, split_lines

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.permissions.roots import GrantedPath
    from agent_factory.core.registry import ToolEnvironment

__all__ = ["ReadFileOptions", "create_read_file", "create_read_file_entry"]

MAX_CHARACTERS = 100_000
DEFAULT_MAX_BYTES = 1 << 20
LARGEST_MAX_BYTES = 1 << 26

Line: TypeAlias = Annotated[int, Field(ge=1)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=2000)]


class ReadFileOptions(BaseModel):
    """Options of `read_file` in a blueprint.

    Attributes:
        folder: The folder to read below, relative to the blueprint's own; either this or ``file``.
        file: The one file to read, relative to the blueprint's folder; the model gives no path then.
        max_bytes: The largest file to read, 1 byte to 64 MiB.
        hidden: Whether files and folders whose names start with a dot may be read.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str | None = Field(default=None, min_length=1)
    file: str | None = Field(default=None, min_length=1)
    max_bytes: int = Field(default=DEFAULT_MAX_BYTES, ge=1, le=LARGEST_MAX_BYTES)
    hidden: bool = False

    @model_validator(mode="after")
    def _check_place(self) -> ReadFileOptions:
        if (self.folder is None) == (self.file is None):
            raise ValueError("give either 'folder' or 'file'")
        return self


def create_read_file(
    folder: Path | str | GrantedPath, *, max_bytes: int = DEFAULT_MAX_BYTES, hidden: bool = False
) -> Tool[object]:
    """Make the tool `read_file`.

    Args:
        folder: The folder to read below; nothing outside it can be read.
        max_bytes: The largest file to read, in bytes; at least 1.
        hidden: Whether files and folders whose names start with a dot may be read.

    Returns:
        The tool; its result has ``path``, ``start_line``, ``end_line``, ``total_lines`` and ``text``.

    Raises:
        ConfigurationError: There is no such folder.
    """
    return _create_reader(Folder(folder, hidden=hidden), max_bytes)


def create_read_file_entry() -> ToolEntry[ReadFileOptions]:
    """Return the entry through which blueprints use `read_file`."""
    return ToolEntry(
        "read_file",
        "reads lines of a text file below a folder",
        ReadFileOptions,
        _create,
        need_place,
    )


def _create(options: ReadFileOptions, environment: ToolEnvironment) -> Tool[object]:
    place = open_place(options, environment)
    if place.only is None:
        return _create_reader(place, options.max_bytes)
    name = place.only

    @tool(effect="read", timeout=20.0, max_result_chars=8 * MAX_CHARACTERS)
    def read_file(start_line: Line = 1, max_lines: Count = 200) -> dict[str, object]:
        """Read lines of the file. Each line of the text starts with its number and a tab.

        When end_line is less than total_lines, read on from end_line + 1.

        Args:
            start_line: Number of the first line to read; the file's first line is 1.
            max_lines: How many lines to read at most.
        """
        return _read(place, name, start_line, max_lines, options.max_bytes)

    return read_file


def _create_reader(root: Folder, max_bytes: int) -> Tool[object]:
    # The function bounds its own result, and cut JSON would be none.
    @tool(effect="read", timeout=20.0, max_result_chars=8 * MAX_CHARACTERS)
    def read_file(path: str, start_line: Line = 1, max_lines: Count = 200) -> dict[str, object]:
        """Read lines of a UTF-8 text file. Each line of the text starts with its number and a tab.

        When end_line is less than total_lines, read on from end_line + 1.

        Args:
            path: Path of the file, relative to the folder.
            start_line: Number of the first line to read; the file's first line is 1.
            max_lines: How many lines to read at most.
        """
        return _read(root, path, start_line, max_lines, max_bytes)

    return read_file


def _read(root: Folder, path: str, start: int, count: int, max_bytes: int) -> dict[str, object]:
    lines = split_lines(decode(path, root.read(path, max_bytes=max_bytes)))
    if start > max(len(lines), 1):
        raise ToolError(f"{path!r} has {len(lines)} lines: start_line {start} is past its end")
    shown = _number(lines[start - 1 : start - 1 + count], start)
    return {
        "path": path,
        "start_line": start,
        "end_line": start - 1 + len(shown),
        "total_lines": len(lines),
        "text": "\n".join(shown),
    }


def _number(lines: list[str], first: int) -> list[str]:
    """Number lines as far as they fit; a first line that is too long alone is cut, and says so."""
    shown: list[str] = []
    left = MAX_CHARACTERS
    for number, line in enumerate(lines, first):
        if len(line) > left:
            if not shown:
                shown.append(f"{number}\t{line[:left]} [cut: the line has {len(line)} characters]")
            break
        left -= len(line)
        shown.append(f"{number}\t{line}")
    return shown
