"""The report of a suite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.gate import GateCheck, Verdict, decide_verdict
from agent_factory.core.evals.results import usage_to_dict
from agent_factory.core.evals.summary import Summary, summarise

if TYPE_CHECKING:
    from agent_factory.core.evals.gate import Gate
    from agent_factory.core.evals.results import CaseResult
    from agent_factory.core.evals.statistics import Interval

__all__ = ["REPORT_SCHEMA", "EvalReport"]

REPORT_SCHEMA = "agent-factory/eval-report@1"
"""The value of ``schema`` in every report of this version."""


@dataclass(frozen=True)
class EvalReport:
    """What came of a suite.

    Attributes:
        suite: Name of the suite.
        seed: What the seeds of all attempts were derived from.
        repetitions: How often each case was to be tried.
        gate: What the suite had to reach.
        cases: The cases in their order.
        complete: Whether every attempt was made; a run that was cut off has the attempts that ended before.
    """

    suite: str
    seed: int
    repetitions: int
    gate: Gate
    cases: tuple[CaseResult, ...]
    complete: bool

    @cached_property
    def summary(self) -> Summary:
        """What all attempts come to."""
        return summarise(self.cases)

    @cached_property
    def checks(self) -> tuple[GateCheck, ...]:
        """What became of each bound of the gate."""
        return self.gate.check(self.summary, repetitions=self.repetitions, complete=self.complete)

    @property
    def verdict(self) -> Verdict:
        """Whether the suite passed, failed, or is flaky; see `Gate`."""
        return decide_verdict(self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as data that JSON can hold: texts, finite numbers, lists and dictionaries.

        Costs are in millionths of the currency's unit, durations in seconds, and intervals in pairs. What is not known is
        None.
        """
        total = self.summary
        return {
            "schema": REPORT_SCHEMA,
            "suite": self.suite,
            "verdict": self.verdict,
            "complete": self.complete,
            "repetitions": self.repetitions,
            "seed": self.seed,
            "summary": {
                "cases": total.cases,
                "passed_cases": total.passed_cases,
                "flaky_cases": total.flaky_cases,
                "failed_cases": total.failed_cases,
                "attempts": total.attempts,
                "passed_attempts": total.passed_attempts,
                "pass_rate": total.pass_rate,
                "pass_rate_interval": _interval_to_list(total.pass_rate_interval),
                "mean_score": total.mean_score,
                "mean_score_interval": _interval_to_list(total.mean_score_interval),
                "pass_power": list(total.pass_power),
                "pass_any": list(total.pass_any),
                "cost": total.cost,
                "usage": usage_to_dict(total.usage),
                "check_usage": usage_to_dict(total.check_usage),
                "duration": total.duration,
            },
            "gate": [
                {
                    "bound": check.bound,
                    "outcome": check.outcome,
                    "required": check.required,
                    "actual": check.actual,
                    "interval": _interval_to_list(check.interval),
                }
                for check in self.checks
            ],
            "cases": [case.to_dict() for case in self.cases],
        }

    def to_json(self) -> str:
        """Return the report as JSON text, with a line break at its end."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"


def _interval_to_list(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
