"""A strict reader for the part of YAML that blueprints need, which knows the place of everything it reads.

Follows YAML 1.2 with its core schema for scalars: ``yes`` and ``on`` are strings. There are no anchors, aliases,
tags or duplicate keys, and depth, size and the number of values are bounded, so no input can grow beyond its own size.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from agent_factory.core.blueprints.reader import MAX_DEPTH, MAX_VALUES, read_text
from agent_factory.core.source import MAX_PROBLEMS, Location, Problem, select_problems

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "Document", "Path", "read_document"]

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead from the root of a document to a value."""

MAX_BYTES = 1_048_576

_LINE_END = re.compile(r"\r\n|\r|\n")
# Allowed by YAML in part, and refused for what they are good for: to hide from people what a program reads. The separators
# end lines for some readers and not for others, and the marks of direction show a text in another order than it has.
_HIDDEN = {
    "\x85": "a line break of another kind",
    "\u2028": "a line separator",
    "\u2029": "a paragraph separator",
    "\ufeff": "a byte order mark",
    **dict.fromkeys(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "a mark of writing direction"
    ),
}
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


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


def read_document(content: bytes, file: str) -> Document:
    """Read a document.

    Args:
        content: The bytes of the file.
        file: The file's name for messages.

    Returns:
        The document; ``problems`` is empty exactly if ``value`` is what the file says. There are at most `MAX_PROBLEMS`,
        and a last one that says how many more there are.
    """
    document = Document(file, [])
    text = _decode(content, document)
    if document.problems:
        return document
    document.lines = _LINE_END.split(text)
    more = _refuse_characters(text, document)
    if not document.problems:
        document.value, more = read_text(text, document)
    if document.problems:
        document.value = None
        document.problems = select_problems(document.problems, more=more)
    return document


def _decode(content: bytes, document: Document) -> str:
    """Return the text of a file without its byte order mark, or record why it has none."""
    message = None
    line, column = 0, 0
    if len(content) > MAX_BYTES:
        message = f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read"
    elif content.startswith(
        (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
    ) or _NUL_BESIDE_ASCII.match(content):
        message = "the file is UTF-16 or UTF-32, or no text: save it as UTF-8"
    else:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # The decoder counts from behind the byte order mark.
            start = error.start + 3 * content.startswith(codecs.BOM_UTF8)
            message = f"byte 0x{content[start]:02x} is not UTF-8: save the file as UTF-8"
            document.lines = _LINE_END.split(content.decode("utf-8-sig", "replace"))
            before = _LINE_END.split(content[:start].decode("utf-8-sig", "replace"))
            line, column = len(before) - 1, len(before[-1])
    document.problems.append(document.create_problem_at(line, column, message))
    return ""


_NUL_BESIDE_ASCII = re.compile(rb"[\x01-\x7f]\0|\0[\x01-\x7f]|\0\0")


def _refuse_characters(text: str, document: Document) -> int:
    """Record the characters that no blueprint may have; return how many there are beyond the recorded ones."""
    count = 0
    line, start = 0, 0
    for found in _REFUSED.finditer(text):
        count += 1
        if count > MAX_PROBLEMS:
            continue
        for end in _LINE_END.finditer(text, start, found.start()):
            line, start = line + 1, end.end()
        code = ord(found[0])
        kind = _HIDDEN.get(found[0], "a control character")
        escape = f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"
        hint = (
            "remove it"
            if code in (0, 0xFEFF)
            else f"remove it, or write '{escape}' in double quotes"
        )
        document.problems.append(
            document.create_problem_at(
                line,
                found.start() - start,
                f"character U+{code:04X} ({kind}) may not stand here: {hint}",
            )
        )
    return max(0, count - MAX_PROBLEMS)
