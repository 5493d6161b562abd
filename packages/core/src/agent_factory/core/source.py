"""Places in source files, and problems found at them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Location", "Problem"]


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
        start = max(0, self.location.column - 1 - 60)
        window = self.excerpt[start : start + 120]
        # What a file holds must not steer the terminal.
        shown = "".join(char if char.isprintable() else " " for char in window)
        caret = " " * (self.location.column - 1 - start) + "^"
        return f"{head}\n    {shown}\n    {caret}"

    def to_dict(self) -> dict[str, object]:
        """Return the problem as plain JSON-compatible data."""
        return {
            "file": self.location.file,
            "line": self.location.line,
            "column": self.location.column,
            "message": self.message,
        }
