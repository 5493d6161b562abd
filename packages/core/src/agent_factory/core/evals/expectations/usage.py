"""Expectations of what an attempt used, and of how it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.expectations.port import Score
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut

if TYPE_CHECKING:
    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.observations import Observation

__all__ = ["Fails", "Within"]

_FIELDS = {"max_cost": "cost", "max_requests": "requests", "max_tool_calls": "tool_calls"}


@dataclass(frozen=True, slots=True)
class Within:
    """The run uses no more than this. What is not known is not within anything.

    Attributes:
        max_cost: What it costs at most, in millionths of the unit of the price table's currency, or None for any amount.
        max_requests: Model calls at most, or None for any number.
        max_tool_calls: Tool calls at most, or None for any number.

    Raises:
        ConfigurationError: A value is no whole number of at least 0, or all are None.
    """

    max_cost: int | None = None
    max_requests: int | None = None
    max_tool_calls: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in _FIELDS:
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 0
            ):
                raise ConfigurationError(
                    f"Within.{name} must be a whole number of at least 0, not {value!r}"
                )
        if not self._bounds():
            raise ConfigurationError("Within needs a bound, such as Within(max_requests=3)")

    @property
    def label(self) -> str:
        """A short name for people."""
        return ", ".join(self._bounds())

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say which bounds hold.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        told = []
        passed = True
        for name, bound in self._bounds().items():
            field = _FIELDS[name]
            used = None if observation.usage is None else getattr(observation.usage, field)
            passed = passed and used is not None and used <= bound
            shown = "is not known" if used is None else f"is {used}"
            told.append(f"{field} {shown}, and {bound} is allowed")
        return Score.of(passed, "; ".join(told))

    def _bounds(self) -> dict[str, int]:
        return {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Fails:
    """The run ends with an error in place of an answer.

    Attributes:
        code: Code of the error, such as ``guardrail``, or of one that led to it, as a step's within a workflow.

    Raises:
        ConfigurationError: The code is empty.
    """

    code: str

    def __post_init__(self) -> None:
        """Check the code."""
        code: Any = self.code
        if not isinstance(code, str) or not code.strip():
            raise ConfigurationError(
                "expectation 'fails' needs the code of an error, such as Fails('guardrail')"
            )

    @property
    def label(self) -> str:
        """A short name for people."""
        return f"fails {self.code}"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the run failed so.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        error = observation.error
        if error is None:
            return Score.of(False, f"there was an answer: {cut(repr(observation.text))}")
        codes = (error.code, *error.causes)
        reason = f"the run failed with {' from '.join(map(repr, codes))}: {cut(error.message)}"
        return Score.of(self.code in codes, reason)
