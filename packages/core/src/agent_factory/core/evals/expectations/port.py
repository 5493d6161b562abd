"""What an expectation is, and what it says of an attempt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.observations import Observation

__all__ = ["Expectation", "Score"]


@dataclass(frozen=True, slots=True)
class Score:
    """What an expectation says of an attempt.

    Attributes:
        value: How far it is met, from 0 to 1.
        passed: Whether it is met.
        reason: Why, in one sentence.
        usage: What the check itself used, such as the call of a judge.
        error: Whether the check could not be made, so that it says nothing about the answer. It counts as not passed.

    Raises:
        ConfigurationError: The value is not from 0 to 1, or passed although there is an error.
    """

    value: float
    passed: bool
    reason: str
    usage: Usage = field(default_factory=Usage)
    error: bool = False

    def __post_init__(self) -> None:
        """Check the range."""
        value: Any = self.value
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
            or not 0 <= value <= 1
        ):
            raise ConfigurationError(f"a score must be a number from 0 to 1, not {value!r}")
        if self.error and self.passed:
            raise ConfigurationError("a check that could not be made cannot have passed")

    @classmethod
    def of(cls, passed: bool, reason: str) -> Score:
        """Return the score 1 or 0.

        Args:
            passed: Whether the expectation is met.
            reason: Why.
        """
        return cls(1.0 if passed else 0.0, passed, reason)


@runtime_checkable
class Expectation(Protocol):
    """What must hold of an attempt. Immutable; checks many attempts at a time."""

    @property
    def label(self) -> str:
        """A short name for people, such as ``tool_called search``."""
        ...

    def check(self, observation: Observation, case: EvalCase) -> Score | Awaitable[Score]:
        """Say how far an attempt meets the expectation.

        Args:
            observation: What was seen of the attempt. Where it has an error, the case expects one.
            case: The case.
        """
        ...
