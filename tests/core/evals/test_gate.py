from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import ConfigurationError, Usage
from agent_factory.core.evals import (
    Attempt,
    EvalCase,
    EvalReport,
    EvalSuite,
    Exact,
    Gate,
    GateCheck,
    Observation,
    decide_verdict,
    run_suite,
)

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATE = st.none() | st.floats(0, 1)
GATES = st.builds(
    Gate,
    min_pass_rate=RATE,
    min_mean_score=RATE,
    min_pass_power=RATE,
    max_cost=st.none() | st.integers(0, 50),
    max_flaky=st.none() | st.integers(0, 3),
)
RESULTS = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=6)
)


def evaluate(results: list[list[bool]], gate: Gate, *, cost: int | None = 1) -> EvalReport:
    """Return the report of a suite whose cases pass and fail as given."""
    cases = tuple(EvalCase(str(index), index, (Exact("yes"),)) for index in range(len(results)))
    suite = EvalSuite("suite", cases, repetitions=len(results[0]), gate=gate)

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        passes = results[case.input][attempt.repetition - 1]
        return Observation("yes" if passes else "no", usage=Usage(requests=1, cost=cost))

    return asyncio.run(run_suite(suite, target))


def get_check(report: EvalReport, bound: str) -> GateCheck:
    (check,) = [item for item in report.checks if item.bound == bound]
    return check


def test_without_bounds_every_attempt_has_to_pass() -> None:
    assert evaluate([[True, True]], Gate()).verdict == "pass"
    assert evaluate([[True, False]], Gate()).verdict == "fail"
    assert evaluate([[True, False]], Gate(max_cost=100)).verdict == "fail"


def test_bound_within_the_interval_of_a_result_below_it_makes_the_suite_flaky() -> None:
    report = evaluate([[True] * 8 + [False] * 2], Gate(min_pass_rate=0.9))

    check = get_check(report, "min_pass_rate")
    assert (check.outcome, check.actual) == ("undecided", 0.8)
    assert check.interval is not None
    assert check.interval.low < 0.9 < check.interval.high
    assert report.verdict == "flaky"


def test_bound_above_the_interval_makes_the_suite_fail() -> None:
    assert evaluate([[True] * 2 + [False] * 8], Gate(min_pass_rate=0.9)).verdict == "fail"


def test_single_repetition_is_never_called_flaky() -> None:
    results = [[True], [True], [True], [False]]

    assert evaluate(results, Gate(min_pass_rate=0.9)).verdict == "fail"
    assert evaluate(results, Gate(min_pass_rate=0.75)).verdict == "pass"


@pytest.mark.parametrize("bound", ["min_pass_rate", "min_mean_score", "min_pass_power"])
def test_bound_of_1_is_refuted_by_one_attempt(bound: str) -> None:
    bounds: dict[str, Any] = {bound: 1}

    report = evaluate([[True, True], [True, False]], Gate(**bounds))

    assert report.verdict == "fail"


def test_pass_power_counts_the_cases_that_pass_every_time() -> None:
    results = [[True, True], [True, False], [True, True], [True, True]]

    assert evaluate(results, Gate(min_pass_power=0.75)).verdict == "pass"
    check = get_check(evaluate(results, Gate(min_pass_power=0.8)), "min_pass_power")
    assert (check.actual, check.outcome) == (0.75, "undecided")


def test_rounding_does_not_decide() -> None:
    results = [[True]] * 1 + [[False]] * 2

    assert evaluate(results, Gate(min_pass_rate=1 / 3)).verdict == "pass"
    assert evaluate(results, Gate(min_mean_score=0.1 + 0.2333333333333333)).verdict == "pass"


def test_cost_above_the_bound_or_unknown_makes_the_suite_fail() -> None:
    results = [[True, True]]

    assert evaluate(results, Gate(max_cost=2)).verdict == "pass"
    assert evaluate(results, Gate(max_cost=1)).verdict == "fail"
    assert evaluate(results, Gate(max_cost=10**9), cost=None).verdict == "fail"


def test_more_flaky_cases_than_allowed_make_the_suite_flaky() -> None:
    results = [[True, False], [True, True]]
    loose = 0.5

    assert evaluate(results, Gate(min_pass_rate=loose, max_flaky=1)).verdict == "pass"
    assert evaluate(results, Gate(min_pass_rate=loose, max_flaky=0)).verdict == "flaky"


@given(RESULTS, GATES)
@RELAXED
def test_verdict_follows_from_the_bounds(results: list[list[bool]], gate: Gate) -> None:
    report = evaluate(results, gate)
    attempts = [passed for case in results for passed in case]
    repeated = len(results[0]) > 1

    for check in report.checks:
        if check.bound in ("max_cost", "max_flaky"):
            holds = check.actual is not None and check.actual <= check.required
            assert check.outcome == (
                "met" if holds else "missed" if check.bound == "max_cost" else "undecided"
            )
            continue
        assert check.actual is not None
        if check.outcome == "met":
            assert check.actual >= check.required - 1e-9
        else:
            assert check.actual < check.required
            within = check.interval is not None and check.required in check.interval
            undecided = within and repeated and check.required < 1
            assert check.outcome == ("undecided" if undecided else "missed")
    assert report.verdict == decide_verdict(report.checks)
    if all(attempts) and gate.max_cost is None:
        assert report.verdict == "pass"
    bounded = [gate.min_pass_rate, gate.min_mean_score, gate.min_pass_power]
    if not any(attempts) and any(bound for bound in bounded if bound and bound > 1e-6):
        assert report.verdict != "pass"


@given(RESULTS, GATES)
@RELAXED
def test_one_more_attempt_that_passes_makes_no_bound_worse(
    results: list[list[bool]], gate: Gate
) -> None:
    failed = [
        (i, j) for i, case in enumerate(results) for j, passed in enumerate(case) if not passed
    ]
    rank = {"pass": 0, "flaky": 1, "fail": 2}
    plain = Gate(gate.min_pass_rate, None, gate.min_pass_power)
    before = evaluate(results, plain).verdict
    for i, j in failed[:3]:
        better = [list(case) for case in results]
        better[i][j] = True
        assert rank[evaluate(better, plain).verdict] <= rank[before]


@pytest.mark.parametrize(
    "values",
    [
        {"min_pass_rate": 1.1},
        {"min_mean_score": -0.1},
        {"min_pass_power": float("nan")},
        {"min_pass_rate": True},
        {"max_cost": -1},
        {"max_cost": 0.5},
        {"max_flaky": 1.5},
    ],
)
def test_bound_out_of_its_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        Gate(**values)
