"""Reaching files below one folder, and never beside it.

Every path is walked name by name from an open folder, and no link is followed on the way, so that neither ``..``, nor an
absolute path, nor a link, nor somebody who swaps a folder for a link meanwhile leads out. Only regular files are opened:
a pipe or a device could block without end.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.permissions.roots import GrantedPath
from agent_factory.integrations.tools.regular_files import check_regular, explain, read_bounded
from agent_factory.integrations.tools.walking import Found, FoundFile, Walk, is_text, open_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_factory.integrations.tools.patterns import PathPatterns

__all__ = ["Folder"]

MAX_PATH = 4096
MAX_ENTRIES = 50_000


class Folder:
    """A folder whose files can be listed and read, and nothing outside it.

    Args:
        path: The folder. A path is trusted, and may be a link. Of a granted place, every name is walked without following a
            link, each time that the folder is opened.
        hidden: Whether files and folders whose names start with a dot, such as ``.env``, count.
        only: Name of the one file in it that may be touched; every file if None.

    Raises:
        ConfigurationError: There is no such folder, or this system cannot walk folders safely.
    """

    def __init__(
        self, path: Path | str | GrantedPath, *, hidden: bool = False, only: str | None = None
    ) -> None:
        self._granted = path if isinstance(path, GrantedPath) else None
        self._path = path.path if isinstance(path, GrantedPath) else Path(path).absolute()
        self._hidden = hidden
        self._only = only
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise ConfigurationError(
                "tools that read files need openat() and O_NOFOLLOW, which this system lacks: "
                "use Linux, macOS or WSL"
            )
        try:
            os.close(self._open_root())
        except OSError as error:
            raise ConfigurationError(self._explain_root(error)) from None

    @classmethod
    def of_file(cls, place: GrantedPath) -> Folder:
        """Return the folder of one granted file; no other file in it can be touched.

        Args:
            place: The file; it may be hidden, since it was named.

        Raises:
            ConfigurationError: There is no such folder, or the file is missing or not a regular one.
        """
        if place.names:
            parent, name = GrantedPath(place.anchor, place.names[:-1]), place.names[-1]
        else:
            parent, name = GrantedPath(place.anchor.parent, ()), place.anchor.name
        folder = cls(parent, hidden=True, only=name)
        try:
            folder.describe(name)
        except ToolError as error:
            raise ConfigurationError(f"the tool's 'file' cannot be used: {error.message}") from None
        return folder

    @property
    def path(self) -> Path:
        """Absolute path of the folder."""
        return self._path

    @property
    def only(self) -> str | None:
        """Name of the one file that may be touched, or None for every file."""
        return self._only

    def describe(self, path: str) -> FoundFile:
        """Return size and time of a file.

        Args:
            path: Path relative to the folder.

        Raises:
            ToolError: The path leads out, or there is no such regular file.
        """
        names = self.split(path)
        with self._open_file(names, path) as descriptor:
            status = os.fstat(descriptor)
            return FoundFile("/".join(names), status.st_size, status.st_mtime_ns)

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return the content of a file.

        Args:
            path: Path relative to the folder.
            max_bytes: The largest size to accept, in bytes.

        Raises:
            ToolError: The path leads out, there is no such regular file, or it is too large.
        """
        with self._open_file(self.split(path), path) as descriptor:
            return read_bounded(descriptor, path, os.fstat(descriptor).st_size, max_bytes)

    def find(self, patterns: PathPatterns, *, max_entries: int = MAX_ENTRIES) -> Found:
        """Return the regular files that match, without following links.

        Args:
            patterns: The patterns, relative to the folder.
            max_entries: How many names to look at before the walk stops; at least 1.

        Raises:
            ToolError: The folder itself cannot be read any more.
        """
        walk = Walk(patterns, self._hidden, max_entries)
        descriptor = self.open()
        try:
            walk.visit(descriptor, "", patterns.start(), 0)
        except OSError as error:
            raise ToolError(f"the tool's folder cannot be listed: {error.strerror}") from None
        finally:
            os.close(descriptor)
        return walk.found

    def open(self) -> int:
        """Open the folder itself and return its descriptor, which the caller closes.

        Raises:
            ToolError: It cannot be opened any more.
        """
        try:
            return self._open_root()
        except OSError as error:
            raise ToolError(f"the tool's folder cannot be opened: {error.strerror}") from None

    def open_below(self, names: Sequence[str]) -> int:
        """Open a folder below this one and return its descriptor, which the caller closes.

        Args:
            names: The names that lead to it, as `split` returns them.

        Raises:
            OSError: One of them is no folder, or a link.
            ToolError: The folder itself cannot be opened any more.
        """
        return _descend(self.open(), names)

    def split(self, path: str) -> list[str]:
        """Return the names of a path, after checking that it stays below the folder.

        Args:
            path: Path relative to the folder.

        Raises:
            ToolError: It is absolute, empty or not valid, leads out, or names something hidden or not permitted.
        """
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
                f"{path!r} cannot be used: {hidden!r} is hidden, and hidden files are off limits"
            )
        if self._only is not None and names != [self._only]:
            raise ToolError(f"{path!r} is off limits: only {self._only!r} may be used")
        return names

    def _open_root(self) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        if self._granted is None:
            return os.open(self._path, flags)
        # The anchor was resolved when it was granted: if it is a link now, somebody put it there since.
        return _descend(os.open(self._granted.anchor, flags | os.O_NOFOLLOW), self._granted.names)

    def _explain_root(self, error: OSError) -> str:
        shown = repr(str(self._path))
        if error.errno in (errno.ENOTDIR, errno.ELOOP) and self._granted is not None:
            return f"{shown} is no folder, or a link leads to it: links are not followed, so give its own path"
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return (
                f"there is no folder {shown}: create it, or correct the tool's 'folder', which "
                "is relative to the folder of the blueprint"
            )
        return f"the folder {shown} cannot be opened: {error.strerror}"

    @contextmanager
    def _open_file(self, names: list[str], path: str) -> Iterator[int]:
        """Open a regular file for reading; problems of the system are told in words."""
        try:
            descriptor = self._open_regular(names, path)
            try:
                # What was opened counts: the name may stand for something else by now.
                check_regular(path, os.fstat(descriptor))
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise explain(path, error) from None

    def _open_regular(self, names: list[str], path: str) -> int:
        *folders, name = names
        descriptor = self.open_below(folders)
        try:
            # Opening a device can already do something, so look before.
            check_regular(path, os.stat(name, dir_fd=descriptor, follow_symlinks=False))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            return os.open(name, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)


def _descend(descriptor: int, names: Sequence[str]) -> int:
    """Walk from an open folder, which is closed, through names that are no links."""
    for name in names:
        try:
            inner = open_folder(name, descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor
