"""Rows of steps, and the whole workflow of a blueprint: plain data goes in and comes out, what is known stays within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.workflows.scope import Scope, to_plain
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from agent_factory.core.blueprints.references import DataTemplate
    from agent_factory.core.workflows.nodes import Node, StepRunner

__all__ = ["BlueprintWorkflow", "chain"]


class BlueprintWorkflow(Workflow[Any, Any]):
    """A workflow whose steps are nodes that get a `Scope` and give one.

    Args:
        name: Name for people and records.
        nodes: The steps, at least one.
        output: What the result is made of; the result of the last step if None.

    Raises:
        ConfigurationError: As `Workflow`.
    """

    __slots__ = ("_output",)

    def __init__(
        self, name: str, nodes: tuple[Node[Scope, Scope], ...], output: DataTemplate | None
    ) -> None:
        super().__init__(name, nodes[0])
        self._steps = chain(name, nodes).steps
        self._output = output

    @property
    def accepts(self) -> tuple[Any, ...]:
        """Plain data of any shape."""
        return (Any,)

    @property
    def produces(self) -> Any:
        """Plain data of any shape."""
        return Any

    def then(self, following: Node[Any, Any]) -> Workflow[Any, Any]:
        """Return a workflow of this one and one more step, which gets its result.

        Args:
            following: The step.

        Raises:
            ConfigurationError: It is no step, or has the name of this workflow.
        """
        around: Workflow[Any, Any] = Workflow(self.name, self)
        return around.then(following)

    async def execute_steps(self, value: Any, prefix: str, runner: StepRunner) -> Any:
        """Run the steps for an engine.

        Args:
            value: The input.
            prefix: What the paths of the steps begin with.
            runner: What runs the steps.
        """
        path = prefix + self.steps[0].name
        scope = Scope({"input": runner.decide(to_plain, value, path)})
        scope = await super().execute_steps(scope, prefix, runner)
        if self._output is None:
            return scope.result
        return runner.decide(self._render, scope, prefix + self.steps[-1].name)

    def _render(self, scope: Scope) -> Any:
        return None if self._output is None else self._output.render(scope.values)


def chain(name: str, nodes: tuple[Node[Scope, Scope], ...]) -> Workflow[Scope, Scope]:
    """Return nodes in a row as one.

    Args:
        name: Name of the row.
        nodes: The nodes, at least one.

    Raises:
        ConfigurationError: A name is refused, or two nodes have one name.
    """
    made: Workflow[Scope, Scope] = Workflow(name, nodes[0])
    for node in nodes[1:]:
        made = made.then(node)
    return made
