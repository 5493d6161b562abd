"""What pictures show: boxes, groups of boxes and arrows between them, whatever they are drawn with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agent_factory.core.workflows.choices import Branch, Loop
from agent_factory.core.workflows.fanout import Map, Parallel
from agent_factory.core.workflows.questions import AskPerson
from agent_factory.core.workflows.recovery import Recover
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from agent_factory.core.workflows.nodes import Node

__all__ = [
    "Edge",
    "Graph",
    "GraphBox",
    "GraphBuilder",
    "GraphGroup",
    "Shape",
    "create_workflow_graph",
]

Shape: TypeAlias = Literal[
    "step", "end", "choice", "fork", "join", "person", "agent", "tool", "toolset"
]
"""What a box stands for, which decides what it looks like."""


@dataclass(frozen=True, slots=True)
class GraphBox:
    """A box.

    Attributes:
        id: Names the box in the picture.
        label: What it says.
        shape: What it stands for.
        note: What it says below that, smaller; nothing if empty.
    """

    id: str
    label: str
    shape: Shape
    note: str = ""


@dataclass(frozen=True, slots=True)
class GraphGroup:
    """A frame around boxes and other groups.

    Attributes:
        id: Names the group in the picture.
        label: What it says.
        parts: What is in it.
    """

    id: str
    label: str
    parts: tuple[GraphBox | GraphGroup, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from box to box.

    Attributes:
        source: Identifier of the box that it comes from.
        target: Identifier of the box that it leads to.
        label: What it says; nothing if empty.
        dashed: Whether it is not a part of the usual way: back to where a loop begins, or after an error.
    """

    source: str
    target: str
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A picture before it is drawn.

    Attributes:
        title: What it is a picture of.
        parts: Boxes and groups, in the order of what they stand for.
        edges: Arrows.
        sideways: Whether it is read from left to right; from top to bottom if not.
    """

    title: str
    parts: tuple[GraphBox | GraphGroup, ...]
    edges: tuple[Edge, ...]
    sideways: bool = False

    @property
    def boxes(self) -> Iterator[GraphBox]:
        """Every box, those in groups included."""
        waiting: list[Iterator[GraphBox | GraphGroup]] = [iter(self.parts)]
        while waiting:
            part = next(waiting[-1], None)
            if part is None:
                waiting.pop()
            elif isinstance(part, GraphBox):
                yield part
            else:
                waiting.append(iter(part.parts))


class GraphBuilder:
    """Collects boxes, groups and arrows, and gives each box an identifier of its own."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self._count = 0
        self._open: list[tuple[str, str, list[GraphBox | GraphGroup]]] = [("", "", [])]

    @property
    def parts(self) -> tuple[GraphBox | GraphGroup, ...]:
        """What was added so far, outside of groups that are still open."""
        return tuple(self._open[0][2])

    def add(self, label: str, shape: Shape, note: str = "") -> str:
        """Add a box, and return its identifier.

        Args:
            label: What it says.
            shape: What it stands for.
            note: What it says below that.
        """
        key = self._next()
        self._open[-1][2].append(GraphBox(key, label, shape, note))
        return key

    def connect(
        self, sources: Iterable[str], target: str, label: str = "", *, dashed: bool = False
    ) -> None:
        """Add an arrow from each of several boxes.

        Args:
            sources: Identifiers of the boxes that they come from.
            target: Identifier of the box that they lead to.
            label: What they say.
            dashed: Whether they are not a part of the usual way.
        """
        self.edges += [Edge(source, target, label, dashed) for source in sources]

    def open(self, label: str) -> None:
        """Begin a group, which has what is added until it is closed.

        Args:
            label: What it says.
        """
        self._open.append((self._next(), label, []))

    def close(self) -> None:
        """End the group that was begun last."""
        key, label, parts = self._open.pop()
        self._open[-1][2].append(GraphGroup(key, label, tuple(parts)))

    def _next(self) -> str:
        self._count += 1
        return f"n{self._count}"


# Where a part of the picture is entered, and every place where it is left.
_Ends = tuple[str, list[str]]


def create_workflow_graph(workflow: Workflow[Any, Any]) -> Graph:
    """Return what a picture of a workflow shows.

    Args:
        workflow: The workflow.

    Returns:
        The graph; the same workflow always gives the same one.
    """
    picture = _WorkflowPicture()
    start = picture.add("start", "end")
    first, last = picture.chain(workflow.steps)
    end = picture.add("end", "end")
    picture.connect([start], first)
    picture.connect(last, end)
    return Graph(workflow.name, picture.parts, tuple(picture.edges))


class _WorkflowPicture(GraphBuilder):
    def chain(self, nodes: Iterable[Node[Any, Any]]) -> _Ends:
        first, last = "", list[str]()
        for node in nodes:
            entry, exits = self._node(node)
            self.connect(last, entry)
            first, last = first or entry, exits
        return first, last

    def _node(self, node: Node[Any, Any]) -> _Ends:
        match node:
            case Workflow():
                self.open(node.name)
                ends = self.chain(node.steps)
                self.close()
            case Branch():
                ends = self._branch(node)
            case Loop():
                self.open(f"{node.name}: at most {node.max_turns} turns")
                test = self.add("done?", "choice")
                entry, exits = self._node(node.body)
                self.close()
                self.connect([test], entry, "no")
                self.connect(exits, test, dashed=True)
                ends = test, [test]
            case Map():
                self.open(f"{node.name}: each item, {node.limit} at a time")
                ends = self._node(node.body)
                self.close()
            case Parallel():
                self.open(f"{node.name}: {min(node.limit, len(node.nodes))} at a time")
                fork = self.add("fork", "fork")
                inner = [self._node(item) for item in node.nodes]
                join = self.add("join", "join")
                self.close()
                for entry, exits in inner:
                    self.connect([fork], entry)
                    self.connect(exits, join)
                ends = fork, [join]
            case Recover():
                ends = self._recover(node)
            case AskPerson():
                key = self.add(f"{node.name}: a person answers", "person")
                ends = key, [key]
            case _:
                # Steps of a blueprint have one: which agent answers, or which tool is called.
                note = getattr(node, "note", "")
                key = self.add(node.name, "step", note if isinstance(note, str) else "")
                ends = key, [key]
        return ends

    def _branch(self, node: Branch[Any, Any]) -> _Ends:
        test = self.add(node.name, "choice")
        left: list[str] = []
        cases = [(str(key), item) for key, item in node.cases.items()]
        if node.otherwise is not None:
            cases.append(("otherwise", node.otherwise))
        for label, item in cases:
            entry, exits = self._node(item)
            self.connect([test], entry, label)
            left += exits
        return test, left

    def _recover(self, node: Recover[Any, Any]) -> _Ends:
        self.open(node.name)
        entry, left = self._node(node.body)
        failing = list(left)
        for kind, handler in node.handlers.items():
            target, exits = self._node(handler)
            self.connect(failing, target, kind.__name__, dashed=True)
            left = [*left, *exits]
        self.close()
        return entry, left
