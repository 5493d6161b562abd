"""The files with tables below a folder, and the database that a query over some of them needs."""

from __future__ import annotations

import contextlib
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.integrations.tools.database import Database, is_sqlite
from agent_factory.integrations.tools.patterns import PathPatterns
from agent_factory.integrations.tools.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_factory.integrations.tools.folders import Folder
    from agent_factory.integrations.tools.walking import FoundFile

__all__ = ["DEFAULT_PATTERNS", "TableBounds", "TableFiles"]

_SQLITE = ("db", "sqlite", "sqlite3")
_TABLES = ("csv", "tsv", "json", "jsonl", "ndjson")
DEFAULT_PATTERNS = tuple(f"**/*.{ending}" for ending in (*_TABLES, *_SQLITE))
MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TableBounds:
    """How much one call takes at most.

    Attributes:
        max_bytes: Bytes that are read, all files together; at least 1.
        seconds: Seconds that a query may take; above 0.

    Raises:
        ConfigurationError: A bound is out of its range.
    """

    max_bytes: int = 1 << 25
    seconds: float = 10.0

    def __post_init__(self) -> None:
        """Check the bounds."""
        if self.max_bytes < 1 or self.seconds <= 0:
            raise ConfigurationError("max_bytes must be at least 1, and seconds above 0")


class TableFiles:
    """Files with tables. What was loaded last is kept until one of its files changes. Safe to use from many threads.

    Args:
        folder: Where the files are.
        patterns: Which files of it have tables.
        bounds: How much one call takes at most.

    Raises:
        PatternError: A pattern cannot be used.
    """

    def __init__(self, folder: Folder, patterns: Sequence[str], bounds: TableBounds) -> None:
        self.bounds = bounds
        self._folder = folder
        self._patterns = PathPatterns(patterns)
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[FoundFile, ...], Database] | None = None
        self._close = contextlib.ExitStack()
        weakref.finalize(self, self._close.close)

    def find(self) -> list[str]:
        """Return the paths of the files.

        Raises:
            ToolError: The folder cannot be read any more.
        """
        if self._folder.only is not None:
            return [self._folder.only]
        return [file.path for file in self._folder.find(self._patterns).files]

    @contextlib.contextmanager
    def open(self, paths: Sequence[str]) -> Iterator[Database]:
        """Return the database with the tables of some files, for one thread at a time.

        Args:
            paths: Their paths; none where there is one file only.

        Raises:
            ToolError: A file is none of these, cannot be read or is too large, or they do not go together.
        """
        chosen = tuple(self._describe(path) for path in self._choose(paths))
        with self._lock:
            if self._loaded is None or self._loaded[0] != chosen:
                self._loaded = None
                self._close.close()
                database = self._load(chosen)
                self._close.callback(database.close)
                self._loaded = (chosen, database)
            yield self._loaded[1]

    def _choose(self, paths: Sequence[str]) -> list[str]:
        if paths:
            return list(dict.fromkeys(paths))
        known = self.find()
        if len(known) == 1:
            return known
        if not known:
            raise ToolError("the folder has no file with a table")
        shown = ", ".join(known[:MAX_SHOWN]) + (", ..." if len(known) > MAX_SHOWN else "")
        raise ToolError(f"name the files that the query uses; there are: {shown}")

    def _describe(self, path: str) -> FoundFile:
        file = self._folder.describe(path)
        if self._folder.only is None and not self._matches(file.path):
            raise ToolError(
                f"{path!r} is none of the files with tables: ask describe_tables for them"
            )
        return file

    def _matches(self, path: str) -> bool:
        *folders, name = path.split("/")
        state = self._patterns.start()
        for folder in folders:
            state = self._patterns.enter(state, folder)
        return self._patterns.matches(state, name)

    def _load(self, files: Sequence[FoundFile]) -> Database:
        left = self.bounds.max_bytes
        tables = []
        for file in files:
            if left < 1:
                raise ToolError(
                    f"the files have more than {self.bounds.max_bytes} bytes together: ask for fewer"
                )
            content = self._folder.read(file.path, max_bytes=left)
            left -= len(content)
            if is_sqlite(content):
                if len(files) > 1:
                    raise ToolError(f"{file.path!r} is an SQLite file, and one is asked alone")
                return Database(content)
            if file.path.rpartition(".")[2].lower() in _SQLITE:
                raise ToolError(f"{file.path!r} is no SQLite file")
            tables.append(read_table(file.path, content))
        return Database(tables=tables)
