"""Conditions of loops: one thing that must hold of one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut

if TYPE_CHECKING:
    from agent_factory.core.blueprints.references import Template
    from agent_factory.core.blueprints.workflows.scope import Scope

__all__ = ["TESTS", "Condition", "is_same"]

TESTS = ("equals", "not_equals", "at_least", "at_most")
"""The keys of which a condition has one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Says of a scope whether a loop is done.

    Attributes:
        value: What is looked at.
        test: One of `TESTS`.
        wanted: What it is compared with.
    """

    value: Template
    test: str
    wanted: Any

    def __str__(self) -> str:
        shown = cut(to_json(self.wanted).decode())
        return f"'{self.value.text} {self.test} {shown}'"

    def holds(self, scope: Scope) -> bool:
        """Return whether the condition holds.

        Args:
            scope: What is known after a turn.

        Raises:
            ConfigurationError: There is no such value, or it is no number where one is needed.
        """
        value = self.value.render(scope.values)
        if self.test == "equals":
            return is_same(value, self.wanted)
        if self.test == "not_equals":
            return not is_same(value, self.wanted)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigurationError(
                f"until: {self.test} needs a number, and {self.value.text} is {type(value).__name__}"
            )
        return bool(value >= self.wanted if self.test == "at_least" else value <= self.wanted)


def is_same(left: Any, right: Any) -> bool:
    """Return whether two values are the same JSON: true is not 1, and 1 is 1.0.

    Args:
        left: Plain data.
        right: Plain data.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(is_same, left, right))
    return bool(left == right)
