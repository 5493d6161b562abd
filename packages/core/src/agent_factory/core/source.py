"""Places in source files, and problems found at them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_PROBLEMS", "Location", "Problem", "select_problems"]

MAX_PROBLEMS = 100
"""Problems of one file that are told; of the rest, only how many there are."""

_BEFORE = 60
_WINDOW = 120


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text file.

    Attributes:
        file: The file's name as the user gave it.
        line: Line, counted from 1.
        column: Column in characters, counted from 1.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a source file.

    Attributes:
        location: Where it is.
        message: What is wrong, and what would be right.
        excerpt: The offending line of the file, or an empty string where there is none.
    """

    location: Location
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = f"{self.location}: {self.message}"
        if not self.excerpt:
            return head
        # A window around the column keeps a very long line from flooding the terminal.
        start = max(0, self.location.column - 1 - _BEFORE)
        window = self.excerpt[start : start + _WINDOW]
        # What a file holds must not steer the terminal.
        shown = "".join(char if char.isprintable() else " " for char in window)
        caret = " " * _measure(shown[: self.location.column - 1 - start]) + "^"
        return f"{head}\n    {shown}\n    {caret}"

    def to_dict(self) -> dict[str, object]:
        """Return the problem as plain JSON-compatible data."""
        return {
            "file": self.location.file,
            "line": self.location.line,
            "column": self.location.column,
            "message": self.message,
        }


def select_problems(problems: Iterable[Problem], *, more: int = 0) -> list[Problem]:
    """Return what is told of the problems of one file: each once, in the order of the file, and not too many.

    Args:
        problems: The problems, in any order.
        more: How many further ones were found but not kept; the kept ones come before them.

    Returns:
        At most `MAX_PROBLEMS` problems and, where there are more, a last one that says how many.
    """
    found = sorted(
        dict.fromkeys(problems), key=lambda item: (item.location.line, item.location.column)
    )
    left = found[MAX_PROBLEMS:]
    more += len(left)
    if not more:
        return found
    place = left[0].location if left else found[-1].location
    return [
        *found[:MAX_PROBLEMS],
        Problem(place, f"and {more:,} more problems: correct the ones above first"),
    ]


def _measure(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        (
            0
            if unicodedata.combining(char) or unicodedata.category(char) == "Me"
            else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        )
        for char in text
    )
