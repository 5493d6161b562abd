"""A strict reader for the part of YAML that blueprints need, which knows the place of everything it reads.

Follows YAML 1.2 with its core schema for scalars: ``yes`` and ``on`` are strings. There are no anchors, aliases,
tags or duplicate keys, and depth and size are bounded, so no input can grow beyond its own size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from agent_factory.core.source import Location, Problem

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "Path", "read_document"]

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead from the root of a document to a value."""

MAX_BYTES = 1_048_576
MAX_DEPTH = 32

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
# Not for digits alone: a whole number too long for _INTEGER would lose digits as a float.
_FLOAT = re.compile(
    r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,3})?|[0-9]+[eE][-+]?[0-9]{1,3})"
)


class DocumentStop(Exception):  # noqa: N818 - a signal within this module, no error of its own
    """Reading cannot go on; the problem is recorded."""


@dataclass(slots=True)
class Document:
    """A file's content with its places.

    Attributes:
        file: The file's name as the user gave it.
        lines: The file's lines, without their ends.
        value: The content as plain data; None if it could not be read.
        problems: What is wrong with the text as YAML.
        key_places: Line and column, from 0, of the key of each value that has one.
        value_places: Line and column, from 0, of each value.
    """

    file: str
    lines: list[str]
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    key_places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    value_places: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def create_problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem at the place of a value.

        Args:
            path: Where the value is, or would be; the nearest enclosing value that exists is shown.
            message: What is wrong, and what would be right.
            at_key: Whether the key of the value is meant and not the value.
        """
        while path:
            for places in (
                (self.key_places, self.value_places)
                if at_key
                else (self.value_places, self.key_places)
            ):
                if path in places:
                    return self.create_problem_at(*places[path], message)
            path, at_key = path[:-1], True
        return self.create_problem_at(*self.value_places.get((), (0, 0)), message)

    def create_problem_at(self, line: int, column: int, message: str) -> Problem:
        """Return a problem at a line and column, both counted from 0."""
        excerpt = self.lines[line] if line < len(self.lines) else ""
        return Problem(Location(self.file, line + 1, column + 1), message, excerpt)

    def stop(self, mark: Any, message: str) -> DocumentStop:
        """Record a problem at one of PyYAML's marks, and return what to raise.

        Args:
            mark: The place; the start of the file if None.
            message: What is wrong, and what would be right.
        """
        line, column = (0, 0) if mark is None else (mark.line, mark.column)
        self.problems.append(self.create_problem_at(line, column, message))
        return DocumentStop(message)


def read_document(content: bytes, file: str) -> Document:
    """Read a document.

    Args:
        content: The bytes of the file.
        file: The file's name for messages.

    Returns:
        The document; ``problems`` is empty exactly if ``value`` is what the file says.
    """
    document = Document(file, [])
    if len(content) > MAX_BYTES:
        document.problems.append(
            Problem(
                Location(file, 1, 1),
                f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read",
            )
        )
        return document
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n")
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace"))
        document.problems.append(
            Problem(
                Location(file, line + 1, column + 1),
                f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8",
            )
        )
        return document
    document.lines = text.splitlines()
    try:
        document.value = _Reader(document).read(text)
    except DocumentStop:
        document.value = None
    if document.problems:
        document.value = None
    return document


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document

    def read(self, text: str) -> Any:
        document = self._document
        try:
            loader = yaml.SafeLoader(text)
        except yaml.YAMLError as error:
            raise self._syntax(error, text) from None
        try:
            loader.get_event()  # type: ignore[no-untyped-call]  # the stream starts
            start = loader.get_event()  # type: ignore[no-untyped-call]
            if isinstance(start, yaml.StreamEndEvent):
                raise document.stop(None, "the file is empty: a blueprint starts with 'schema:'")
            value = self._value(loader, loader.get_event(), ())  # type: ignore[no-untyped-call]
            loader.get_event()  # type: ignore[no-untyped-call]  # the document ends
            after = loader.get_event()  # type: ignore[no-untyped-call]
            if not isinstance(after, yaml.StreamEndEvent):
                raise document.stop(
                    after.start_mark, "a second document starts here: one file holds one blueprint"
                )
        except yaml.YAMLError as error:
            raise self._syntax(error, text) from None
        finally:
            loader.dispose()
        return value

    def _syntax(self, error: yaml.YAMLError, text: str) -> DocumentStop:
        if isinstance(error, yaml.MarkedYAMLError):
            said = " ".join(part for part in (error.context, error.problem) if part)
            return self._document.stop(error.problem_mark or error.context_mark, _reword(said))
        if isinstance(error, yaml.reader.ReaderError):
            before = text[: error.position]
            line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
            self._document.problems.append(
                self._document.create_problem_at(
                    line,
                    column,
                    f"character U+{ord(text[error.position]):04X} may not stand in YAML",
                )
            )
            return DocumentStop()
        return self._document.stop(None, f"not YAML: {error}")

    def _value(self, loader: Any, event: Any, path: Path) -> Any:
        document = self._document
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise document.stop(mark, "aliases ('*name') are not allowed: write the value out")
        if event.anchor is not None:
            raise document.stop(mark, "anchors ('&name') are not allowed: write the value out")
        if event.tag is not None:
            raise document.stop(mark, f"tags are not allowed: remove '{event.tag}'")
        if len(path) > MAX_DEPTH:
            raise document.stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        document.value_places[path] = (mark.line, mark.column)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := loader.get_event(), yaml.SequenceEndEvent):
                items.append(self._value(loader, event, (*path, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := loader.get_event(), yaml.MappingEndEvent):
            key = self._key(event)
            place = (*path, key)
            if key in mapping:
                first = document.key_places[place][0] + 1
                document.problems.append(
                    document.create_problem_at(
                        event.start_mark.line,
                        event.start_mark.column,
                        f"key {key!r} was given before, in line {first}: remove one",
                    )
                )
            document.key_places[place] = (event.start_mark.line, event.start_mark.column)
            mapping[key] = self._value(loader, loader.get_event(), place)
        return mapping

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
            raise self._document.stop(event.start_mark, "a key must be a plain word or a string")
        if event.value == "<<" and event.implicit[0]:
            raise self._document.stop(event.start_mark, "merge keys ('<<') are not allowed")
        return str(event.value)

    def _scalar(self, event: Any) -> Any:
        text = str(event.value)
        if not event.implicit[0]:
            return text
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if text in ("true", "True", "TRUE"):
            return True
        if text in ("false", "False", "FALSE"):
            return False
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return text


def _reword(said: str) -> str:
    """Say what PyYAML says of the commonest mistakes in words that help."""
    if "found character '\\t'" in said:
        return "a tab cannot indent YAML: use spaces"
    if "mapping values are not allowed here" in said:
        return "a ':' too many, or wrong indentation: put a text that contains ': ' in quotes"
    return f"not YAML: {said}"
