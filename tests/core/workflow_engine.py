"""A second engine for workflows: it runs steps one by one, and keeps their paths and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core import WorkflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_factory.core import Node, Step, Workflow

__all__ = ["RecordingEngine"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")
AnyT = TypeVar("AnyT")


class RecordingEngine:
    """Runs steps one by one, and does not run a step again whose result it has.

    Args:
        records: Results of an earlier run by path.

    Attributes:
        records: The results so far by path.
        ran: Paths of the steps that ran, oldest first.
    """

    def __init__(self, records: dict[str, Any] | None = None) -> None:
        self.records = dict(records or {})
        self.ran: list[str] = []
        self._name = ""

    async def run(self, workflow: Workflow[InT, OutT], value: InT) -> OutT:
        self._name = workflow.name
        return await workflow.execute_steps(value, "", self)

    async def run_step(self, step: Step[Any, Any], value: Any, path: str) -> Any:
        if path not in self.records:
            self.ran.append(path)
            try:
                self.records[path] = await step.call(value)
            except Exception as error:
                raise self.refuse(path, str(error)) from error
        return self.records[path]

    async def run_all(self, jobs: Sequence[tuple[Node[Any, Any], Any, str]], limit: int) -> Any:
        return [await node.execute(value, path, self) for node, value, path in jobs]

    def decide(self, function: Callable[[Any], AnyT], value: Any, path: str) -> AnyT:
        return function(value)

    def refuse(self, path: str, reason: str) -> WorkflowError:
        return WorkflowError(f"{path} {reason}", workflow=self._name, step=path)
