"""What all attempts of a suite come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.core.evals.statistics import (
    Interval,
    compute_mean,
    compute_mean_interval,
    compute_pass_any,
    compute_pass_power,
    compute_wilson_interval,
)
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent_factory.core.evals.results import AttemptResult, CaseResult

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What all attempts come to. Cases that were not tried do not count.

    Attributes:
        cases: Cases that were tried.
        passed_cases: Those that passed in every repetition.
        flaky_cases: Those that passed in some.
        failed_cases: Those that passed in none.
        attempts: Attempts that were made.
        passed_attempts: Those that passed.
        pass_rate: The part of the attempts that passed; None where there are none.
        pass_rate_interval: Its confidence interval.
        mean_score: Mean of the scores of all attempts; None where there are none.
        mean_score_interval: Its confidence interval; None for fewer than two attempts.
        pass_power: Chances that 1, 2, ... tries of a case all pass (pass^k), as the mean of all cases with that many attempts.
        pass_any: Chances that at least one of 1, 2, ... tries of a case passes (pass@k), likewise.
        usage: What the attempts used together; None where that of one is not known.
        check_usage: What the checks used, such as judges.
        duration: Seconds that the attempts took, added up.
    """

    cases: int
    passed_cases: int
    flaky_cases: int
    failed_cases: int
    attempts: int
    passed_attempts: int
    pass_rate: float | None
    pass_rate_interval: Interval | None
    mean_score: float | None
    mean_score_interval: Interval | None
    pass_power: tuple[float, ...]
    pass_any: tuple[float, ...]
    usage: Usage | None
    check_usage: Usage
    duration: float

    @property
    def cost(self) -> int | None:
        """What attempts and checks cost, in millionths of the currency's unit; None where that is not known."""
        if self.usage is None or self.usage.cost is None or self.check_usage.cost is None:
            return None
        return self.usage.cost + self.check_usage.cost


def summarise(cases: Iterable[CaseResult]) -> Summary:
    """Return what the attempts of cases come to.

    Args:
        cases: The cases with the attempts that were made.
    """
    tried = [case for case in cases if case.attempts]
    attempts: list[AttemptResult] = [item for case in tried for item in case.attempts]
    passed = sum(item.passed for item in attempts)
    scores = [item.score for item in attempts]
    verdicts = [case.verdict for case in tried]
    return Summary(
        cases=len(tried),
        passed_cases=verdicts.count("pass"),
        flaky_cases=verdicts.count("flaky"),
        failed_cases=verdicts.count("fail"),
        attempts=len(attempts),
        passed_attempts=passed,
        pass_rate=passed / len(attempts) if attempts else None,
        pass_rate_interval=compute_wilson_interval(passed, len(attempts)) if attempts else None,
        mean_score=compute_mean(scores) if attempts else None,
        mean_score_interval=compute_mean_interval(scores),
        pass_power=_average(tried, compute_pass_power),
        pass_any=_average(tried, compute_pass_any),
        usage=_add_usage(attempts),
        check_usage=sum((finding.usage for item in attempts for finding in item.findings), Usage()),
        duration=sum(item.duration for item in attempts),
    )


def _average(
    cases: Sequence[CaseResult], estimate: Callable[[int, int, int], float]
) -> tuple[float, ...]:
    """Return the mean of an estimate over all cases with enough attempts, for 1, 2, ... tries."""
    counts = [(case.passed_attempts, len(case.attempts)) for case in cases]
    most = max((total for _, total in counts), default=0)
    return tuple(
        compute_mean([estimate(passed, total, k) for passed, total in counts if total >= k])
        for k in range(1, most + 1)
    )


def _add_usage(attempts: Sequence[AttemptResult]) -> Usage | None:
    total = Usage()
    for item in attempts:
        used = item.observation.usage
        if used is None:
            return None
        total += used
    return total
