"""Reads the part of YAML that blueprints need from a text, with the place of everything and all that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from agent_factory.core.blueprints.scalars import resolve_scalar
from agent_factory.core.blueprints.scanner import WRONG_VERSION, Scanner
from agent_factory.core.blueprints.syntax import Place, Syntax, describe_syntax_error
from agent_factory.core.source import MAX_PROBLEMS

if TYPE_CHECKING:
    from agent_factory.core.blueprints.document import Document, Path

__all__ = ["MAX_DEPTH", "MAX_VALUES", "read_text"]

MAX_DEPTH = 32
"""Levels of lists and mappings."""

MAX_VALUES = 50_000
"""Values in a file, lists and mappings included. It bounds time and memory, which a file's size alone does not."""

_EMPTY = "the file is empty"
_AFTER_DIRECTIVE = re.compile("<document start>|directive|incompatible|duplicate tag handle")
_KEY_WITHOUT_SPACE = re.compile(r"[A-Za-z_][\w.-]*:[^\s/]")
_TAG = re.compile(r"[^\s,\[\]{}]{1,40}")
_TEMPLATE = re.compile(r"\{\{")
_SHOWN = 40


class _Stop(Exception):  # noqa: N818 - a signal within this module, no error of its own
    """Reading cannot go on; the problem is recorded."""


def read_text(text: str, document: Document) -> tuple[Any, int]:
    """Read a text, and record the places and the problems in a document.

    The pure Python scanner of PyYAML is used everywhere, also where its C library is installed: messages and places
    are then the same on every machine, and it can be watched while it works.

    Args:
        text: The text, without a byte order mark.
        document: Where places and problems are put; it has the lines of the text already.

    Returns:
        The content as plain data, and how many problems were found beyond those that were recorded.
    """
    reader = _Reader(text, document)
    try:
        value = reader.read()
    except _Stop:
        value = None
    return value, reader.more


