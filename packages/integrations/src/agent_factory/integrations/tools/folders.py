"""Reading below one folder, and never beside it.

Every path is walked name by name from an open folder, and no link is followed on the way, so that neither ``..``, nor an
absolute path, nor a link, nor somebody who swaps a folder for a link meanwhile leads out. Only regular files are opened:
a pipe or a device could block without end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.integrations.tools.walking import Found, Walk, is_text, open_folder

if TYPE_CHECKING:
    from agent_factory.integrations.tools.patterns import PathPatterns

__all__ = ["Folder"]

MAX_PATH = 4096
MAX_ENTRIES = 50_000
_CHUNK = 1 << 16


class Folder:
    """A folder whose files can be listed and read, and nothing outside it.

    Args:
        path: The folder; it may itself be a link.
        hidden: Whether files and folders whose names start with a dot, such as ``.env``, count.

    Raises:
        ConfigurationError: There is no such folder, or this system cannot walk folders safely.
    """

    def __init__(self, path: Path | str, *, hidden: bool = False) -> None:
        self._path = Path(path).absolute()
        self._hidden = hidden
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise ConfigurationError(
                "tools that read files need openat() and O_NOFOLLOW, which this system lacks: "
                "use Linux, macOS or WSL"
            )
        if not self._path.is_dir():
            raise ConfigurationError(
                f"there is no folder {str(self._path)!r}: create it, or correct the tool's 'folder', which "
                "is relative to the folder of the blueprint"
            )

    @property
    def path(self) -> Path:
        """Absolute path of the folder."""
        return self._path

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return the content of a file.

        Args:
            path: Path relative to the folder.
            max_bytes: The largest size to accept, in bytes.

        Raises:
            ToolError: The path leads out, there is no such regular file, or it is too large.
        """
        *folders, name = self._split(path)
        try:
            descriptor = self._open_below(folders, name, path)
            try:
                # What was opened counts: the name may stand for something else by now.
                status = os.fstat(descriptor)
                _check_regular(path, status)
                return _read_bounded(descriptor, path, status.st_size, max_bytes)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _explain(path, error) from None

    def find(self, patterns: PathPatterns, *, max_entries: int = MAX_ENTRIES) -> Found:
        """Return the regular files that match, without following links.

        Args:
            patterns: The patterns, relative to the folder.
            max_entries: How many names to look at before the walk stops; at least 1.

        Raises:
            ToolError: The folder itself cannot be read any more.
        """
        walk = Walk(patterns, self._hidden, max_entries)
        descriptor = self._open_root()
        try:
            walk.visit(descriptor, "", patterns.start(), 0)
        except OSError as error:
            raise ToolError(f"the tool's folder cannot be listed: {error.strerror}") from None
        finally:
            os.close(descriptor)
        return walk.found

    def _split(self, path: str) -> list[str]:
        if len(path) > MAX_PATH:
            raise ToolError(f"the path has {len(path)} characters: at most {MAX_PATH} are allowed")
        if path.startswith("/"):
            raise ToolError(f"{path!r} is absolute: give a path relative to the folder")
        names = [name for name in path.split("/") if name not in ("", ".")]
        if not names:
            raise ToolError(f"{path!r} names no file: give a path relative to the folder")
        if ".." in names:
            raise ToolError(f"{path!r} leads out of the folder by '..': give a path below it")
        if "\0" in path or not is_text(path):
            raise ToolError(f"{path!r} is no valid path: it has a NUL or half a character in it")
        hidden = next((name for name in names if name.startswith(".")), None)
        if hidden is not None and not self._hidden:
            raise ToolError(
                f"{path!r} cannot be read: {hidden!r} is hidden, and hidden files are off limits"
            )
        return names

    def _open_root(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ToolError(f"the tool's folder cannot be opened: {error.strerror}") from None

    def _open_below(self, folders: list[str], name: str, path: str) -> int:
        descriptor = self._open_root()
        try:
            for folder in folders:
                inner = open_folder(folder, descriptor)
                descriptor, outer = inner, descriptor
                os.close(outer)
            # Opening a device can already do something, so look before.
            _check_regular(path, os.stat(name, dir_fd=descriptor, follow_symlinks=False))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            return os.open(name, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)


def _check_regular(path: str, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISLNK(status.st_mode):
        raise ToolError(f"{path!r} is a link, and links are not followed: give the file's own path")
    if stat.S_ISDIR(status.st_mode):
        raise ToolError(f"{path!r} is a folder: give the path of a file in it")
    raise ToolError(f"{path!r} is a pipe, a socket or a device: only regular files can be read")


def _read_bounded(descriptor: int, path: str, size: int, max_bytes: int) -> bytes:
    too_large = ToolError(
        f"{path!r} is larger than {max_bytes} bytes, the most that may be read: choose another file"
    )
    if size > max_bytes:
        raise too_large
    content = bytearray()
    while chunk := os.read(descriptor, _CHUNK):
        content += chunk
        # The size of a file that is written to, or below /proc, says nothing.
        if len(content) > max_bytes:
            raise too_large
    return bytes(content)


def _explain(path: str, error: OSError) -> ToolError:
    if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
        return ToolError(f"there is no file {path!r}: list the files, or correct the path")
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return ToolError(
            f"{path!r} goes through a link or through something that is no folder: links are not followed, "
            "so give the file's own path"
        )
    return ToolError(f"{path!r} cannot be read: {error.strerror}")
