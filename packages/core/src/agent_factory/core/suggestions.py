"""Hints for misspelt names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["describe_choices"]


def describe_choices(wrong: str, choices: Iterable[str]) -> str:
    """Return words that lead from a wrong name to the right ones.

    Args:
        wrong: The name that was given.
        choices: The names that there are.

    Returns:
        ``did you mean 'x'?`` where one is close, else ``there are: a, b``, or ``there are none``.
    """
    names = sorted(choices)
    # Longer input costs quadratic time and is no typing mistake.
    close = difflib.get_close_matches(wrong[:100], names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(names)}" if names else "there are none"
