"""Pictures as SVG: one file that needs nothing else, has no scripts, and reads well in the light and in the dark."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from agent_factory.core.drawing.agents import create_agents_graph
from agent_factory.core.drawing.layout import Place, Point, create_layout
from agent_factory.core.drawing.texts import clean, escape, measure, shorten
from agent_factory.core.workflows.graph import create_workflow_graph
from agent_factory.core.workflows.mermaid import write_mermaid
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent_factory.core.agent import Agent
    from agent_factory.core.workflows.graph import Edge, Graph, GraphBox, GraphGroup

__all__ = ["to_svg", "write_svg"]

_FONT = 13.0
_SMALL = 11.0
_LINE = 14.0
_MAX_LABEL = 32
_MAX_EDGE_LABEL = 20
_MAX_TITLE = 300
_MAX_DESCRIPTION = 2_000
_MARGIN = 16.0
_STYLE = """
.{p} {{ --ink: #1f2328; --soft: #59636e; --line: #818b98; --paper: #ffffff; --box: #f6f8fa; --frame: #eef1f4;
  --step: #0969da; --choice: #9a6700; --person: #8250df; --tool: #1a7f37; }}
@media (prefers-color-scheme: dark) {{ .{p} {{ --ink: #f0f6fc; --soft: #9198a1; --line: #768390; --paper: #0d1117;
  --box: #151b23; --frame: #1c232d; --step: #4493f8; --choice: #d29922; --person: #ab7df8; --tool: #3fb950; }} }}
.{p} text {{ font: 13px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; }}
.{p} .note {{ font-size: 11px; fill: var(--soft); }}
.{p} .head {{ font-size: 11px; fill: var(--soft); text-anchor: start; stroke: var(--frame); stroke-width: 4px;
  paint-order: stroke; }}
.{p} .said {{ font-size: 11px; fill: var(--ink); stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }}
.{p} .paper {{ fill: var(--paper); }}
.{p} .frame {{ fill: var(--frame); fill-opacity: 0.6; stroke: var(--line); stroke-dasharray: 2 3; }}
.{p} .edge {{ fill: none; stroke: var(--line); stroke-width: 1.4; }}
.{p} .dashed {{ stroke-dasharray: 5 4; }}
.{p} .tip {{ fill: var(--line); }}
.{p} .box {{ fill: var(--box); stroke: var(--step); stroke-width: 1.4; }}
.{p} .end, .{p} .fork, .{p} .join {{ stroke: var(--line); }}
.{p} .fork, .{p} .join {{ fill: var(--line); }}
.{p} .choice {{ stroke: var(--choice); }}
.{p} .person {{ stroke: var(--person); }}
.{p} .tool, .{p} .toolset {{ stroke: var(--tool); }}
"""


def to_svg(
    subject: Workflow[Any, Any] | Agent[Any, Any] | Iterable[Agent[Any, Any]],
    *,
    title: str | None = None,
) -> str:
    """Draw a workflow, or agents with their tools and whom they hand over to.

    Args:
        subject: A workflow, an agent, or several agents.
        title: What the picture is called; the name of the workflow or of the agent if None.

    Returns:
        A whole SVG document; the same subject always gives the same text.

    Raises:
        ConfigurationError: There are no agents.
    """
    from agent_factory.core.agent import Agent

    if isinstance(subject, Workflow):
        graph = create_workflow_graph(subject)
        return write_svg(graph, title=f"Workflow {subject.name}" if title is None else title)
    agents = (subject,) if isinstance(subject, Agent) else tuple(subject)
    graph = create_agents_graph(agents)
    named = ", ".join(agent.name for agent in agents)
    return write_svg(graph, title=f"Agents: {named}" if title is None else title)


def write_svg(graph: Graph, *, title: str | None = None) -> str:
    """Write a graph as an SVG document.

    Args:
        graph: The graph. Its labels may be any text: none can be taken for a part of the picture.
        title: What the picture is called; the title of the graph if None.

    Returns:
        The document; the same graph always gives the same text.
    """
    layout = create_layout(graph, _measure_box, _measure_group)
    # Of its own for each picture, so that several can stand in one page.
    prefix = f"af-{hashlib.sha256(write_mermaid(graph).encode()).hexdigest()[:8]}"
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    named = shorten(clean(graph.title if title is None else title), _MAX_TITLE)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{prefix}" width="{_number(width)}" height="{_number(height)}" '
        f'viewBox="{_number(-_MARGIN)} {_number(-_MARGIN)} {_number(width)} {_number(height)}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc">',
        f'<title id="{prefix}-title">{escape(named)}</title>',
        f'<desc id="{prefix}-desc">{escape(_describe(graph))}</desc>',
        f"<style>{_STYLE.format(p=prefix)}</style>",
        f'<defs><marker id="{prefix}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>',
        f'<rect class="paper" x="{_number(-_MARGIN)}" y="{_number(-_MARGIN)}" width="{_number(width)}" '
        f'height="{_number(height)}"/>',
    ]
    for group, place in layout.groups:
        lines.append(_draw_group(group, place))
    routes = [
        (edge, layout.routes[number])
        for number, edge in enumerate(graph.edges)
        if number in layout.routes
    ]
    lines += [_draw_edge(edge, points, prefix, graph.sideways) for edge, points in routes]
    for box in graph.boxes:
        lines += _draw_box(box, layout.boxes[box.id])
    # After the arrows, some of which cross them.
    lines += [_draw_head(group, place) for group, place in layout.groups]
    lines += _draw_labels(routes, graph.sideways)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _measure_box(box: GraphBox) -> Point:
    if box.shape in ("fork", "join"):
        return 90.0, 8.0
    label, note = _label(box.label), _label(box.note)
    wide = max(measure(label, _FONT), measure(note, _SMALL)) + 28.0
    return max(64.0, wide + (16.0 if box.shape in ("choice", "person") else 0.0)), (
        48.0 if note else 34.0
    )


def _measure_group(group: GraphGroup) -> float:
    return measure(_label(group.label, 2 * _MAX_LABEL), _SMALL) + 24.0


def _label(text: str, most: int = _MAX_LABEL) -> str:
    return shorten(clean(text), most)


def _draw_group(group: GraphGroup, place: Place) -> str:
    title = escape(_label(group.label, _MAX_TITLE))
    return f'<g><title>{title}</title><rect class="frame" rx="8" {_write_place(place)}/></g>'


def _draw_head(group: GraphGroup, place: Place) -> str:
    x, y = _number(place.x + 10), _number(place.y + 18)
    said = escape(_label(group.label, 2 * _MAX_LABEL))
    return f'<text class="head" x="{x}" y="{y}">{said}</text>'


def _draw_box(box: GraphBox, place: Place) -> list[str]:
    middle = place.x + place.width / 2
    lines = [f"<g><title>{escape(_label(box.label, _MAX_TITLE))}</title>"]
    if box.shape in ("choice", "person"):
        x, y, right, bottom = place.x, place.y, place.x + place.width, place.y + place.height
        half = place.y + place.height / 2
        corners = [
            (x, half),
            (x + 12, y),
            (right - 12, y),
            (right, half),
            (right - 12, bottom),
            (x + 12, bottom),
        ]
        points = " ".join(f"{_number(left)},{_number(top)}" for left, top in corners)
        lines.append(f'<polygon class="box {box.shape}" points="{points}"/>')
    else:
        radius = {"end": 17, "agent": 14, "fork": 3, "join": 3, "toolset": 2}.get(box.shape, 6)
        lines.append(f'<rect class="box {box.shape}" rx="{radius}" {_write_place(place)}/>')
    if box.shape not in ("fork", "join"):
        y = place.y + place.height / 2 + (-3.0 if box.note else 4.5)
        lines.append(
            f'<text x="{_number(middle)}" y="{_number(y)}">{escape(_label(box.label))}</text>'
        )
        if box.note:
            lines.append(
                f'<text class="note" x="{_number(middle)}" y="{_number(y + 16)}">{escape(_label(box.note))}</text>'
            )
    return [*lines, "</g>"]


def _draw_edge(edge: Edge, points: Sequence[Point], prefix: str, sideways: bool) -> str:
    path = [f"M{_write_point(points[0])}"]
    for start, end in pairwise(points):
        first, second = _find_bend(start, end, sideways)
        path.append(f"C{_write_point(first)} {_write_point(second)} {_write_point(end)}")
    kind = "edge dashed" if edge.dashed else "edge"
    return f'<path class="{kind}" marker-end="url(#{prefix}-tip)" d="{"".join(path)}"/>'


def _find_bend(start: Point, end: Point, sideways: bool) -> tuple[Point, Point]:
    """Return the two points that a piece of an arrow bends towards."""
    if sideways:
        half = (start[0] + end[0]) / 2
        return (half, start[1]), (half, end[1])
    half = (start[1] + end[1]) / 2
    return (start[0], half), (end[0], half)


def _draw_labels(routes: Sequence[tuple[Edge, list[Point]]], sideways: bool) -> list[str]:
    """Write the labels of arrows; those of several between the same two boxes at different places along them."""
    count = Counter(frozenset((edge.source, edge.target)) for edge, _ in routes if edge.label)
    written: Counter[frozenset[str]] = Counter()
    lines = []
    for edge, points in routes:
        if not edge.label:
            continue
        pair = frozenset((edge.source, edge.target))
        written[pair] += 1
        place, several = written[pair], count[pair] + 1
        x, y = _find_label(points, 0.5 if sideways else place / several, sideways)
        down = 4.0 + (_LINE * (place - several / 2) if sideways else 0.0)
        said = escape(_label(edge.label, _MAX_EDGE_LABEL))
        lines.append(f'<text class="said" x="{_number(x)}" y="{_number(y + down)}">{said}</text>')
    return lines


def _find_label(points: Sequence[Point], part: float, sideways: bool) -> Point:
    """Return the point so far along the longest piece of an arrow, which is not one at a frame."""
    start, end = max(
        pairwise(points),
        key=lambda pair: abs(pair[0][0] - pair[1][0]) + abs(pair[0][1] - pair[1][1]),
    )
    first, second = _find_bend(start, end, sideways)
    rest = 1 - part
    weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
    four = (start, first, second, end)
    x, y = (
        sum(weight * point[axis] for weight, point in zip(weights, four, strict=True))
        for axis in (0, 1)
    )
    return x, y


def _describe(graph: Graph) -> str:
    """Say in words what leads where, for who does not see the picture."""
    labels = {box.id: _label(box.label) for box in graph.boxes}
    said = [
        f"{labels[edge.source]} leads to {labels[edge.target]}"
        + (f" ({_label(edge.label, _MAX_EDGE_LABEL)})" if edge.label else "")
        for edge in graph.edges
    ]
    count = len(labels)
    head = f"A chart of {count} {'box' if count == 1 else 'boxes'}"
    return shorten(
        f"{head}: {'; '.join(said)}." if said else f"{head}: {', '.join(labels.values())}.",
        _MAX_DESCRIPTION,
    )


def _write_place(place: Place) -> str:
    return (
        f'x="{_number(place.x)}" y="{_number(place.y)}" width="{_number(place.width)}" '
        f'height="{_number(place.height)}"'
    )


def _write_point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """Return a number with at most one decimal, and never as -0."""
    rounded = round(value, 1) + 0.0
    return f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"
