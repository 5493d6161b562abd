"""Places for boxes, groups and arrows: groups are laid out from the inside, and take part as boxes outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.core.drawing.levels import Level, Link, Vertex, find_backward
from agent_factory.core.workflows.graph import GraphBox, GraphGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent_factory.core.workflows.graph import Edge, Graph

__all__ = ["Layout", "Place", "Point", "create_layout"]

Point: TypeAlias = tuple[float, float]

_PAD = 16.0
_HEAD = 28.0
_ANCHOR_GAP = 18.0
_PORT = 8.0
_ROW_GAP = 46.0
# Labels are written across it.
_COLUMN_GAP = 96.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is, and how large.

    Attributes:
        x: Its left side.
        y: Its top.
        width: How wide it is.
        height: How high it is.
    """

    x: float
    y: float
    width: float
    height: float

    def turn(self) -> Place:
        """Return the place with its two directions exchanged."""
        return Place(self.y, self.x, self.height, self.width)


@dataclass(slots=True)
class Layout:
    """Where everything in a picture is.

    Attributes:
        width: How wide the picture is.
        height: How high it is.
        boxes: The places of boxes by their identifiers.
        groups: Groups with their places, outer ones first.
        routes: The points that each edge leads through, by its number, in the direction of the edge.
    """

    width: float
    height: float
    boxes: dict[str, Place] = field(default_factory=dict)
    groups: list[tuple[GraphGroup, Place]] = field(default_factory=list)
    routes: dict[int, list[Point]] = field(default_factory=dict)


def create_layout(
    graph: Graph, measure: Callable[[GraphBox], Point], wide: Callable[[GraphGroup], float]
) -> Layout:
    """Find a place for everything in a graph; the same graph always gives the same places.

    Args:
        graph: The graph.
        measure: Returns how wide and high a box is.
        wide: Returns how wide a group is at least, for its label.
    """
    maker = _Maker(graph, measure, wide)
    made = maker.place(graph.parts, set(range(len(graph.edges))))
    for number in maker.backward:
        if number in made.routes:
            made.routes[number].reverse()
    if not graph.sideways:
        return made
    return Layout(
        made.height,
        made.width,
        {key: place.turn() for key, place in made.boxes.items()},
        [(group, place.turn()) for group, place in made.groups],
        {number: [(y, x) for x, y in points] for number, points in made.routes.items()},
    )


class _Maker:
    def __init__(
        self,
        graph: Graph,
        measure: Callable[[GraphBox], Point],
        wide: Callable[[GraphGroup], float],
    ) -> None:
        self._edges: list[Edge] = list(graph.edges)
        self._sideways = graph.sideways
        self._measure = measure
        self._wide = wide
        self._owners: dict[int, dict[str, int]] = {}
        self.backward: set[int] = set()
        self._turn_round(graph.parts, set(range(len(self._edges))))

    def place(self, parts: Sequence[GraphBox | GraphGroup], edges: set[int]) -> Layout:
        """Lay out the parts of a group, with the edges that begin or end in it."""
        owners = self._find_owners(parts)
        inner: dict[int, Layout] = {}
        vertices: list[Vertex] = []
        for index, part in enumerate(parts):
            if isinstance(part, GraphGroup):
                within = self._select(edges, owners, index)
                inner[index] = made = self.place(part.parts, within)
                width = max(made.width + 2 * _PAD, self._wide(part))
                vertices.append(Vertex(width, made.height + _HEAD + _PAD))
            else:
                size = self._measure(part)
                vertices.append(Vertex(*(size[::-1] if self._sideways else size)))
        ports: dict[tuple[str, str], int] = {}
        links: dict[int, Link] = {}
        for number in sorted(edges):
            source, target = self._ends(number)
            above, below = owners.get(source), owners.get(target)
            if above == below:
                continue
            start = _add_port(ports, vertices, ("in", target)) if above is None else above
            end = _add_port(ports, vertices, ("out", source)) if below is None else below
            links[number] = Link(start, end)
        _spread_anchors(links, vertices, inner)
        entries = [vertex for (side, _), vertex in ports.items() if side == "in"]
        exits = [vertex for (side, _), vertex in ports.items() if side == "out"]
        gap = _COLUMN_GAP if self._sideways else _ROW_GAP
        level = Level(vertices, list(links.values()), gap, entries, exits)
        level.place()
        _sort_anchors(level, inner)
        return _collect(parts, level, links, inner)

    def _ends(self, number: int) -> tuple[str, str]:
        edge = self._edges[number]
        if number in self.backward:
            return edge.target, edge.source
        return edge.source, edge.target

    def _turn_round(self, parts: Sequence[GraphBox | GraphGroup], edges: set[int]) -> None:
        """Find the edges that lead back, each where the two ends of it are in different parts."""
        owners = self._find_owners(parts)
        here: list[int] = []
        for number in sorted(edges):
            source, target = self._ends(number)
            if (
                None not in (owners.get(source), owners.get(target))
                and owners[source] != owners[target]
            ):
                here.append(number)
        pairs = [
            (owners[self._edges[number].source], owners[self._edges[number].target])
            for number in here
        ]
        self.backward |= {here[place] for place in find_backward(len(parts), pairs)}
        for index, part in enumerate(parts):
            if isinstance(part, GraphGroup):
                both = {
                    number
                    for number in edges
                    if owners.get(self._edges[number].source) == index
                    and owners.get(self._edges[number].target) == index
                }
                self._turn_round(part.parts, both)

    def _select(self, edges: set[int], owners: dict[str, int], index: int) -> set[int]:
        return {
            number
            for number in edges
            if index
            in (owners.get(self._edges[number].source), owners.get(self._edges[number].target))
        }

    def _find_owners(self, parts: Sequence[GraphBox | GraphGroup]) -> dict[str, int]:
        """Return of every box within which part it is in."""
        found: dict[str, int] = {}
        for index, part in enumerate(parts):
            waiting = [part]
            while waiting:
                item = waiting.pop()
                if isinstance(item, GraphBox):
                    found[item.id] = index
                else:
                    waiting += item.parts
        return found


