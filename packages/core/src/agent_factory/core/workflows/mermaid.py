"""Pictures of workflows, as the text of Mermaid flowcharts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.workflows.choices import Branch, Loop
from agent_factory.core.workflows.fanout import Map, Parallel
from agent_factory.core.workflows.questions import AskPerson
from agent_factory.core.workflows.recovery import Recover
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.workflows.nodes import Node

__all__ = ["draw"]

# Where a part of the picture is entered, and every place where it is left.
_Ends = tuple[str, list[str]]


def draw(workflow: Workflow[Any, Any]) -> str:
    """Draw a workflow.

    Args:
        workflow: The workflow.

    Returns:
        The text of a Mermaid flowchart; the same workflow always gives the same text.
    """
    picture = _Picture()
    start = picture.add("([", "start", "])")
    first, last = picture.chain(workflow.steps)
    end = picture.add("([", "end", "])")
    picture.connect([start], first)
    picture.connect(last, end)
    return "\n".join(["flowchart TD", *picture.lines, *picture.edges]) + "\n"


class _Picture:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.edges: list[str] = []
        self._count = 0
        self._depth = 1

    def add(self, left: str, label: str, right: str) -> str:
        key = self._next()
        self._line(f"{key}{left}{_quote(label)}{right}")
        return key

    def connect(
        self, sources: Iterable[str], target: str, label: str = "", arrow: str = "-->"
    ) -> None:
        said = f"|{_quote(label)}|" if label else ""
        self.edges += [f"    {source} {arrow}{said} {target}" for source in sources]

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
                self._open(node.name)
                ends = self.chain(node.steps)
                self._close()
            case Branch():
                ends = self._branch(node)
            case Loop():
                self._open(f"{node.name}: at most {node.max_turns} turns")
                test = self.add("{", "done?", "}")
                entry, exits = self._node(node.body)
                self._close()
                self.connect([test], entry, "no")
                self.connect(exits, test, arrow="-.->")
                ends = test, [test]
            case Map():
                self._open(f"{node.name}: each item, {node.limit} at a time")
                ends = self._node(node.body)
                self._close()
            case Parallel():
                self._open(f"{node.name}: {min(node.limit, len(node.nodes))} at a time")
                fork = self.add("[/", "fork", "/]")
                inner = [self._node(item) for item in node.nodes]
                join = self.add("[\\", "join", "\\]")
                self._close()
                for entry, exits in inner:
                    self.connect([fork], entry)
                    self.connect(exits, join)
                ends = fork, [join]
            case Recover():
                ends = self._recover(node)
            case AskPerson():
                key = self.add("{{", f"{node.name}: a person answers", "}}")
                ends = key, [key]
            case _:
                key = self.add("[", node.name, "]")
                ends = key, [key]
        return ends

    def _branch(self, node: Branch[Any, Any]) -> _Ends:
        test = self.add("{", node.name, "}")
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
        self._open(node.name)
        entry, left = self._node(node.body)
        failing = list(left)
        for kind, handler in node.handlers.items():
            target, exits = self._node(handler)
            self.connect(failing, target, kind.__name__, "-.->")
            left = [*left, *exits]
        self._close()
        return entry, left

    def _open(self, label: str) -> None:
        self._line(f"subgraph {self._next()}[{_quote(label)}]")
        self._depth += 1

    def _close(self) -> None:
        self._depth -= 1
        self._line("end")

    def _line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def _next(self) -> str:
        self._count += 1
        return f"n{self._count}"


def _quote(text: str) -> str:
    """Quote a label. Mermaid writes characters that mean something to it as entities."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return '"' + " ".join(text.split()) + '"'
