"""What a suite must reach, and whether it did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.core.evals.statistics import compute_wilson_interval
from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.evals.statistics import Interval
    from agent_factory.core.evals.summary import Summary

__all__ = ["BoundOutcome", "Gate", "GateCheck", "Verdict", "decide_verdict"]

Verdict: TypeAlias = Literal["pass", "flaky", "fail"]
"""How a suite or a case ended."""

BoundOutcome: TypeAlias = Literal["met", "undecided", "missed"]
"""Whether a bound of a gate holds, whether that cannot be told, or whether it does not hold."""

_RATES = ("min_pass_rate", "min_mean_score", "min_pass_power")
_TOLERANCE = 1e-9  # of rounding


@dataclass(frozen=True, slots=True)
class GateCheck:
    """What became of one bound of a gate.

    Attributes:
        bound: Name of the bound: a field of `Gate`, or ``complete`` for a run that was cut off.
        outcome: Whether it holds.
        required: The bound.
        actual: What was reached; None where that is not known.
        interval: The confidence interval of what was reached; None where there is none.
    """

    bound: str
    outcome: BoundOutcome
    required: float
    actual: float | None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What a suite must reach to pass. Without a bound on passes or scores, every attempt has to pass.

    Each bound is met, undecided or missed:

    - It is **met** where what was reached is not below the least, or not above the most, that it allows.
    - A bound on passes or scores that is not met is **undecided** where each case was tried more than once and the bound lies
      within the confidence interval of what was reached: more attempts could tell. A bound of 1 is never undecided, since a
      single attempt below it refutes it. `max_flaky` is undecided where it is not met, since that is just what flaky cases
      mean.
    - Otherwise it is **missed**. A bound on a cost that is not known is missed.

    The suite passes where every bound is met and every attempt was made. It fails where a bound is missed, or attempts are
    missing. Else it is flaky.

    Attributes:
        min_pass_rate: The part of all attempts that has to pass, from 0 to 1.
        min_mean_score: The mean score that all attempts have to reach, from 0 to 1.
        min_pass_power: The part of the cases of which every repetition has to pass (pass^n), from 0 to 1.
        max_cost: What all attempts, judges included, may cost together, in millionths of the unit of the price table's
            currency.
        max_flaky: How many cases may pass in some of their repetitions only.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    min_pass_rate: float | None = None
    min_mean_score: float | None = None
    min_pass_power: float | None = None
    max_cost: int | None = None
    max_flaky: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in (*_RATES, "max_cost", "max_flaky"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool):
                valid = False
            elif name in _RATES:
                valid = isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= 1
            else:
                valid = isinstance(value, int) and value >= 0
            if not valid:
                needed = "from 0 to 1" if name in _RATES else "a whole number of at least 0"
                raise ConfigurationError(f"Gate.{name} must be {needed}, not {value!r}")

    def check(self, summary: Summary, *, repetitions: int, complete: bool) -> tuple[GateCheck, ...]:
        """Return what became of each bound.

        Args:
            summary: What all attempts came to.
            repetitions: How often each case was to be tried.
            complete: Whether every attempt was made.
        """
        checks = []
        if not complete:
            checks.append(GateCheck("complete", "missed", 1, 0))
        reached = {
            "min_pass_rate": (summary.pass_rate, summary.pass_rate_interval),
            "min_mean_score": (summary.mean_score, summary.mean_score_interval),
            "min_pass_power": _get_pass_power(summary),
        }
        bounds = {name: bound for name in _RATES if (bound := getattr(self, name)) is not None}
        for name, bound in (bounds or {"min_pass_rate": 1.0}).items():
            actual, interval = reached[name]
            outcome: BoundOutcome = "missed"
            if actual is not None and actual >= bound - _TOLERANCE:
                outcome = "met"
            elif repetitions > 1 and bound < 1 and interval is not None and bound in interval:
                outcome = "undecided"
            checks.append(GateCheck(name, outcome, bound, actual, interval))
        if self.max_cost is not None:
            cost = summary.cost
            outcome = "met" if cost is not None and cost <= self.max_cost else "missed"
            checks.append(GateCheck("max_cost", outcome, self.max_cost, cost))
        if self.max_flaky is not None:
            flaky = summary.flaky_cases
            outcome = "met" if flaky <= self.max_flaky else "undecided"
            checks.append(GateCheck("max_flaky", outcome, self.max_flaky, flaky))
        return tuple(checks)


def decide_verdict(checks: Iterable[GateCheck]) -> Verdict:
    """Return the verdict that the bounds of a gate come to: the worst of them.

    Args:
        checks: What became of each bound.
    """
    outcomes = {check.outcome for check in checks}
    if "missed" in outcomes:
        return "fail"
    return "flaky" if "undecided" in outcomes else "pass"


def _get_pass_power(summary: Summary) -> tuple[float | None, Interval | None]:
    """Return the part of the cases of which every repetition passed, with its interval."""
    if not summary.cases:
        return None, None
    passed = summary.passed_cases
    return passed / summary.cases, compute_wilson_interval(passed, summary.cases)
