"""Running a suite: attempts, a few at a time, and what expectations say of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from agent_factory.core.evals.expectations.port import Score
from agent_factory.core.evals.expectations.usage import Fails
from agent_factory.core.evals.observations import (
    Attempt,
    Observation,
    ObservedError,
    derive_seed,
)
from agent_factory.core.evals.report import EvalReport
from agent_factory.core.evals.results import AttemptResult, CaseResult, Finding
from agent_factory.core.evals.scrubbing import scrub_attempt, scrub_report
from agent_factory.core.evals.values import to_json_data
from agent_factory.core.exceptions import AgentFactoryError, ConfigurationError
from agent_factory.core.waiting import Deadline, DeadlineError, run_until

if TYPE_CHECKING:
    from agent_factory.core.evals.cases import EvalCase, EvalSuite
    from agent_factory.core.evals.expectations.port import Expectation
    from agent_factory.core.evals.scrubbing import Scrub

__all__ = ["Progress", "SuiteRun", "Target", "run_suite"]

Target: TypeAlias = "Callable[[EvalCase, Attempt], Coroutine[Any, Any, Observation]]"
"""What is tested. An error that it raises is what the attempt ends with."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An attempt ended.

    Attributes:
        done: Attempts that have ended.
        total: All attempts of the suite.
        attempt: What came of this one.
    """

    done: int
    total: int
    attempt: AttemptResult


class SuiteRun:
    """One run of a suite. It can tell what is done at any time, also after it was cut off.

    ```python
    run = SuiteRun(suite, target)
    try:
        asyncio.run(run.execute())
    except KeyboardInterrupt:
        pass
    report = run.create_report()  # complete=False after Ctrl-C
    ```

    Args:
        suite: The suite.
        target: What is tested.
        on_progress: Told of each attempt as it ends; quick, and a plain function. What it raises goes to the exception handler
            of the event loop.
        scrub: Takes the secrets out of every text of the report, and of what is told of progress.

    Raises:
        ConfigurationError: The target cannot be called.
    """

    __slots__ = ("_began", "_on_progress", "_results", "_scrub", "_suite", "_target")

    def __init__(
        self,
        suite: EvalSuite,
        target: Target,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        scrub: Scrub | None = None,
    ) -> None:
        given: object = target
        if not callable(given):
            raise ConfigurationError(
                f"suite {suite.name!r}: a target must be a coroutine function of a case and an attempt, not {given!r:.80}: "
                "make one of an agent with create_agent_target(agent)"
            )
        self._suite = suite
        self._target = target
        self._on_progress = on_progress
        self._scrub = scrub
        self._results: dict[tuple[int, int], AttemptResult] = {}
        self._began = False

    async def execute(self) -> EvalReport:
        """Make all attempts.

        Attempts begin in the order of the cases, the repetitions of a case one after the other, as many at a time as the suite
        says. Where this is cancelled, all of them end, and `create_report` has what was done.

        Returns:
            The report.

        Raises:
            ConfigurationError: It was called before.
        """
        if self._began:
            raise ConfigurationError(
                f"this run of suite {self._suite.name!r} has begun already: make another SuiteRun"
            )
        self._began = True
        suite = self._suite
        jobs = iter(
            [
                (index, repetition)
                for index in range(len(suite.cases))
                for repetition in range(1, suite.repetitions + 1)
            ]
        )

        async def work() -> None:
            for index, repetition in jobs:
                await self._attempt(index, repetition)

        workers = min(suite.concurrency, len(suite.cases) * suite.repetitions)
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
        return self.create_report()

    def create_report(self) -> EvalReport:
        """Return the report of what is done so far."""
        suite = self._suite
        by_case: dict[int, list[AttemptResult]] = {}
        for (index, _), result in sorted(self._results.items(), key=lambda item: item[0]):
            by_case.setdefault(index, []).append(result)
        report = EvalReport(
            suite=suite.name,
            seed=suite.seed,
            repetitions=suite.repetitions,
            gate=suite.gate,
            cases=tuple(
                CaseResult(case.name, case.input, case.tags, tuple(by_case.get(index, ())))
                for index, case in enumerate(suite.cases)
            ),
            complete=len(self._results) == len(suite.cases) * suite.repetitions,
        )
        return report if self._scrub is None else scrub_report(report, self._scrub)

    async def _attempt(self, index: int, repetition: int) -> None:
        suite = self._suite
        case = suite.cases[index]
        attempt = Attempt(case.name, repetition, derive_seed(suite.seed, case.name, repetition))
        observation = await self._observe(case, attempt)
        findings: tuple[Finding, ...] = ()
        expects_failure = any(isinstance(item, Fails) for item in case.expectations)
        if observation.error is None or expects_failure:
            findings = tuple([await _check(item, observation, case) for item in case.expectations])
        result = AttemptResult(case.name, repetition, attempt.seed, observation, findings)
        if self._scrub is not None:
            result = scrub_attempt(result, self._scrub)
        self._results[index, repetition] = result
        self._tell(result)

    async def _observe(self, case: EvalCase, attempt: Attempt) -> Observation:
        """Make an attempt, and return what was seen of it as plain data."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        timeout = self._suite.timeout
        try:
            # Of a copy, so that a target that changes its input does so for itself.
            work = self._target(replace(case), attempt)
            seen = await run_until(work, Deadline(loop, timeout))
            seen = _to_plain(seen)
        except DeadlineError:
            late = ObservedError("run_timeout", f"the attempt had not ended after {timeout:g} s")
            seen = Observation(error=late)
        except Exception as error:  # noqa: BLE001 - it must not cost the other attempts
            seen = Observation(error=ObservedError.from_exception(error))
        if seen.duration is None:
            seen = replace(seen, duration=loop.time() - start)
        return seen

    def _tell(self, result: AttemptResult) -> None:
        if self._on_progress is None:
            return
        total = len(self._suite.cases) * self._suite.repetitions
        try:
            self._on_progress(Progress(len(self._results), total, result))
        except Exception as error:  # noqa: BLE001 - who watches must not break what is watched
            asyncio.get_running_loop().call_exception_handler(
                {
                    "message": f"what watches the progress of suite {self._suite.name!r} failed",
                    "exception": error,
                }
            )


