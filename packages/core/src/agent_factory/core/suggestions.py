"""Hints for misspelt names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["describe_choices", "find_close_name"]

# Longer input costs quadratic time and is no typing mistake.
_MAX_LENGTH = 100
_MAX_COMPARED = 500
_MAX_LISTED = 40


def describe_choices(wrong: str, choices: Iterable[str]) -> str:
    """Return words that lead from a wrong name to the right ones.

    Args:
        wrong: The name that was given.
        choices: The names that there are.

    Returns:
        ``did you mean 'x'?`` where one is close, else ``there are: a, b``, or ``there are none``.
    """
    names = sorted(choices)
    close = find_close_name(wrong, names)
    if close is not None:
        return f"did you mean {close!r}?"
    if not names:
        return "there are none"
    left = len(names) - _MAX_LISTED
    more = f" and {left:,} more" if left > 0 else ""
    return f"there are: {', '.join(names[:_MAX_LISTED])}{more}"


def find_close_name(wrong: str, choices: Iterable[str]) -> str | None:
    """Return the name that was probably meant; None if none is close.

    Upper and lower case, and ``-``, ``_`` and spaces, are taken for the same.

    Args:
        wrong: The name that was given.
        choices: The names that there are; the first 500 of them are compared.
    """
    names: dict[str, str] = {}
    for name in choices:
        names.setdefault(_normalise(name), name)
        if len(names) == _MAX_COMPARED:
            break
    close = difflib.get_close_matches(_normalise(wrong), list(names), n=1, cutoff=0.6)
    return names[close[0]] if close else None


def _normalise(name: str) -> str:
    return name[:_MAX_LENGTH].casefold().replace("-", "_").replace(" ", "_")
