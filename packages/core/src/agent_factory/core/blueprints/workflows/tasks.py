"""The steps of a blueprint's workflow without steps within: an agent, a tool, a person, or a plain value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.references import DataTemplate, Template, to_text
from agent_factory.core.blueprints.workflows.scope import Scope, ScopedNode, to_plain
from agent_factory.core.workflows.questions import AskPerson

if TYPE_CHECKING:
    from agent_factory.core.workflows.nodes import StepRunner
    from agent_factory.core.workflows.steps import Step

__all__ = ["AskTask", "Task", "ValueTask"]


@dataclass(frozen=True, eq=False)
class Task(ScopedNode):
    """A step that gets a text made of what is known, and whose result is known from then on.

    Only the step within is on record. What is around it is plain code, which gives the same each time.

    Attributes:
        name: Name, unique in the workflow.
        step: What runs; it takes a text.
        given: What that text is made of.
        note: What the step does, for pictures.
    """

    name: str
    step: Step[str, Any]
    given: DataTemplate
    note: str = ""

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Run the step.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs it.
        """
        text = runner.decide(self._write, value, path)
        result = await runner.run_step(self.step, text, path)
        return _put(value, self.name, result, path, runner)

    def _write(self, scope: Scope) -> str:
        return to_text(self.given.render(scope.values))


@dataclass(frozen=True, eq=False, kw_only=True)
class AskTask(ScopedNode, AskPerson[Scope, Scope]):
    """A step in which a person answers. The question that the person gets is about its own text, and no more.

    Attributes:
        template: What the text of the question is made of.
    """

    template: Template

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Ask the person.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What asks.
        """
        text = runner.decide(self._write, value, path)
        answer = await runner.ask_person(self, text, path)
        return _put(value, self.name, answer, path, runner)

    def _write(self, scope: Scope) -> str:
        return to_text(self.template.render(scope.values))


@dataclass(frozen=True, eq=False)
class ValueTask(ScopedNode):
    """A step that gives a value made of what is known. Plain code, which gives the same each time: nothing is on record.

    Attributes:
        name: Name, unique in the workflow.
        template: What the value is made of.
        note: What the step does, for pictures.
    """

    name: str
    template: DataTemplate
    note: str = "value"

    async def execute(self, value: Scope, path: str, runner: StepRunner) -> Scope:
        """Make the value.

        Args:
            value: What is known so far.
            path: Path of the step in the run.
            runner: What runs it.
        """
        return value.put(self.name, runner.decide(self._render, value, path))

    def _render(self, scope: Scope) -> Any:
        return self.template.render(scope.values)


def _put(scope: Scope, name: str, result: Any, path: str, runner: StepRunner) -> Scope:
    return scope.put(name, runner.decide(to_plain, result, path))
