"""Glob patterns over relative paths, matched folder by folder, so that a walk enters only what can match."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PathPatterns", "PatternError", "PatternState"]

MAX_PATTERN = 300

PatternState: TypeAlias = frozenset[tuple[int, int]]
"""How far each pattern has been matched: pairs of a pattern's number and the next segment in it."""


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why and what to write instead."""


class PathPatterns:
    """A set of patterns such as ``docs/**/*.md``; a path matches when one of them does.

    ``*``, ``?`` and ``[...]`` match within one name, ``**`` matches any number of folders. Upper and lower case
    differ.

    Args:
        patterns: The patterns, relative, with ``/`` between names; at least one.

    Raises:
        PatternError: A pattern is empty, too long, absolute, or contains ``..``.
    """

    __slots__ = ("_patterns",)

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(_compile(pattern) for pattern in patterns)
        if not self._patterns:
            raise PatternError("there is no pattern: give at least one, such as '**/*.md'")

    def start(self) -> PatternState:
        """Return the state at the folder that the patterns are relative to."""
        return self._close((number, 0) for number in range(len(self._patterns)))

    def enter(self, state: PatternState, name: str) -> PatternState:
        """Return the state after a name; it is empty when nothing below that name can match.

        Args:
            state: The state of the folder that holds the name.
            name: Name of a file or a folder.
        """
        following = []
        for number, index in state:
            segments = self._patterns[number]
            if index == len(segments):
                continue
            segment = segments[index]
            if segment is None:
                following.append((number, index))
            elif segment.fullmatch(name):
                following.append((number, index + 1))
        return self._close(following)

    def matches(self, state: PatternState, name: str) -> bool:
        """Return whether a file of that name matches.

        Args:
            state: The state of the folder that holds the file.
            name: Name of the file.
        """
        after = self.enter(state, name)
        return any(index == len(self._patterns[number]) for number, index in after)

    def _close(self, pairs: Iterable[tuple[int, int]]) -> PatternState:
        closed = set()
        for number, first in pairs:
            segments = self._patterns[number]
            index = first
            closed.add((number, index))
            # "**" also stands for no folder at all.
            while index < len(segments) and segments[index] is None:
                index += 1
                closed.add((number, index))
        return frozenset(closed)


def _compile(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    if len(pattern) > MAX_PATTERN:
        raise PatternError(
            f"a pattern has {len(pattern)} characters: at most {MAX_PATTERN} are allowed"
        )
    if pattern.startswith("/"):
        raise PatternError(
            f"pattern {pattern!r} is absolute: write it relative, without the first '/'"
        )
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    if not names:
        raise PatternError(f"pattern {pattern!r} names nothing: write one such as '**/*.md'")
    if ".." in names:
        raise PatternError(f"pattern {pattern!r} leads out of the folder by '..': leave that out")
    return tuple(None if name == "**" else re.compile(fnmatch.translate(name)) for name in names)
