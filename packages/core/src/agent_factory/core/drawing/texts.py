"""Texts in pictures: how wide they are, about, and how to write them so that they are nothing but text."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape as escape_xml

__all__ = ["clean", "escape", "measure", "shorten"]

_NARROW = frozenset("ijl.,:;|!'()[]{}ftrI1 /\\`\"-")
_BROAD = frozenset("mwMW@%&#")


def clean(text: str) -> str:
    """Return a text in one line, without what is not printable: it could break the file, or turn its direction.

    Args:
        text: Any text.
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def shorten(text: str, most: int) -> str:
    """Return a text of at most so many characters.

    Args:
        text: A clean text.
        most: Characters, above 3.
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def escape(text: str) -> str:
    """Return a text as it is written in XML, in an attribute too.

    Args:
        text: Any text.
    """
    return escape_xml(clean(text), {'"': "&quot;", "'": "&#39;"})


def measure(text: str, size: float) -> float:
    """Return about how wide a text is.

    Args:
        text: A clean text.
        size: Size of the font, in the unit of the result.
    """
    return sum(map(_measure, text)) * size


def _measure(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _BROAD:
        return 0.92
    if char.isascii():
        return 0.68 if char.isupper() else 0.58
    if unicodedata.combining(char):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(char) in "WF" else 0.66