async def run_suite(
    suite: EvalSuite,
    target: Target,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    scrub: Scrub | None = None,
) -> EvalReport:
    """Make all attempts of a suite.

    Args:
        suite: The suite.
        target: What is tested: a coroutine function of a case and an attempt that returns what was seen.
        on_progress: Told of each attempt as it ends; quick, and a plain function.
        scrub: Takes the secrets out of every text of the report, such as `Grant.scrub`.

    Returns:
        The report. Its order does not depend on which attempt ended first. To have what was done after a cancellation, use
        `SuiteRun`.

    Raises:
        ConfigurationError: The target cannot be called.
    """
    return await SuiteRun(suite, target, on_progress=on_progress, scrub=scrub).execute()


async def _check(expectation: Expectation, observation: Observation, case: EvalCase) -> Finding:
    """Return what an expectation says; that it could not say anything, where it raises."""
    label = getattr(expectation, "label", None) or type(expectation).__name__
    try:
        score: Any = expectation.check(observation, case)
        if inspect.isawaitable(score):
            score = await score
        if not isinstance(score, Score):
            raise TypeError(f"it returned {type(score).__name__} in place of a Score")
    except Exception as error:  # noqa: BLE001 - one check that breaks must not cost the others
        told = error.message if isinstance(error, AgentFactoryError) else str(error)
        reason = f"the check failed with {type(error).__name__}: {told}"
        score = Score(0.0, False, reason, error=True)
    return Finding(label, float(score.value), score.passed, score.reason, score.usage, score.error)


def _to_plain(seen: Observation) -> Observation:
    """Return an observation whose answer and arguments are data that a report can hold."""
    given: object = seen
    if not isinstance(given, Observation):
        raise ConfigurationError(
            f"the target returned {type(given).__name__} in place of an Observation"
        )
    calls = seen.tool_calls
    if calls is not None:
        calls = tuple(
            replace(call, arguments=to_json_data(call.arguments, f"a call of {call.name!r}"))
            for call in calls
        )
    try:
        output = to_json_data(seen.output, "the output of the target")
    except ConfigurationError as error:
        return replace(
            seen, output=None, tool_calls=calls, error=ObservedError.from_exception(error)
        )
    return replace(seen, output=output, tool_calls=calls)
