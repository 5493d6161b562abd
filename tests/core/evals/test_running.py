from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import ConfigurationError, GuardrailError
from agent_factory.core.evals import (
    Attempt,
    Contains,
    EvalCase,
    EvalReport,
    EvalSuite,
    Exact,
    Expectation,
    Fails,
    Gate,
    Observation,
    ObservedCall,
    Progress,
    Score,
    SuiteRun,
    Target,
    derive_seed,
    run_suite,
)
from agent_factory.core.testing import run_virtual


def create_suite(*names: str, **options: Any) -> EvalSuite:
    cases = tuple(EvalCase(name, name, (Exact("yes"),)) for name in names)
    return EvalSuite("suite", cases, **options)


def evaluate(target: Target, *expectations: Expectation, **options: Any) -> EvalReport:
    suite = EvalSuite("suite", (EvalCase("case", "input", expectations),), **options)
    return asyncio.run(run_suite(suite, target))


async def say_yes(case: EvalCase, attempt: Attempt) -> Observation:
    return Observation("yes")


def answer(value: object) -> Target:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        return Observation(value)

    return target


def fail(error: Exception) -> Target:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        raise error

    return target


def test_every_case_is_tried_as_often_as_the_suite_says() -> None:
    tried: list[tuple[str, int, int]] = []

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        assert case.name == attempt.case
        tried.append((attempt.case, attempt.repetition, attempt.seed))
        return Observation("yes")

    report = asyncio.run(run_suite(create_suite("a", "b", repetitions=2, seed=7), target))

    assert tried == [
        (name, repetition, derive_seed(7, name, repetition))
        for name in "ab"
        for repetition in (1, 2)
    ]
    assert [len(case.attempts) for case in report.cases] == [2, 2]
    assert (report.verdict, report.complete) == ("pass", True)


def test_seed_is_the_same_on_every_machine() -> None:
    assert derive_seed(0, "refund in time", 1) == 1715187823
    assert derive_seed(0, "refund in time", 2) != derive_seed(0, "refund in time", 1)


@given(st.integers(), st.text(), st.integers(1, 100))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_seed_fits_what_servers_take(seed: int, case: str, repetition: int) -> None:
    assert 0 <= derive_seed(seed, case, repetition) < 2**31


def test_order_of_the_report_does_not_depend_on_who_ends_first() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        await asyncio.sleep({"a": 30, "b": 10, "c": 20}[case.name] / attempt.repetition)
        return Observation(f"{case.name}{attempt.repetition}")

    suite = create_suite("a", "b", "c", repetitions=3, concurrency=9)
    report = run_virtual(lambda: run_suite(suite, target))

    outputs = [item.observation.output for case in report.cases for item in case.attempts]
    assert outputs == ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_attempts_run_at_a_time_than_the_suite_says(concurrency: int) -> None:
    running = 0
    most = 0

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1
        return Observation("yes")

    suite = create_suite("a", "b", repetitions=5, concurrency=concurrency)
    run_virtual(lambda: run_suite(suite, target))

    assert most == concurrency


def test_duration_is_measured_on_the_clock_of_the_loop() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        await asyncio.sleep(90)
        return Observation("yes")

    report = run_virtual(lambda: run_suite(create_suite("a", "b"), target))

    assert [case.attempts[0].duration for case in report.cases] == [90, 90]
    assert report.summary.duration == 180


def test_score_of_an_attempt_is_the_mean_of_its_expectations() -> None:
    report = evaluate(answer("Bern"), Contains("Bern"), Contains("Bern", "Basel"))

    attempt = report.cases[0].attempts[0]
    assert (attempt.score, attempt.passed) == (0.75, False)
    assert attempt.reasons == ("contains: the answer lacks 'Basel': 'Bern'",)


def test_error_of_the_run_makes_the_attempt_fail_with_its_reason() -> None:
    error = GuardrailError("no secrets", guardrail="secrets", stage="input")
    attempt = evaluate(fail(error), Contains("Bern")).cases[0].attempts[0]

    assert (attempt.passed, attempt.score, attempt.findings) == (False, 0.0, ())
    assert attempt.reasons == ("the run failed (guardrail): no secrets",)