def _add_port(
    ports: dict[tuple[str, str], int], vertices: list[Vertex], key: tuple[str, str]
) -> int:
    if key not in ports:
        ports[key] = len(vertices)
        vertices.append(Vertex(_PORT, 0.0, lane=True))
    return ports[key]


def _spread_anchors(
    links: dict[int, Link], vertices: list[Vertex], inner: dict[int, Layout]
) -> None:
    """Find where arrows leave and enter: side by side at boxes, at groups where they cross the frame."""
    for number, link in links.items():
        if link.source in inner:
            made = inner[link.source]
            link.leaves = made.routes[number][-1][0] - made.width / 2
        if link.target in inner:
            made = inner[link.target]
            link.enters = made.routes[number][0][0] - made.width / 2
    for vertex, at_vertex in _group(links.values(), "source"):
        if vertex not in inner:
            for link, shift in _share(at_vertex, vertices[vertex]):
                link.leaves = shift
    for vertex, at_vertex in _group(links.values(), "target"):
        if vertex not in inner:
            for link, shift in _share(at_vertex, vertices[vertex]):
                link.enters = shift


def _sort_anchors(level: Level, inner: dict[int, Layout]) -> None:
    """Let the arrows of a box leave and enter in the order of where they lead, so that they do not cross there."""
    vertices = level.vertices
    for vertex, at_vertex in _group(level.links, "source"):
        if vertex not in inner:
            at_vertex.sort(key=lambda link: _find_below(link, vertices))
            for link, shift in _share(at_vertex, vertices[vertex]):
                link.leaves = shift
    for vertex, at_vertex in _group(level.links, "target"):
        if vertex not in inner:
            at_vertex.sort(key=lambda link: _find_above(link, vertices))
            for link, shift in _share(at_vertex, vertices[vertex]):
                link.enters = shift


def _group(
    links: Iterable[Link], side: Literal["source", "target"]
) -> list[tuple[int, list[Link]]]:
    found: dict[int, list[Link]] = {}
    for link in links:
        found.setdefault(link.source if side == "source" else link.target, []).append(link)
    return list(found.items())


def _find_below(link: Link, vertices: list[Vertex]) -> float:
    """Return where an arrow is in the row below the one that it leaves."""
    last = len(link.path) == 2
    return vertices[link.path[1]].x + (link.enters if last else 0.0)


def _find_above(link: Link, vertices: list[Vertex]) -> float:
    """Return where an arrow is in the row above the one that it enters."""
    first = len(link.path) == 2
    return vertices[link.path[-2]].x + (link.leaves if first else 0.0)


def _share(links: list[Link], vertex: Vertex) -> list[tuple[Link, float]]:
    """Return how far from the middle of a box each of its arrows is."""
    if vertex.lane:
        return [(link, 0.0) for link in links]
    gap = min(_ANCHOR_GAP, vertex.width * 0.7 / len(links))
    return [(link, gap * (place - (len(links) - 1) / 2)) for place, link in enumerate(links)]


def _collect(
    parts: Sequence[GraphBox | GraphGroup],
    level: Level,
    links: dict[int, Link],
    inner: dict[int, Layout],
) -> Layout:
    made = Layout(level.width, level.height)
    moved: dict[int, dict[int, list[Point]]] = {}
    for index, part in enumerate(parts):
        vertex = level.vertices[index]
        place = Place(vertex.x - vertex.width / 2, vertex.y, vertex.width, vertex.height)
        if isinstance(part, GraphBox):
            made.boxes[part.id] = place
            continue
        made.groups.append((part, place))
        within = inner[index]
        left, top = vertex.x - within.width / 2, vertex.y + _HEAD
        for key, box in within.boxes.items():
            made.boxes[key] = Place(box.x + left, box.y + top, box.width, box.height)
        for group, frame in within.groups:
            made.groups.append(
                (group, Place(frame.x + left, frame.y + top, frame.width, frame.height))
            )
        moved[index] = {
            number: [(x + left, y + top) for x, y in points]
            for number, points in within.routes.items()
        }
        for number, points in moved[index].items():
            if number not in links:  # it begins and ends in the group
                made.routes[number] = points
    for number, link in links.items():
        made.routes[number] = _route(number, link, level, moved)
    return made


def _route(
    number: int, link: Link, level: Level, moved: dict[int, dict[int, list[Point]]]
) -> list[Point]:
    above, below = level.vertices[link.source], level.vertices[link.target]
    points: list[Point] = list(moved.get(link.source, {}).get(number, ()))
    points.append((above.x + link.leaves, above.y + above.height))
    for lane in link.path[1:-1]:
        vertex = level.vertices[lane]
        points += [(vertex.x, level.tops[vertex.row]), (vertex.x, level.bottoms[vertex.row])]
    points.append((below.x + link.enters, below.y))
    return [*points, *moved.get(link.target, {}).get(number, ())]
