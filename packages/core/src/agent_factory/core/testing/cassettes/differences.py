"""How a request differs from the recorded one that is nearest to it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_nearest", "show_difference"]

_WIDTH = 100
_MAX_LINES = 60


def find_nearest(request: dict[str, Any], recorded: Sequence[dict[str, Any]]) -> int | None:
    """Return the position of the recorded request that has the most lines in common with a request.

    Args:
        request: The request in its canonical form.
        recorded: The recorded ones in theirs.

    Returns:
        The position, or None where nothing is recorded.
    """
    wanted = Counter(_render(request))

    def likeness(index: int) -> tuple[int, int]:
        lines = Counter(_render(recorded[index]))
        return (wanted & lines).total() * 2 - lines.total(), -index

    return max(range(len(recorded)), key=likeness, default=None)


def show_difference(recorded: dict[str, Any], request: dict[str, Any]) -> str:
    """Return a unified diff of two requests, of bounded length.

    Args:
        recorded: The recorded request.
        request: The one that was made.
    """
    import difflib

    lines = list(
        difflib.unified_diff(
            _render(recorded), _render(request), "recorded", "requested", lineterm="", n=2
        )
    )
    hidden = len(lines) - _MAX_LINES
    if hidden > 0:
        lines[_MAX_LINES:] = [f"... and {hidden} more lines"]
    return "\n".join(lines)


def _render(request: dict[str, Any]) -> list[str]:
    text = json.dumps(_wrap(request), indent=1, sort_keys=True, ensure_ascii=False)
    return text.splitlines()


def _wrap(data: Any) -> Any:
    """Return data with its long texts in pieces, so that a diff shows the place and not the whole text."""
    if isinstance(data, dict):
        return {key: _wrap(item) for key, item in data.items()}
    if isinstance(data, list):
        return [_wrap(item) for item in data]
    if isinstance(data, str) and (len(data) > _WIDTH or "\n" in data):
        return list(_pieces(data))
    return data


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), _WIDTH):
            yield line[start : start + _WIDTH]