def test_expected_error_passes_and_other_expectations_are_still_checked() -> None:
    error = GuardrailError("no secrets", guardrail="secrets", stage="input")

    assert evaluate(fail(error), Fails("guardrail")).verdict == "pass"
    assert evaluate(fail(error), Fails("output")).verdict == "fail"
    assert evaluate(fail(error), Fails("guardrail"), Contains("Bern")).verdict == "fail"
    assert evaluate(answer("Bern"), Fails("guardrail")).verdict == "fail"


def test_defect_of_the_target_costs_one_attempt_and_not_the_others() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if attempt.repetition == 2:
            raise ZeroDivisionError("oops")
        return Observation("yes")

    report = asyncio.run(run_suite(create_suite("a", repetitions=3), target))

    error = report.cases[0].attempts[1].observation.error
    assert error is not None
    assert (error.code, error.message) == ("unexpected", "ZeroDivisionError: oops")
    assert report.cases[0].verdict == "flaky"
    assert report.complete


def test_target_that_cancels_itself_costs_one_attempt_and_not_the_others() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if case.name == "a":
            raise asyncio.CancelledError
        return Observation("yes")

    report = asyncio.run(run_suite(create_suite("a", "b", concurrency=1), target))

    assert [case.verdict for case in report.cases] == ["fail", "pass"]
    assert report.complete


def test_attempt_that_takes_too_long_is_ended() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        await asyncio.Event().wait()
        raise AssertionError

    report = evaluate(target, Fails("run_timeout"), timeout=0.01)

    assert report.verdict == "pass"


@pytest.mark.parametrize(
    "value", [object(), {"a": object()}, b"\xff", float("nan"), pytest.param(10**5000, id="digits")]
)
def test_output_of_any_kind_ends_up_as_plain_data(value: object) -> None:
    report = evaluate(answer(value), Exact("yes"))

    assert report.verdict == "fail"
    report.to_json()


def test_target_that_changes_its_input_does_so_for_itself() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        case.input["n"] += 1
        return Observation(case.input["n"])

    suite = EvalSuite("suite", (EvalCase("a", {"n": 1}, (Exact(2),)),), repetitions=3)

    assert asyncio.run(run_suite(suite, target)).verdict == "pass"
    assert suite.cases[0].input == {"n": 1}


def test_target_that_returns_no_observation_is_told_so() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Any:
        return "yes"

    error = evaluate(target, Exact("yes")).cases[0].attempts[0].observation.error

    assert error is not None
    assert "str in place of an Observation" in error.message


class Own:
    label = "own"

    def __init__(self, result: Any) -> None:
        self.result = result

    def check(self, observation: Observation, case: EvalCase) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_expectation_of_ones_own_may_be_plain_or_awaited() -> None:
    async def later() -> Score:
        return Score.of(True, "at last")

    report = evaluate(say_yes, Own(Score.of(True, "at once")), Own(later()))

    findings = report.cases[0].attempts[0].findings
    assert [(item.expectation, item.reason) for item in findings] == [
        ("own", "at once"),
        ("own", "at last"),
    ]


@pytest.mark.parametrize("result", [ValueError("broken"), "yes", None])
def test_check_that_breaks_is_told_as_an_error(result: Any) -> None:
    report = evaluate(say_yes, Own(result), Exact("yes"))

    broken, fine = report.cases[0].attempts[0].findings
    assert (broken.error, broken.passed, fine.passed) == (True, False, True)
    assert "the check failed with" in broken.reason


def test_progress_is_told_after_each_attempt() -> None:
    told: list[Progress] = []

    suite = create_suite("a", "b", repetitions=2, concurrency=1)
    asyncio.run(run_suite(suite, say_yes, on_progress=told.append))

    assert [(item.done, item.total) for item in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [item.attempt.case for item in told] == ["a", "a", "b", "b"]


def test_watcher_that_raises_breaks_nothing() -> None:
    problems: list[dict[str, Any]] = []

    def watch(progress: Progress) -> None:
        raise ValueError("broken")

    async def main() -> EvalReport:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: problems.append(context)
        )
        return await run_suite(create_suite("a", "b"), say_yes, on_progress=watch)

    assert asyncio.run(main()).verdict == "pass"
    assert len(problems) == 2


