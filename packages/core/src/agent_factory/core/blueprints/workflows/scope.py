"""What the references of a step can see: the input, the results so far, and what the blocks around it add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import to_jsonable_python

from agent_factory.core import exceptions
from agent_factory.core.exceptions import AgentFactoryError
from agent_factory.core.workflows.nodes import Node
from agent_factory.core.workflows.policies import Failure

__all__ = ["Scope", "ScopedNode", "describe_failure", "to_plain"]

_CODES: dict[str, str] = {name: getattr(exceptions, name).code for name in exceptions.__all__}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known in one place of a run. Never changed: what a step adds is in the next scope.

    Attributes:
        roots: Plain data by the names that references begin with, but for ``steps``.
        steps: Results of steps by their names.
        result: Result of the step that ended last; nothing before the first one.
    """

    roots: Mapping[str, Any]
    steps: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None

    @property
    def values(self) -> Mapping[str, Any]:
        """Everything that references can see."""
        return {**self.roots, "steps": self.steps}

    def enter(self, **roots: Any) -> Scope:
        """Return what the steps of a block can see.

        Args:
            roots: What the block adds, by name.
        """
        return replace(self, roots={**self.roots, **roots})

    def put(self, name: str, result: Any, *, besides: Mapping[str, Any] | None = None) -> Scope:
        """Return what is known after a step.

        Args:
            name: Name of the step.
            result: Its result.
            besides: Results of steps within it that are known to have run.
        """
        return replace(self, steps={**self.steps, **(besides or {}), name: result}, result=result)


class ScopedNode(Node[Scope, Scope]):
    """A node that gets what is known, and gives what is known after it."""

    __slots__ = ()

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What is known before it."""
        return (Scope,)

    @property
    def produces(self) -> Any:
        """What is known after it."""
        return Scope


def to_plain(result: Any) -> Any:
    """Return the result of a step as plain data, which is all that references can look into.

    Args:
        result: What the step returned, or what was read from its record.

    Raises:
        ValueError: It cannot be written as JSON.
    """
    return result if isinstance(result, str) else to_jsonable_python(result)


def describe_failure(failure: Failure[Scope]) -> dict[str, Any]:
    """Return what ``{{error}}`` stands for.

    Args:
        failure: What failed. It tells the class of the error by name only, since runs that go on know no more of it.
    """
    code = _CODES.get(failure.error)
    if code is None:
        timed_out = failure.error in ("DeadlineError", "TimeoutError")
        code = "timeout" if timed_out else AgentFactoryError.code
    return {
        "code": code,
        "message": failure.message,
        "type": failure.error,
        "step": failure.step,
        "retryable": failure.retryable,
    }
