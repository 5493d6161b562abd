"""How far a few attempts can tell: rates, means, and their confidence intervals.

The cases of a suite are taken as they are; what is left to chance is how the target answers them. All attempts count as one
sample. That makes the intervals rather too wide than too narrow, since some of the differences between attempts are those
between cases. They say nothing about cases that are not in the suite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Interval",
    "compute_mean",
    "compute_mean_interval",
    "compute_pass_any",
    "compute_pass_power",
    "compute_wilson_interval",
]

_Z = 1.959963984540054  # of the normal distribution, 97.5 %


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of 95 %.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def compute_wilson_interval(passed: int, total: int) -> Interval:
    """Return the interval of a rate: Wilson's score interval.

    E. B. Wilson: Probable inference, the law of succession, and statistical inference (1927). Unlike the textbook interval it
    holds for few attempts and for rates near 0 and 1 (Brown, Cai, DasGupta: Interval estimation for a binomial proportion,
    2001).

    Args:
        passed: How many passed.
        total: How many there were; at least 1.

    Raises:
        ConfigurationError: The numbers are no such numbers.
    """
    _check_counts(passed, total)
    rate, square = passed / total, _Z * _Z
    center = (rate + square / (2 * total)) / (1 + square / total)
    half = (
        _Z
        * math.sqrt(rate * (1 - rate) / total + square / (4 * total * total))
        / (1 + square / total)
    )
    # The ends are exact where nothing or everything passed; rounding must not move them.
    low = 0.0 if passed == 0 else max(0.0, min(rate, center - half))
    high = 1.0 if passed == total else min(1.0, max(rate, center + half))
    return Interval(low, high)


def compute_mean(scores: Sequence[float]) -> float:
    """Return the mean of scores.

    Args:
        scores: The scores, each from 0 to 1; at least one.
    """
    return min(1.0, max(0.0, math.fsum(scores) / len(scores)))


def compute_mean_interval(scores: Sequence[float]) -> Interval | None:
    """Return the interval of a mean score: Student's t interval, within 0 and 1.

    Student (W. S. Gosset): The probable error of a mean (1908). With the few attempts of a suite it holds better than a
    bootstrap, which is too narrow then. Where all scores are the same it has no width: that says that no difference was seen,
    not that there is none.

    Args:
        scores: The scores, each from 0 to 1.

    Returns:
        The interval; None for fewer than two scores, which tell nothing of how they differ.
    """
    count = len(scores)
    if count < 2:
        return None
    mean = compute_mean(scores)
    variance = math.fsum((score - mean) ** 2 for score in scores) / (count - 1)
    half = _compute_t(count - 1) * math.sqrt(variance / count)
    return Interval(max(0.0, mean - half), min(1.0, mean + half))


def compute_pass_power(passed: int, total: int, k: int) -> float:
    """Return an estimate of the chance that ``k`` tries of a case all pass (pass^k), without bias.

    It is the part of the ways to choose ``k`` of the attempts in which all passed, as in Yao et al.: tau-bench (2024).

    Args:
        passed: How many attempts passed.
        total: How many there were.
        k: How many tries; from 1 to ``total``.

    Raises:
        ConfigurationError: The numbers are no such numbers.
    """
    _check_counts(passed, total)
    _check_tries(k, total)
    return math.comb(passed, k) / math.comb(total, k)


def compute_pass_any(passed: int, total: int, k: int) -> float:
    """Return an estimate of the chance that at least one of ``k`` tries of a case passes (pass@k), without bias.

    Chen et al.: Evaluating large language models trained on code (2021).

    Args:
        passed: How many attempts passed.
        total: How many there were.
        k: How many tries; from 1 to ``total``.

    Raises:
        ConfigurationError: The numbers are no such numbers.
    """
    _check_counts(passed, total)
    _check_tries(k, total)
    return 1 - math.comb(total - passed, k) / math.comb(total, k)


def _compute_t(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t distribution, to about a thousandth.

    It is exact for 1 and 2 degrees of freedom; beyond it is the expansion 26.7.5 of Abramowitz and Stegun: Handbook of
    mathematical functions (1964).
    """
    if degrees == 1:
        return math.tan(math.pi * 0.475)
    if degrees == 2:
        return 0.95 * math.sqrt(2 / (1 - 0.95**2))
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees**power for power, term in enumerate(terms, 1))


def _check_counts(passed: int, total: int) -> None:
    if total < 1 or not 0 <= passed <= total:
        raise ConfigurationError(f"{passed} of {total} attempts cannot have passed")


def _check_tries(k: int, total: int) -> None:
    if not 1 <= k <= total:
        raise ConfigurationError(f"k must be from 1 to {total}, the number of attempts, not {k}")