_NO_KEY: Final = object()
_REFUSED_KEY: Final = object()


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read.

    Attributes:
        container: What was read of it so far.
        path: Where it is.
        key: The key whose value comes next; for a mapping only.
        key_end: Where the text of that key ends.
        refused: Whether it stands where a key must stand, so that its content counts for nothing.
    """

    container: dict[str, Any] | list[Any]
    path: Path
    key: Any = _NO_KEY
    key_end: int = 0
    refused: bool = False


class _Reader:
    def __init__(self, text: str, document: Document) -> None:
        self.more = 0
        self._text = text
        self._document = document
        self._frames: list[_Frame] = []
        self._root: Any = None
        self._count = 0

    def read(self) -> Any:
        scanner = Scanner(self._text)
        try:
            self._read(scanner)
        except yaml.MarkedYAMLError as error:
            # Without the directive, what stands behind it is right.
            if not scanner.directives or not _AFTER_DIRECTIVE.search(str(error.problem)):
                syntax = Syntax(self._document.lines, scanner.opened, scanner.quoted)
                place, message = describe_syntax_error(error, syntax)
                self._record(place, message, last=True)
            raise _Stop from None
        except (ValueError, OverflowError):
            # From the numbers of an escape sequence or of a directive, which PyYAML does not check.
            if self._document.lines[scanner.line].startswith("%"):
                scanner.directives.append(((scanner.line, 0), WRONG_VERSION))
            else:
                self._record(
                    (scanner.line, scanner.column),
                    "this number stands for no character: the highest is '\\U0010FFFF'",
                    last=True,
                )
            raise _Stop from None
        finally:
            for place, message in scanner.directives:
                self._record(place, message)
            scanner.dispose()
        return self._root

    def _read(self, scanner: Scanner) -> None:
        next_event: Any = scanner.get_event
        next_event()  # the stream starts
        if isinstance(next_event(), yaml.StreamEndEvent):
            self._record((0, 0), _EMPTY)
            raise _Stop
        while True:
            self._take(next_event())
            if not self._frames:
                break
        next_event()  # the document ends
        after = next_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._stop(after, "a second document starts here: move it to a file of its own")

    def _take(self, event: Any) -> None:
        """Take the next event in. There is no recursion: the stack of the caller may be deep already."""
        frames = self._frames
        if isinstance(event, yaml.CollectionEndEvent):
            frames.pop()
            return
        frame = frames[-1] if frames else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is _NO_KEY:
            frame.key = self._take_key(event, frame)
            frame.key_end = event.end_mark.index
            return
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._stop(event, f"the file has more than {MAX_VALUES:,} values: split it")
        if frame is None and _is_empty(event):
            self._record((0, 0), _EMPTY)
        path = self._get_path(frame)
        if len(path) > MAX_DEPTH:
            raise self._stop(event, f"nested deeper than {MAX_DEPTH} levels: split the file")
        self._document.value_places[path] = (event.start_mark.line, event.start_mark.column)
        self._check_properties(event)
        if path and _is_empty(event) and _KEY_WITHOUT_SPACE.match(str(path[-1])):
            place = self._document.key_places.get(path, (0, 0))
            self._record(place, "a space is missing behind the ':', or the key needs quotes")
        elif frame is not None and isinstance(frame.container, dict) and _is_empty(event):
            self._check_colon(event, frame, path)
        self._put(frame, self._create_value(event, path))

    def _check_colon(self, event: Any, frame: _Frame, path: Path) -> None:
        """Make sure that a key without a value has its colon: without one, it is mostly the rest of a text with a comma."""
        if frame.key is _REFUSED_KEY or ":" in self._text[frame.key_end : event.start_mark.index]:
            return
        self._record(
            self._document.key_places.get(path, (0, 0)),
            "this is a key without a value: put a text that has a ',' in quotes, or write 'key: value'",
        )

    def _get_path(self, frame: _Frame | None) -> Path:
        if frame is None:
            return ()
        if isinstance(frame.container, list):
            return (*frame.path, len(frame.container))
        return (*frame.path, "" if frame.key is _REFUSED_KEY else frame.key)

    def _put(self, frame: _Frame | None, value: Any) -> None:
        if frame is None:
            self._root = value
        elif isinstance(frame.container, list):
            frame.container.append(value)
        else:
            if frame.key is not _REFUSED_KEY:
                frame.container[frame.key] = value
            frame.key = _NO_KEY

    def _create_value(self, event: Any, path: Path, *, refused: bool = False) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._create_scalar(event)
        container: dict[str, Any] | list[Any] = (
            [] if isinstance(event, yaml.SequenceStartEvent) else {}
        )
        self._frames.append(_Frame(container, path, refused=refused))
        return container

    def _take_key(self, event: Any, frame: _Frame) -> Any:
        place = (event.start_mark.line, event.start_mark.column)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse_key(event, frame)
            return _REFUSED_KEY
        self._check_properties(event)
        plain = event.implicit[0]
        if event.value == "<<" and plain:
            self._record(place, "merge keys ('<<') are not allowed: write the keys out")
            return _REFUSED_KEY
        if event.value == "" and plain:
            self._record(place, "a key is missing: write a word before the ':', or remove this")
            return _REFUSED_KEY
        key = event.value if plain else self._check_text(event)
        path = (*frame.path, key)
        mapping = frame.container
        if isinstance(mapping, dict) and key in mapping:
            first = self._document.key_places[path][0] + 1
            self._record(
                place, f"key {_shorten(key)} was given before, in line {first}: remove one"
            )
            return _REFUSED_KEY
        self._document.key_places[path] = place
        return key

    def _refuse_key(self, event: Any, frame: _Frame) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._check_properties(event)
            return
        if _TEMPLATE.match(self._text, max(event.start_mark.index - 1, 0)):
            column = event.start_mark.column - 1
            self._record(
                (event.start_mark.line, max(column, 0)),
                "a text that starts with '{{' needs quotes: write '{{...}}' between quotes",
                last=True,
            )
            raise _Stop
        # Of keys within keys, the outermost is the one to correct.
        if not any(item.refused for item in self._frames):
            self._record(
                (event.start_mark.line, event.start_mark.column),
                "a key must be a word or a text in quotes, not a list or a mapping",
            )
        if len(self._frames) > MAX_DEPTH:
            raise self._stop(event, f"nested deeper than {MAX_DEPTH} levels: split the file")
        self._create_value(event, (*frame.path, ""), refused=True)

    def _check_properties(self, event: Any) -> None:
        place = (event.start_mark.line, event.start_mark.column)
        if isinstance(event, yaml.AliasEvent):
            self._record(
                place,
                "aliases ('*name') are not allowed: write the value out, "
                "or put a text that starts with '*' in quotes",
            )
            return
        if event.anchor is not None:
            self._record(
                place,
                "anchors ('&name') are not allowed: remove this, "
                "or put a text that starts with '&' in quotes",
            )
        if event.tag is not None:
            start = max(self._text.find("!", event.start_mark.index), 0)
            found = _TAG.match(self._text, start)
            shown = found[0] if found else "!"
            self._record(
                place,
                f"tags are not allowed: remove '{shown}', "
                "or put a text that starts with '!' in quotes",
            )

    def _create_scalar(self, event: Any) -> Any:
        if not event.implicit[0]:
            return self._check_text(event)
        for number in range(event.start_mark.line + 1, event.end_mark.line + 1):
            line = self._document.lines[number]
            if line.lstrip(" ").startswith("- "):
                self._record(
                    (number, len(line) - len(line.lstrip(" "))),
                    "this goes on with the text above, and is no list item: indent it like the item that it belongs beside, "
                    "or put the text behind '|'",
                )
        value, wrong = resolve_scalar(event.value)
        if wrong is not None:
            self._record((event.start_mark.line, event.start_mark.column), wrong)
        return value

    def _check_text(self, event: Any) -> str:
        """Return a text in quotes, with what its escape sequences mean."""
        text = str(event.value)
        if event.style != '"' or (text.isascii() and "\0" not in text):
            return text
        place = (event.start_mark.line, event.start_mark.column)
        if "\0" in text:
            self._record(place, "this text has the character '\\0', which no text may have")
        try:
            # What JSON writes as two escape sequences is one character.
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            self._record(
                place,
                "this text has half of a character: '\\ud800' to '\\udfff' go in pairs, "
                "or write '\\U' and eight digits",
            )
            return ""

    def _stop(self, event: Any, message: str) -> _Stop:
        self._record((event.start_mark.line, event.start_mark.column), message, last=True)
        return _Stop()

    def _record(self, place: Place, message: str, *, last: bool = False) -> None:
        problems = self._document.problems
        # What ends the reading is told in any case.
        if len(problems) < MAX_PROBLEMS or last:
            problems.append(self._document.create_problem_at(*place, message))
        else:
            self.more += 1


def _is_empty(event: Any) -> bool:
    """Return whether nothing stands where a value could."""
    return (
        isinstance(event, yaml.ScalarEvent)
        and event.value == ""
        and event.implicit[0]
        and event.anchor is None
    )


def _shorten(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}...")
