"""Workflows: typed steps, each of which hands its result to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.checks import check_fit, check_name, check_nodes
from agent_factory.core.workflows.engine import LocalEngine
from agent_factory.core.workflows.hints import ends_here
from agent_factory.core.workflows.nodes import Node, StepRunner

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from agent_factory.core.workflows.engine import WorkflowEngine

__all__ = ["Workflow"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
NextT = TypeVar("NextT")

_LOCAL = LocalEngine()


class Workflow(Node[InT, OutT]):
    """Steps in a row. Immutable: `then` returns a longer workflow, whose types mypy checks.

    ```python
    workflow = Workflow("count", step(read)).then(step(count_words))
    words = await workflow.run("notes.txt")
    ```

    In place of a step there may be whatever else is a `Node`: a branch, a loop, a map, a parallel, a recovery, a
    question to a person, or another workflow.

    Args:
        name: Name for people and records; not empty, without a slash.
        first: The first step.

    Raises:
        ConfigurationError: The name is refused, or the first step is none.
    """

    __slots__ = ("_steps", "name")

    def __init__(self, name: str, first: Node[InT, OutT]) -> None:
        check_name(name, "a workflow")
        check_nodes([first], f"workflow {name!r}")
        self.name = name
        self._steps: tuple[Node[Any, Any], ...] = (first,)

    def __repr__(self) -> str:
        return f"Workflow({self.name!r}, steps={[item.name for item in self._steps]!r})"

    @property
    def steps(self) -> tuple[Node[Any, Any], ...]:
        """The steps in their order."""
        return self._steps

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What the first step takes."""
        return self._steps[0].accepts

    @property
    def produces(self) -> Any:
        """What the last step gives."""
        return self._steps[-1].produces

    def then(self, following: Node[OutT, NextT]) -> Workflow[InT, NextT]:
        """Return a workflow with one more step.

        Args:
            following: The step; it takes what the last one returns.

        Raises:
            ConfigurationError: It is no step, a step of that name is there already, it takes something else than the
                last one returns, or it cannot be reached because the last one always raises.
        """
        where = f"workflow {self.name!r}"
        last = self._steps[-1]
        check_nodes((*self._steps, following), where)
        if ends_here(last.produces):
            raise ConfigurationError(
                f"{where}: {following.name!r} cannot be reached: {last.name!r} never returns"
            )
        check_fit(last.produces, repr(last.name), following, where)
        longer = cast("Workflow[InT, NextT]", Workflow(self.name, self._steps[0]))
        longer._steps = (*self._steps, following)  # noqa: SLF001 - of the same class
        return longer

    def to_mermaid(self) -> str:
        """Return a picture of the workflow as the text of a Mermaid flowchart."""
        from agent_factory.core.workflows.mermaid import draw

        return draw(self)

    async def run(
        self, value: InT, *, engine: WorkflowEngine | None = None, run_id: str | None = None
    ) -> OutT:
        """Run the steps one after the other.

        Args:
            value: What the first step gets; data that can be written as JSON.
            engine: What runs them; a `LocalEngine` if None.
            run_id: Identifier of the run, unique for ever, without a colon; a new one if None.

        Returns:
            What the last step returned.

        Raises:
            ConfigurationError: The identifier is refused.
            WorkflowError: A step raised something, or ran past its timeout; ``step`` has its path and ``__cause__`` what it
                raised.
        """
        return await (_LOCAL if engine is None else engine).run(self, value, run_id=run_id)

    def execute(self, value: Any, path: str, runner: StepRunner) -> Awaitable[OutT]:
        """Run the steps as a part of another workflow.

        Args:
            value: What the first step gets.
            path: Path of this workflow in the run.
            runner: What runs the steps.
        """
        return self.execute_steps(value, f"{path}/", runner)

    async def execute_steps(self, value: Any, prefix: str, runner: StepRunner) -> OutT:
        """Run the steps for an engine.

        Args:
            value: What the first step gets.
            prefix: What the paths of the steps begin with: empty for the outermost workflow.
            runner: What runs the steps.
        """
        for node in self._steps:
            value = await node.execute(value, prefix + node.name, runner)
        result: OutT = value
        return result
