"""A full-text index over the documents of a folder, in memory, kept in step with the files."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.integrations.tools.passages import Passage, split_passages
from agent_factory.integrations.tools.text import decode, split_lines

if TYPE_CHECKING:
    from agent_factory.integrations.tools.folders import Folder
    from agent_factory.integrations.tools.patterns import PathPatterns
    from agent_factory.integrations.tools.walking import Found

__all__ = ["DocumentIndex", "Hit", "IndexBounds", "SearchResult"]

MAX_TERMS = 40
# How much more a word counts in a heading, or in the file's name, than in the text.
HEADING_WEIGHT = 4.0
FILE_WEIGHT = 2.0

_TERM = re.compile(r'"([^"]*)"|([^\s"]+)')
_CAMEL = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,}\b")
_HUMP = re.compile(r"[A-Z][a-z0-9]+")
# The Porter stemmer makes "ad" of "adding" and leaves "add" as it is, so that neither finds the other.
_DOUBLED = re.compile(r"(\w*([bcdfghjkmnpqrtvwx])\2)(?:s|ing|ed)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class IndexBounds:
    """What an index takes in at most; what is left out is named in each result.

    Attributes:
        max_files: Files.
        max_file_bytes: Bytes of one file.
        max_total_bytes: Bytes of all files together.
    """

    max_files: int = 2000
    max_file_bytes: int = 1 << 20
    max_total_bytes: int = 1 << 25


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found.

    Attributes:
        file: Path of its file relative to the folder.
        passage: The passage.
        score: How well it fits by BM25; larger is better, comparable only within one search.
    """

    file: str
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, and in what.

    Attributes:
        hits: The passages, best first.
        files: How many files were searched.
        skipped: Which files were not searched, each with the reason.
    """

    hits: tuple[Hit, ...]
    files: int
    skipped: tuple[str, ...]


@dataclass(slots=True)
class _Content:
    """One state of the index: the database has the words, the list what they belong to."""

    database: sqlite3.Connection
    stamp: tuple[object, ...]
    files: int = 0
    skipped: list[str] = field(default_factory=list)
    passages: list[tuple[str, Passage]] = field(default_factory=list)


class DocumentIndex:
    """Searches the documents of a folder; built at the first search, rebuilt when a file has changed.

    Safe to use from many threads.

    Args:
        folder: Where the documents are.
        patterns: Which files of it are documents.
        bounds: What it takes in at most.
    """

    def __init__(self, folder: Folder, patterns: PathPatterns, bounds: IndexBounds) -> None:
        self._folder = folder
        self._patterns = patterns
        self._bounds = bounds
        self._lock = threading.Lock()
        self._content: _Content | None = None
        self._close = contextlib.ExitStack()
        weakref.finalize(self, self._close.close)

    def search(self, query: str, limit: int) -> SearchResult:
        """Find the passages that fit a query best.

        Args:
            query: Words, and phrases in double quotes; one of them is enough for a passage to be found.
            limit: How many passages to return; at least 1.

        Raises:
            ToolError: The query has no word in it, or the folder cannot be read.
            ConfigurationError: This Python's SQLite has no full-text search.
        """
        expression = _create_expression(query)
        found = self._folder.find(self._patterns)
        with self._lock:
            content = self._bring_up_to_date(found)
            rows = content.database.execute(
                "SELECT rowid, bm25(passages, ?, ?, 1.0) AS score FROM passages "
                "WHERE passages MATCH ? ORDER BY score, rowid LIMIT ?",
                (HEADING_WEIGHT, FILE_WEIGHT, expression, limit),
            ).fetchall()
            hits = []
            for row, score in rows:
                file, passage = content.passages[row]
                hits.append(Hit(file, passage, -score))
            return SearchResult(tuple(hits), content.files, tuple(content.skipped))

    def _bring_up_to_date(self, found: Found) -> _Content:
        stamp = (tuple(found.files), tuple(found.skipped))
        if self._content is None or self._content.stamp != stamp:
            self._content = None
            self._close.close()
            content = _Content(_open_database(), stamp)
            self._close.callback(content.database.close)
            self._fill(content, found)
            self._content = content
        return self._content

    def _fill(self, content: _Content, found: Found) -> None:
        bounds = self._bounds
        content.skipped += found.skipped
        left = bounds.max_total_bytes
        for file in found.files:
            if content.files >= bounds.max_files:
                content.skipped.append(f"{file.path}: more than {bounds.max_files} files")
                continue
            if file.size > left:
                content.skipped.append(
                    f"{file.path}: more than {bounds.max_total_bytes} bytes in all"
                )
                continue
            try:
                data = self._folder.read(file.path, max_bytes=min(bounds.max_file_bytes, left))
                lines = split_lines(decode(file.path, data))
            except ToolError as error:
                content.skipped.append(f"{file.path}: {error.message}")
                continue
            left -= len(data)
            content.files += 1
            _add(content, file.path, lines)


def _add(content: _Content, path: str, lines: list[str]) -> None:
    style = path.rpartition(".")[2].lower()
    for passage in split_passages(lines, style="md" if style == "markdown" else style):
        content.database.execute(
            "INSERT INTO passages (rowid, heading, file, text) VALUES (?, ?, ?, ?)",
            (
                len(content.passages),
                _add_parts(passage.heading),
                path,
                _add_parts(passage.text),
            ),
        )
        content.passages.append((path, passage))


def _add_parts(text: str) -> str:
    """Return a text with the parts of names such as ``ToolError`` behind it, so that they are found too."""
    names = dict.fromkeys(_CAMEL.findall(text))
    return " ".join([text, *(part for name in names for part in _HUMP.findall(name))])


def _open_database() -> sqlite3.Connection:
    # The lock of the index serialises the threads.
    database = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        database.execute(
            "CREATE VIRTUAL TABLE passages USING "
            "fts5(heading, file, text, content='', tokenize='porter unicode61')"
        )
    except sqlite3.OperationalError as error:
        database.close()
        raise ConfigurationError(
            f"searching documents needs SQLite with FTS5, and SQLite {sqlite3.sqlite_version} of this Python has "
            f"none ({error}): use a Python whose sqlite3 module has it, such as the one of python.org, Debian or uv"
        ) from error
    return database


def _create_expression(query: str) -> str:
    """Return an FTS5 expression in which every term is quoted, so that none is taken for an operator."""
    terms: list[str] = []
    for match in _TERM.finditer(query.replace("\0", " ")):
        term = match[1] if match[1] is not None else match[2]
        if any(character.isalnum() for character in term):
            terms.append(term)
            if doubled := _DOUBLED.fullmatch(term):
                terms += [doubled[1], f"{doubled[1]}ing"]
    if not terms:
        raise ToolError(f"the query {query!r} has no word in it: give the words to look for")
    return " OR ".join(f'"{term}"' for term in list(dict.fromkeys(terms))[:MAX_TERMS])
