"""The steps of a blueprint's workflow that have steps within: the constructs of workflows, with a scope around them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.references import to_text
from agent_factory.core.blueprints.workflows.rows import chain
from agent_factory.core.blueprints.workflows.scope import Scope, ScopedNode, describe_failure
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.choices import Branch, Loop
from agent_factory.core.workflows.fanout import Map, Parallel
from agent_factory.core.workflows.recovery import Recover
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from agent_factory.core.blueprints.references import DataTemplate, Template
    from agent_factory.core.blueprints.workflows.conditions import Condition
    from agent_factory.core.workflows.nodes import Node, StepRunner

__all__ = ["Attempt", "ForEach", "Handler", "Repeat", "SideBySide", "Switch", "write_case"]


class Handler(Workflow[Any, Scope]):
    """The steps that run in place of what failed; in them, ``error`` says why.

    Args:
        name: Name, unlike that of what may fail.
        nodes: The steps, at least one.

    Raises:
        ConfigurationError: As `Workflow`.
    """

    __slots__ = ()

    def __init__(self, name: str, nodes: tuple[Node[Scope, Scope], ...]) -> None:
        super().__init__(name, nodes[0])
        self._steps = chain(name, nodes).steps

    def execute(self, value: Any, path: str, runner: StepRunner) -> Awaitable[Scope]:
        """Run the steps with what was known before the failure, and what is known of it.

        Args:
            value: What the handler is told.
            path: Path of the handler in the run.
            runner: What runs the steps.
        """
        return super().execute(value.value.enter(error=describe_failure(value)), path, runner)


@dataclass(frozen=True, eq=False, kw_only=True)
class ForEach(ScopedNode, Map[Scope, Scope]):
    """Steps for each item of a list; the result is the list of their results.

    Attributes:
        items: What the list is made of.
        max_items: How many items it may have.
    """

    items: DataTemplate
    max_items: int

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the steps for each item.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs the steps.
        """
        items = runner.decide(self._list, value, path)
        inner = [value.enter(item=item, index=index) for index, item in enumerate(items)]
        ended: Any = await super().execute(inner, path, runner)
        return value.put(self.name, [scope.result for scope in ended])

    def _list(self, scope: Scope) -> list[Any]:
        items = self.items.render(scope.values)
        if not isinstance(items, list):
            raise ConfigurationError(f"for_each needs a list, not {type(items).__name__}")
        if len(items) > self.max_items:
            raise ConfigurationError(
                f"for_each got {len(items):,} items, and max_items is {self.max_items:,}: raise it, or pass on fewer"
            )
        return items


class SideBySide(ScopedNode, Parallel[Scope, Scope]):
    """Steps that run side by side; the result has that of each under its name."""

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the steps.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs the steps.
        """
        ended: Any = await super().execute(value, path, runner)
        names = [node.name for node in self.nodes]
        results = {name: scope.result for name, scope in zip(names, ended, strict=True)}
        return value.put(self.name, results, besides=results)


class Switch(ScopedNode, Branch[Scope, Scope]):
    """One of several cases; the result is that of the case."""

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the case of a value.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs the steps.
        """
        return value.put(self.name, (await super().execute(value, path, runner)).result)


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeat(ScopedNode, Loop[Scope, Scope]):
    """Steps that run until a condition holds; the result is that of the last turn.

    Attributes:
        start: What ``previous`` is made of in the first turn.
        condition: When the loop is done, after a turn.
        names: Names of the steps whose results of the last turn are known afterwards.
    """

    start: DataTemplate
    condition: Condition
    names: tuple[str, ...]

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the steps until the condition holds.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs the steps.
        """
        previous = runner.decide(lambda scope: self.start.render(scope.values), value, path)
        for turn in range(self.max_turns):
            inner = value.enter(turn=turn, previous=previous)
            ended = await self.body.execute(inner, f"{path}/{turn}/{self.body.name}", runner)
            if runner.decide(self.until, ended, path):
                known = {name: ended.steps[name] for name in self.names}
                return value.put(self.name, ended.result, besides=known)
            previous = ended.result
        raise runner.refuse(
            path,
            f"was not done after {self.max_turns} turns: raise max_turns, or see why {self.condition} does not come true",
        )


class Attempt(ScopedNode, Recover[Scope, Scope]):
    """Steps that may fail, and what runs in their place then; the result is that of either."""

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the steps and, if one fails, the handler.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs the steps.
        """
        return value.put(self.name, (await super().execute(value, path, runner)).result)


def write_case(template: Template, scope: Scope) -> str:
    """Return the name of the case that a value stands for.

    Args:
        template: What the value is made of.
        scope: What is known.

    Raises:
        ConfigurationError: There is no such value, or it is a list or a mapping.
    """
    value = template.render(scope.values)
    if isinstance(value, (list, tuple, Mapping)):
        raise ConfigurationError(
            f"switch needs a text, a number, true or false, not {type(value).__name__}"
        )
    return to_text(value)
