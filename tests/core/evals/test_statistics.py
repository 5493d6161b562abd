from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import ConfigurationError
from agent_factory.core.evals import (
    compute_mean_interval,
    compute_pass_any,
    compute_pass_power,
    compute_wilson_interval,
)

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=50)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [
        # Newcombe: Two-sided confidence intervals for the single proportion (1998), table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_is_that_of_the_literature(
    passed: int, total: int, low: float, high: float
) -> None:
    interval = compute_wilson_interval(passed, total)

    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(COUNTS)
@RELAXED
def test_wilson_interval_has_the_rate_in_it_and_lies_within_0_and_1(
    counts: tuple[int, int],
) -> None:
    passed, total = counts
    interval = compute_wilson_interval(passed, total)

    assert 0 <= interval.low <= passed / total <= interval.high <= 1
    assert interval.low < interval.high


@given(COUNTS)
@RELAXED
def test_wilson_interval_is_the_mirror_image_for_failures(counts: tuple[int, int]) -> None:
    passed, total = counts
    interval, mirror = (compute_wilson_interval(n, total) for n in (passed, total - passed))

    assert interval.low == pytest.approx(1 - mirror.high)
    assert interval.high == pytest.approx(1 - mirror.low)


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    # Of any table of Student's t distribution, 97.5 %.
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (29, 2.045), (120, 1.980)],
)
def test_interval_of_a_mean_uses_the_t_distribution(degrees: int, quantile: float) -> None:
    # Half of the scores a little above the middle, half below: few enough to stay within 0 and 1.
    scores = [0.5 + 0.01 * (-1) ** index for index in range(degrees + 1)]
    mean = fmean(scores)
    error = (sum((score - mean) ** 2 for score in scores) / degrees / len(scores)) ** 0.5

    interval = compute_mean_interval(scores)

    assert interval is not None
    assert (interval.high - mean) / error == pytest.approx(quantile, rel=2e-3)
    assert (mean - interval.low) / error == pytest.approx(quantile, rel=2e-3)


@given(SCORES)
@RELAXED
def test_interval_of_a_mean_has_the_mean_in_it_and_lies_within_0_and_1(scores: list[float]) -> None:
    interval = compute_mean_interval(scores)

    assert interval is not None
    assert 0 <= interval.low <= fmean(scores) + 1e-9
    assert fmean(scores) - 1e-9 <= interval.high <= 1


def test_one_score_has_no_interval() -> None:
    assert compute_mean_interval([0.5]) is None
    assert compute_mean_interval([]) is None


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
@RELAXED
def test_powers_count_the_ways_to_choose_attempts(results: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(results)))
    chosen = list(combinations(results, k))
    counts = (sum(results), len(results), k)

    assert compute_pass_power(*counts) == pytest.approx(fmean(map(all, chosen)))
    assert compute_pass_any(*counts) == pytest.approx(fmean(map(any, chosen)))


@pytest.mark.parametrize("counts", [(1, 0, 1), (3, 2, 1), (-1, 2, 1), (1, 2, 3), (1, 2, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int]) -> None:
    for estimate in (compute_pass_power, compute_pass_any):
        with pytest.raises(ConfigurationError):
            estimate(*counts)
