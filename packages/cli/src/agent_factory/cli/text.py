"""Texts for people: safe for a terminal, of bounded length, with numbers that can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "clean",
    "count",
    "format_cost",
    "format_json",
    "format_seconds",
    "format_table",
    "shorten",
]


def clean(text: str) -> str:
    """Return a text without what could steer a terminal: control characters become a replacement character.

    Args:
        text: Any text, such as one from a model, a tool, or a file.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def shorten(text: str, length: int) -> str:
    """Return a text as one clean line of bounded length.

    Args:
        text: Any text.
        length: Characters at most; at least 1.
    """
    # Cut first, so that a text of any length costs no more than a short one.
    line = " ".join(clean(text[: 4 * length]).split())
    if len(line) <= length and len(text) <= 4 * length:
        return line
    return f"{line[: length - 1]}…"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 token`` or ``2,000 tokens``.

    Args:
        number: How many.
        noun: The noun for one.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_cost(cost: int | None, currency: str) -> str:
    """Return what something cost, or that it is not known.

    Args:
        cost: Millionths of the currency's unit.
        currency: The unit, such as ``USD``.
    """
    if cost is None:
        return "unknown"
    whole, rest = divmod(cost, 1_000_000)
    digits = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{digits} {currency}"


def format_seconds(seconds: float) -> str:
    """Return a duration, such as ``0.42 s``, ``1 min 05 s`` or ``2 h 03 min``.

    Args:
        seconds: The duration; at least 0.
    """
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def format_json(text: str) -> str:
    """Return JSON text over several lines, as a person reads it; other text as it is.

    Args:
        text: The text, such as the arguments of a tool call.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return clean(text)
    return clean(json.dumps(value, indent=2, ensure_ascii=False))


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns, ready to print.

    Args:
        heads: The heads of the columns.
        rows: The cells, one row after the other; each cell becomes one clean line.
    """
    from rich.cells import cell_len

    cells = [[clean(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows]
    cells.insert(0, [head.upper() for head in heads])
    widths = [max(cell_len(row[index]) for row in cells) for index in range(len(heads))]
    lines = []
    for row in cells:
        padded = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
