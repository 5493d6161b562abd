"""Walking through a folder without ever following a link."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_factory.integrations.tools.patterns import PathPatterns, PatternState

__all__ = ["Found", "FoundFile", "Walk", "is_text", "open_folder"]

MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file below a folder.

    Attributes:
        path: Path relative to the folder, with ``/`` between names.
        size: Size in bytes.
        modified: Time of the last change in nanoseconds since the epoch.
    """

    path: str
    size: int
    modified: int


@dataclass(slots=True)
class Found:
    """What a walk found.

    Attributes:
        files: The files that match, sorted by folder and name.
        skipped: What matched or could have matched and was left out, with the reason.
    """

    files: list[FoundFile] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Walk:
    """One walk through a folder.

    Args:
        patterns: The patterns to match, relative to the folder.
        hidden: Whether names that start with a dot count.
        max_entries: How many names to look at before it stops; at least 1.

    Attributes:
        found: What was found so far.
    """

    def __init__(self, patterns: PathPatterns, hidden: bool, max_entries: int) -> None:
        self.found = Found()
        self._patterns = patterns
        self._hidden = hidden
        self._left = max_entries
        self._max_entries = max_entries

    def visit(self, descriptor: int, prefix: str, state: PatternState, depth: int) -> None:
        """Visit an open folder and everything below it.

        Args:
            descriptor: The folder's file descriptor; stays open.
            prefix: The folder's path, empty or ending in ``/``.
            state: How far the patterns are matched.
            depth: How many folders lie above it, from 0.

        Raises:
            OSError: The folder itself cannot be listed.
        """
        for entry in self._entries(descriptor, prefix):
            name = entry.name
            path = f"{prefix}{name}"
            if name.startswith(".") and not self._hidden:
                continue
            below = self._patterns.enter(state, name)
            if not below:
                continue
            if not (is_text(name) and name.isprintable()):
                self._skip(path, "the name has characters that cannot be shown")
                continue
            try:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    self._descend(descriptor, name, path, below, depth)
                elif stat.S_ISLNK(status.st_mode) and entry.is_dir():
                    self._skip(path, "links are not followed")
                elif self._patterns.matches(state, name):
                    self._add(path, status)
            except OSError as error:
                self._skip(path, str(error.strerror))

    def _descend(
        self, descriptor: int, name: str, path: str, state: PatternState, depth: int
    ) -> None:
        if depth >= MAX_DEPTH:
            self._skip(path, f"more than {MAX_DEPTH} folders deep")
            return
        inner = open_folder(name, descriptor)
        try:
            self.visit(inner, f"{path}/", state, depth + 1)
        finally:
            os.close(inner)

    def _add(self, path: str, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            self.found.files.append(FoundFile(path, status.st_size, status.st_mtime_ns))
        elif stat.S_ISLNK(status.st_mode):
            self._skip(path, "links are not followed")
        else:
            self._skip(path, "not a regular file")

    def _skip(self, path: str, reason: str) -> None:
        shown = path if is_text(path) and path.isprintable() else ascii(path)
        self.found.skipped.append(f"{shown}: {reason}")

    def _entries(self, descriptor: int, prefix: str) -> list[os.DirEntry[str]]:
        entries: list[os.DirEntry[str]] = []
        with os.scandir(descriptor) as scan:
            for entry in scan:
                if self._left <= 0:
                    self._skip(prefix or ".", f"more than {self._max_entries} names in all")
                    break
                self._left -= 1
                entries.append(entry)
        return sorted(entries, key=lambda entry: entry.name)


def open_folder(name: str, parent: int) -> int:
    """Open a folder inside an open one, unless it is a link, and return its descriptor.

    Args:
        name: Name of the folder, without ``/``.
        parent: Descriptor of the folder that holds it.

    Raises:
        OSError: It cannot be opened, or is no folder.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, dir_fd=parent)


def is_text(name: str) -> bool:
    """Return whether a name is valid text: the names that systems know need not be.

    Args:
        name: The name as Python decoded it.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
