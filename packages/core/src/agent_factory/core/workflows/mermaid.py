"""Pictures as the text of Mermaid flowcharts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.workflows.graph import (
    Graph,
    GraphBox,
    GraphGroup,
    Shape,
    create_workflow_graph,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.workflows.workflow import Workflow

__all__ = ["draw", "write_mermaid"]

_BRACKETS: dict[Shape, tuple[str, str]] = {
    "step": ("[", "]"),
    "end": ("([", "])"),
    "choice": ("{", "}"),
    "fork": ("[/", "/]"),
    "join": ("[\\", "\\]"),
    "person": ("{{", "}}"),
    "agent": ("(", ")"),
    "tool": ("[", "]"),
    "toolset": ("[[", "]]"),
}
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}


def draw(workflow: Workflow[Any, Any]) -> str:
    """Draw a workflow.

    Args:
        workflow: The workflow.

    Returns:
        The text of a Mermaid flowchart; the same workflow always gives the same text.
    """
    return write_mermaid(create_workflow_graph(workflow))


def write_mermaid(graph: Graph) -> str:
    """Write a graph as a Mermaid flowchart.

    Args:
        graph: The graph. Its labels may be any text: none can be taken for a part of the picture.

    Returns:
        The text; the same graph always gives the same text.
    """
    lines = ["flowchart LR" if graph.sideways else "flowchart TD"]
    _write_parts(graph.parts, 1, lines)
    for edge in graph.edges:
        arrow = "-.->" if edge.dashed else "-->"
        said = f"|{_quote(edge.label)}|" if edge.label else ""
        lines.append(f"    {edge.source} {arrow}{said} {edge.target}")
    return "\n".join(lines) + "\n"


def _write_parts(parts: Iterable[GraphBox | GraphGroup], depth: int, lines: list[str]) -> None:
    indent = "    " * depth
    for part in parts:
        if isinstance(part, GraphBox):
            left, right = _BRACKETS[part.shape]
            lines.append(f"{indent}{part.id}{left}{_quote(part.label)}{right}")
        else:
            lines.append(f"{indent}subgraph {part.id}[{_quote(part.label)}]")
            _write_parts(part.parts, depth + 1, lines)
            lines.append(f"{indent}end")


def _quote(text: str) -> str:
    """Quote a label. Mermaid writes characters that mean something to it as entities."""
    # What is not printable could steer a terminal, or turn the direction of the text.
    shown = "".join(char if char.isprintable() else " " for char in text)
    return '"' + " ".join("".join(_ENTITIES.get(char, char) for char in shown).split()) + '"'
