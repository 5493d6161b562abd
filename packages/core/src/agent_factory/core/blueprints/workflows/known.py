"""What references may name in one place of a workflow, found out before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from agent_factory.core.blueprints.references import Reference
    from agent_factory.core.blueprints.schema.workflows import StepSection

__all__ = ["Known", "list_known", "list_names"]

_ELSEWHERE = {
    "item": "only the steps of a for_each have it",
    "index": "only the steps of a for_each have it",
    "turn": "only the steps of a repeat have it",
    "previous": "only the steps of a repeat have it",
    "error": "only the steps of an on_error have it",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known in one place of a workflow.

    Attributes:
        names: The names of all of its steps.
        inputs: The names that the input has; None if any may be there.
        roots: The names that references may begin with, but for ``steps``.
        steps: The steps whose results are known.
        hidden: Why the results of other steps are not, by their names; of the rest, because they run later.
    """

    names: Collection[str]
    inputs: Collection[str] | None = None
    roots: frozenset[str] = frozenset({"input"})
    steps: frozenset[str] = frozenset()
    hidden: Mapping[str, str] = field(default_factory=dict)

    def enter(self, *roots: str) -> Known:
        """Return what is known within a block that adds something.

        Args:
            roots: The names that it adds.
        """
        return replace(self, roots=self.roots | set(roots))

    def see(self, names: Iterable[str]) -> Known:
        """Return what is known once steps have run for certain.

        Args:
            names: The names of the steps.
        """
        return replace(self, steps=self.steps | set(names))

    def hide(self, names: Iterable[str], reason: str) -> Known:
        """Return the same with a reason why results are not known.

        Args:
            names: The names of the steps.
            reason: Why, as the end of a sentence that begins with the step.
        """
        return replace(self, hidden={**self.hidden, **dict.fromkeys(names, reason)})

    def find_problem(self, reference: Reference) -> str | None:
        """Return what is wrong with a reference in this place; None if nothing is.

        Args:
            reference: The reference.
        """
        root, *rest = reference.parts
        if root == "steps":
            wrong = self._find_step(rest[0]) if rest else "name a step, as in '{{steps.NAME}}'"
        elif root in self.roots:
            if root != "input" or not rest or self.inputs is None or rest[0] in self.inputs:
                return None
            wrong = f"the input has no {rest[0]!r}: {describe_choices(rest[0], self.inputs)}"
        elif root in _ELSEWHERE:
            wrong = _ELSEWHERE[root]
        elif root in self.names:
            wrong = f"did you mean '{{{{{'.'.join(('steps', *reference.parts))}}}}}'?"
        else:
            choices = describe_choices(root, [*self.roots, "steps"])
            wrong = f"nothing is named {root!r}: {choices}"
        return wrong and f"{reference}: {wrong}"

    def _find_step(self, name: str) -> str:
        if name in self.steps:
            return ""
        if name in self.hidden:
            return f"step {name!r} {self.hidden[name]}"
        if name in self.names:
            return f"step {name!r} runs later"
        return f"there is no step {name!r}: {describe_choices(name, self.steps)}"


def list_names(steps: Iterable[StepSection]) -> list[str]:
    """Return the names of steps and of all steps within them, in the order of the file.

    Args:
        steps: The steps.
    """
    found: list[str] = []
    waiting = [iter(steps)]
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
            continue
        found.append(step.name)
        waiting += [iter(inner) for _, inner in reversed(step.blocks)]
    return found


def list_known(steps: Iterable[StepSection]) -> list[str]:
    """Return the names of the steps whose results are known once steps in a row have run.

    Args:
        steps: The steps.
    """
    found: list[str] = []
    for step in steps:
        found += [item.name for item in step.parallel or ()]
        found += list_known(step.repeat or ())
        found.append(step.name)
    return found
