"""One level of a layered layout: vertices in rows, so that arrows lead downwards and cross little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Level", "Link", "Vertex", "find_backward"]

_SWEEPS = 6
_ROUNDS = 8
_GAP = 26.0
_LANE_GAP = 14.0
_PORT_GAP = 6.0
# From there on, arrows over several rows lead straight on: more lanes would only take time.
_MAX_LANES = 3_000


@dataclass(slots=True)
class Vertex:
    """A thing of some size that gets a place.

    Attributes:
        width: How wide it is.
        height: How high it is.
        row: Number of its row, from the top.
        x: Its middle.
        y: Its top.
        lane: Whether it only keeps room for an arrow.
    """

    width: float
    height: float
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    lane: bool = False


@dataclass(slots=True)
class Link:
    """An arrow that leads down, from row to row.

    Attributes:
        source: Number of the vertex above.
        target: Number of the vertex below.
        leaves: How far from the middle of the one above it leaves.
        enters: How far from the middle of the one below it enters.
        path: Numbers of the vertices that it leads through, both ends included.
    """

    source: int
    target: int
    leaves: float = 0.0
    enters: float = 0.0
    path: list[int] = field(default_factory=list)


class Level:
    """Vertices and the links between them. `place` gives every vertex its place.

    Args:
        vertices: The vertices.
        links: The links, which must not lead in circles.
        gap: How far rows are apart.
        above: Numbers of the vertices that belong into a row above all others.
        below: Numbers of the vertices that belong into a row below all others.

    Attributes:
        width: How wide all of it is, once it is placed.
        height: How high all of it is.
        tops: Where each row begins.
        bottoms: Where each row ends.
    """

    def __init__(
        self,
        vertices: list[Vertex],
        links: list[Link],
        gap: float,
        above: Sequence[int] = (),
        below: Sequence[int] = (),
    ) -> None:
        self.vertices = vertices
        self.links = links
        self._gap = gap
        self.width = self.height = 0.0
        self.tops: list[float] = []
        self.bottoms: list[float] = []
        self._above = set(above)
        self._below = set(below)
        # Of each vertex its neighbours above and below, with how far the arrow is off the two middles.
        self._up: list[list[tuple[int, float]]] = []
        self._down: list[list[tuple[int, float]]] = []

    def place(self) -> None:
        """Find the rows, the order in them, and the coordinates, which begin at 0."""
        self._rank()
        self._add_lanes()
        rows: list[list[int]] = [
            [] for _ in range(1 + max((item.row for item in self.vertices), default=0))
        ]
        for number, vertex in enumerate(self.vertices):
            rows[vertex.row].append(number)
        self._order(rows)
        self._spread(rows)
        left = min((item.x - item.width / 2 for item in self.vertices), default=0.0)
        for item in self.vertices:
            item.x -= left
        self.width = max((item.x + item.width / 2 for item in self.vertices), default=0.0)
        y = 0.0
        for index, row in enumerate(rows):
            high = max((self.vertices[number].height for number in row), default=0.0)
            self.tops.append(y)
            self.bottoms.append(y + high)
            for number in row:
                self.vertices[number].y = y + (high - self.vertices[number].height) / 2
            self.height = y + high
            # Arrows that cross a frame need no room for a label there.
            at_frame = (self._above and index == 0) or (self._below and index == len(rows) - 2)
            y = self.height + (_PORT_GAP if at_frame else self._gap)

    def _rank(self) -> None:
        following: list[list[int]] = [[] for _ in self.vertices]
        waiting_for = [0] * len(self.vertices)
        for link in self.links:
            following[link.source].append(link.target)
            waiting_for[link.target] += 1
        first = 1 if self._above else 0
        for number, vertex in enumerate(self.vertices):
            vertex.row = 0 if number in self._above else first
        ready = [number for number, count in enumerate(waiting_for) if not count]
        for number in ready:  # grows while it is walked
            for target in following[number]:
                row = self.vertices[number].row + 1
                self.vertices[target].row = max(self.vertices[target].row, row)
                waiting_for[target] -= 1
                if not waiting_for[target]:
                    ready.append(target)
        inner = [item.row for number, item in enumerate(self.vertices) if number not in self._below]
        for number in self._below:
            self.vertices[number].row = max(inner, default=-1) + 1

    def _add_lanes(self) -> None:
        most = len(self.vertices) + _MAX_LANES
        for link in self.links:
            top, bottom = self.vertices[link.source].row, self.vertices[link.target].row
            link.path = [link.source]
            if len(self.vertices) + bottom - top > most:
                top = bottom
            for row in range(top + 1, bottom):
                link.path.append(len(self.vertices))
                self.vertices.append(Vertex(8.0, 0.0, row, lane=True))
            link.path.append(link.target)
        self._up = [[] for _ in self.vertices]
        self._down = [[] for _ in self.vertices]
        for link in self.links:
            last = len(link.path) - 2
            for index, (upper, lower) in enumerate(pairwise(link.path)):
                shift = (link.leaves if index == 0 else 0.0) - (
                    link.enters if index == last else 0.0
                )
                self._up[lower].append((upper, shift))
                self._down[upper].append((lower, -shift))

    def _order(self, rows: list[list[int]]) -> None:
        """Sort each row by where the neighbours of its vertices are, some times down and up."""
        position = {number: place for row in rows for place, number in enumerate(row)}
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            near = self._up if down else self._down
            for row in rows if down else rows[::-1]:
                middle = {
                    number: _mean([float(position[other]) for other, _ in near[number]], place)
                    for place, number in enumerate(row)
                }
                row.sort(key=middle.__getitem__)
                position.update((number, place) for place, number in enumerate(row))

    def _spread(self, rows: list[list[int]]) -> None:
        """Find a place in its row for each vertex, near those of its neighbours."""
        vertices = self.vertices
        for row in rows:
            self._settle(row, [0.0] * len(row))
        for step in range(_ROUNDS):
            down = step % 2 == 0
            near = self._up if down else self._down
            for row in rows if down else rows[::-1]:
                wishes = [
                    _mean(
                        [vertices[other].x + shift for other, shift in near[number]],
                        vertices[number].x,
                    )
                    for number in row
                ]
                self._settle(row, wishes)

    def _settle(self, row: list[int], wishes: list[float]) -> None:
        """Put the vertices of a row as near to what they wish as their widths allow."""
        apart = [self._apart(left, right) for left, right in pairwise(row)]
        from_left, from_right = list(wishes), list(wishes)
        for index, distance in enumerate(apart, start=1):
            from_left[index] = max(from_left[index], from_left[index - 1] + distance)
        for index in range(len(apart) - 1, -1, -1):
            from_right[index] = min(from_right[index], from_right[index + 1] - apart[index])
        for number, left, right in zip(row, from_left, from_right, strict=True):
            # Both keep the distances, and so does what is halfway between them.
            self.vertices[number].x = (left + right) / 2

    def _apart(self, left: int, right: int) -> float:
        one, other = self.vertices[left], self.vertices[right]
        gap = _LANE_GAP if one.lane or other.lane else _GAP
        return (one.width + other.width) / 2 + gap


def find_backward(count: int, links: Sequence[tuple[int, int]]) -> set[int]:
    """Return the numbers of links that have to be turned round for none to lead in a circle.

    Args:
        count: How many vertices there are.
        links: The links, each from vertex to vertex.
    """
    following: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (source, target) in enumerate(links):
        following[source].append((number, target))
    backward: set[int] = set()
    state = [0] * count  # 1 while what follows a vertex is looked at, 2 afterwards
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(following[start]))]
        while stack:
            vertex, rest = stack[-1]
            found = next(rest, None)
            if found is None:
                state[vertex] = 2
                stack.pop()
                continue
            number, target = found
            if state[target] == 1:
                backward.add(number)
            elif not state[target]:
                state[target] = 1
                stack.append((target, iter(following[target])))
    return backward


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else float(otherwise)
