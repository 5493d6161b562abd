"""Circles and depth in what names something else: fallbacks of models, agents that call agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["describe_circle", "find_circles", "find_deep"]

_SHOWN = 8


def find_circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return a way around each circle, with its first name at the end again.

    Args:
        edges: What each name leads to; all of that are names too.
    """
    circles: list[list[str]] = []
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path = [start]
        position = {start: 0}
        rest = [iter(edges[start])]
        while rest:
            following = next(rest[-1], None)
            if following is None:
                rest.pop()
                name = path.pop()
                del position[name]
                done.add(name)
            elif following in position:
                circles.append([*path[position[following] :], following])
            elif following not in done:
                position[following] = len(path)
                path.append(following)
                rest.append(iter(edges[following]))
    return circles


def find_deep(edges: Mapping[str, Sequence[str]], most: int) -> list[str]:
    """Return the names from which a way leads over more others than allowed, and that no such name leads to.

    Args:
        edges: What each name leads to; without circles.
        most: How many others may follow each other.
    """
    depth: dict[str, int] = {}
    for start in edges:
        waiting = [start]
        while waiting:
            name = waiting[-1]
            missing = [other for other in edges[name] if other not in depth]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            depth[name] = 1 + max((depth[other] for other in edges[name]), default=-1)
    deep = {name for name, levels in depth.items() if levels > most}
    reached = {other for name in deep for other in edges[name]}
    return [name for name in edges if name in deep and name not in reached]


def describe_circle(circle: Sequence[str]) -> str:
    """Return a circle in words, cut if it is long.

    Args:
        circle: The names on the way.
    """
    if len(circle) > _SHOWN:
        left = len(circle) - _SHOWN
        circle = [*circle[: _SHOWN - 1], f"({left:,} more)", circle[-1]]
    return " -> ".join(circle)
