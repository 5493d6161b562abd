"""What a server says beside the protocol: kept to a bound, off the terminal, and shown where something goes wrong."""

from __future__ import annotations

import unicodedata
from collections import deque

__all__ = ["LastWords", "clean"]

_MOST_LINES = 40
_MOST_CHARS = 2000


class LastWords:
    """The last lines that a server wrote to its standard error, logged, or wrote where messages of the protocol belong."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)

    def add(self, text: str) -> None:
        """Keep what was said.

        Args:
            text: A text of any length.
        """
        for line in text[-_MOST_CHARS:].splitlines():
            if line.strip():
                self._lines.append(clean(line.rstrip(), _MOST_CHARS))

    def tell(self) -> str:
        """Return the end of a message that quotes them; empty if there are none."""
        said = "\n".join(self._lines)
        if not said:
            return ""
        if len(said) > _MOST_CHARS:
            said = f"...{said[-_MOST_CHARS:]}"
        return f"; it last said:\n{said}"


def clean(text: str, most: int) -> str:
    """Return a text from a server without what people cannot see, and of bounded length.

    Control characters could change a terminal; invisible ones hide from people what a model reads.

    Args:
        text: The text.
        most: Characters to keep.
    """
    cut = text[:most]
    shown = "".join(
        char for char in cut if char in "\n\t" or unicodedata.category(char) not in _HIDDEN
    )
    return (
        shown
        if len(text) <= most
        else f"{shown}\n[... {len(text) - most:,} more characters left out]"
    )


_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})
