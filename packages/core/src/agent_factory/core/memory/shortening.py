"""Texts that are shortened say how much of them is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["shorten_text"]


def shorten_text(text: str, fits: Callable[[str], bool] = lambda _: False) -> str:
    """Return as much of the beginning of a text as fits, with a marker that says how much is left out.

    Args:
        text: The text; not empty.
        fits: Whether a shortened text is short enough.

    Returns:
        The shortened text; the marker alone, such as ``[... 12,345 characters left out]``, where nothing more fits,
        even if that does not fit either.
    """
    best = _cut(text, 0)
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        shortened = _cut(text, middle)
        if fits(shortened):
            low, best = middle, shortened
        else:
            high = middle - 1
    return best


def _cut(text: str, length: int) -> str:
    marker = f"[... {len(text) - length:,} characters left out]"
    return f"{text[:length]}\n{marker}" if length else marker