def test_run_that_is_cancelled_ends_its_attempts_and_keeps_what_was_done() -> None:
    ended: list[str] = []

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if attempt.repetition == 2:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(case.name)
        return Observation("yes")

    suite = create_suite("a", "b", "c", repetitions=2, concurrency=2)
    run = SuiteRun(suite, target)

    async def main() -> None:
        task = asyncio.create_task(run.execute())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main)
    report = run.create_report()

    assert sorted(ended) == ["a", "b"]
    assert [len(case.attempts) for case in report.cases] == [1, 1, 0]
    assert [case.verdict for case in report.cases] == ["pass", "pass", None]
    assert (report.complete, report.verdict) == (False, "fail")
    assert report.checks[0].bound == "complete"
    report.to_json()


def test_report_before_the_first_attempt_has_no_rates() -> None:
    suite = create_suite("a", gate=Gate(min_pass_rate=0, min_mean_score=0, min_pass_power=0))
    report = SuiteRun(suite, say_yes).create_report()

    assert (report.summary.pass_rate, report.summary.mean_score) == (None, None)
    assert report.verdict == "fail"


def test_run_begins_once() -> None:
    run = SuiteRun(create_suite("a"), say_yes)

    asyncio.run(run.execute())

    with pytest.raises(ConfigurationError, match="has begun already"):
        asyncio.run(run.execute())


def test_secrets_are_taken_out_of_every_text() -> None:
    secret = "tops3cret"

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if attempt.repetition == 2:
            raise ValueError(f"no access with {secret}")
        calls = (ObservedCall("login", {"key": secret, secret: [secret]}),)
        return Observation({"answer": [secret]}, calls)

    case = EvalCase(f"case {secret}", {"key": secret}, (Contains(f"not {secret}"),), (secret,))
    suite = EvalSuite(f"suite {secret}", (case,), repetitions=2)
    told: list[Progress] = []
    report = asyncio.run(
        run_suite(
            suite,
            target,
            scrub=lambda text: text.replace(secret, "[secret]"),
            on_progress=told.append,
        )
    )

    assert secret not in report.to_json()
    assert secret not in repr(told)
    assert report.to_json().count("[secret]") >= 8


@pytest.mark.parametrize(
    "create",
    [
        lambda: EvalSuite("", (EvalCase("a", 1, (Exact(1),)),)),
        lambda: EvalSuite("suite", ()),
        lambda: EvalSuite("suite", ("a",)),  # type: ignore[arg-type]
        lambda: create_suite("a", "a"),
        lambda: create_suite("a", repetitions=0),
        lambda: create_suite("a", repetitions=True),
        lambda: create_suite("a", concurrency=0),
        lambda: create_suite("a", seed=1.5),
        lambda: create_suite("a", timeout=float("inf")),
        lambda: create_suite("a", gate={"min_pass_rate": 1}),
        lambda: create_suite("a").select(lambda case: False),
        lambda: EvalCase("", 1, (Exact(1),)),
        lambda: EvalCase("a", 1, ()),
        lambda: EvalCase("a", 1, (Exact,)),  # type: ignore[arg-type]
        lambda: EvalCase("a", 1, ("yes",)),  # type: ignore[arg-type]
        lambda: EvalCase("a", object(), (Exact(1),)),
        lambda: EvalCase("a", 1, (Exact(1),), "tag"),  # type: ignore[arg-type]
        lambda: SuiteRun(create_suite("a"), None),  # type: ignore[arg-type]
    ],
)
def test_suite_that_cannot_be_meant_is_refused(create: Any) -> None:
    with pytest.raises(ConfigurationError):
        create()


def test_selected_cases_keep_their_seeds() -> None:
    suite = create_suite("a", "b", "c")
    chosen = suite.select(lambda case: case.name != "b")

    whole, part = (asyncio.run(run_suite(item, say_yes)) for item in (suite, chosen))

    assert [case.name for case in part.cases] == ["a", "c"]
    assert part.cases[1].attempts[0].seed == whole.cases[2].attempts[0].seed


def test_ctrl_c_ends_the_run_and_leaves_a_report() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if attempt.repetition == 2:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        return Observation("yes")

    run = SuiteRun(create_suite("a", repetitions=3, concurrency=1), target)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run.execute())

    report = run.create_report()
    assert (report.complete, report.summary.attempts) == (False, 1)
