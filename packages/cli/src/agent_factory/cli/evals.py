"""Running the suites of blueprints."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent_factory.cli.cassettes import (
    assemble_recording,
    assemble_replaying,
    explain_cassette,
    finish_cassette,
    open_cassette,
)
from agent_factory.cli.denials import Denials
from agent_factory.cli.exceptions import CliError, OutputError, UsageError
from agent_factory.cli.spending import explain_spend
from agent_factory.cli.text import count
from agent_factory.core.blueprints import assemble, load_blueprint
from agent_factory.core.blueprints.evals import create_blueprint_suite, create_blueprint_target
from agent_factory.core.evals import ObservedError, SuiteRun
from agent_factory.core.events import RunFailed
from agent_factory.core.options import RunOptions
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.waiting import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.cli.container import Container
    from agent_factory.core.blueprints import Adapters, Assembly, BlueprintFile
    from agent_factory.core.evals import (
        Attempt,
        EvalCase,
        EvalReport,
        Observation,
        Progress,
        Target,
    )
    from agent_factory.core.events import RunEvent
    from agent_factory.core.exceptions import CoreError
    from agent_factory.core.permissions import Denial
    from agent_factory.core.prices import PriceTable
    from agent_factory.core.testing.cassettes import Cassette

__all__ = ["EvalMode", "SuiteOutcome", "choose_suites", "run_blueprint_suite"]

EvalMode = Literal["replay", "record", "live"]
"""Whether answers come from the cassette, are recorded, or come from the models and are forgotten."""

_FAILURES: ContextVar[list[CoreError]] = ContextVar("_FAILURES")
"""What the runs of the attempt at hand ended with."""


@dataclass(frozen=True, slots=True)
class SuiteOutcome:
    """What came of a suite.

    Attributes:
        report: The report.
        stopped: Whether a person stopped it before it was complete.
        problem: What is wrong with its cassette; None where all is well.
    """

    report: EvalReport
    stopped: bool = False
    problem: CliError | None = None


def choose_suites(file: Path, names: list[str]) -> tuple[BlueprintFile, list[str]]:
    """Read a blueprint, and return which of its suites are to be run.

    Args:
        file: The blueprint.
        names: The suites that are wanted; all if empty.

    Raises:
        BlueprintError: The blueprint is wrong.
        UsageError: It has no such suite, or none at all.
    """
    loaded = load_blueprint(file)
    if not loaded.suites:
        raise UsageError(f"{file} has no suites of test cases: add some under 'evals'")
    for name in names:
        if name not in loaded.suites:
            raise UsageError(
                f"{file} has no suite {name!r}: {describe_choices(name, loaded.suites)}"
            )
    return loaded, names or list(loaded.suites)


def run_blueprint_suite(
    file: Path,
    loaded: BlueprintFile,
    name: str,
    container: Container,
    *,
    mode: EvalMode,
    model: str | None = None,
    cassette: Path | None = None,
    repetitions: int | None = None,
    seed: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_denied: Callable[[Denial], None] | None = None,
) -> SuiteOutcome:
    """Run a suite.

    Args:
        file: The blueprint's file, for messages.
        loaded: The blueprint.
        name: Name of the suite.
        container: Makes what it needs.
        mode: Where answers come from.
        model: Name of the model to use in place of every model of the blueprint.
        cassette: The cassette; that of the suite if None.
        repetitions: How often each case is tried; as the suite says if None.
        seed: What the seeds of all attempts are derived from; as the suite says if None.
        on_progress: Told of each attempt as it ends.
        on_denied: Told of each refusal.

    Raises:
        UsageError: There is no cassette to replay or to record, or it is none.
        BlueprintError: The blueprint is wrong.
    """
    path = None if mode == "live" else cassette or _find_cassette(loaded, name)
    if path is None and mode != "live":
        raise UsageError(
            f"the suite {name!r} has no cassette: add 'cassette: cassettes/{name}.json' to it, or pass --cassette FILE"
        )
    again = f"agent-factory record {file} --suite {name}"
    if cassette is not None:
        again += f" --cassette {cassette}"
    adapters = container.create_adapters(model=model)
    tape = None if path is None else open_cassette(path, recording=mode == "record", again=again)
    denials = Denials()
    assembly = _assemble(loaded, adapters, tape, denials)
    prices = container.create_prices()
    suite = create_blueprint_suite(assembly, name, prices=prices)
    changes: dict[str, Any] = {}
    if repetitions is not None:
        changes["repetitions"] = repetitions
    if seed is not None:
        changes["seed"] = seed
    if tape is not None:
        # One after the other, so that equal requests get their answers in the order in which they were recorded.
        changes["concurrency"] = 1
    run = SuiteRun(
        replace(suite, **changes),
        _explain_errors(
            create_blueprint_target(
                assembly, name, RunOptions(prices=prices, observers=(_remember_failure,))
            ),
            assembly,
            prices,
            tape,
            again,
        ),
        on_progress=on_progress,
        scrub=lambda text: container.scrub(assembly.grant.scrub(text)),
    )

    async def execute() -> None:
        try:
            await run.execute()
        finally:
            await assembly.aclose()

    with denials.told_to(on_denied or (lambda _denial: None)):
        try:
            run_blocking(execute())
        except KeyboardInterrupt:
            return SuiteOutcome(run.create_report(), stopped=True)
    report = run.create_report()
    return SuiteOutcome(report, problem=None if tape is None else _finish(tape, report, again))


def _find_cassette(loaded: BlueprintFile, name: str) -> Path | None:
    own = loaded.suites[name].section.cassette
    return None if own is None else loaded.folder / own


def _finish(tape: Cassette, report: EvalReport, again: str) -> CliError | None:
    """End a cassette, and return what is wrong with it."""
    broken = sum(
        not attempt.passed and attempt.observation.error is not None
        for case in report.cases
        for attempt in case.attempts
    )
    if tape.recording and broken:
        # Failures that nobody expects are not worth a record, and less so in place of a good one.
        return OutputError(
            f"nothing was written to {tape.path}: {count(broken, 'run')} failed; look into that, then repeat {again}"
        )
    try:
        finish_cassette(tape, again)
    except CliError as error:
        return error
    return None


def _explain_errors(
    target: Target, assembly: Assembly, prices: PriceTable, tape: Cassette | None, again: str
) -> Target:
    """Return a target whose errors say what to do in the words of the command line."""

    async def run(case: EvalCase, attempt: Attempt) -> Observation:
        missed = 0 if tape is None else len(tape.misses)
        failures: list[CoreError] = []
        token = _FAILURES.set(failures)
        try:
            seen = await target(case, attempt)
        finally:
            _FAILURES.reset(token)
        if seen.error is None:
            return seen
        told: CliError | None = None
        if tape is not None and len(tape.misses) > missed:
            told = explain_cassette(tape.misses[missed], again, difference=False)
        elif failures and "budget_exceeded" in (seen.error.code, *seen.error.causes):
            told = explain_spend(failures[-1], assembly, prices)
        if told is None:
            return seen
        return replace(seen, error=ObservedError(told.code, told.message, seen.error.causes))

    return run


def _remember_failure(event: RunEvent[Any]) -> None:
    if isinstance(event, RunFailed):
        _FAILURES.get([]).append(event.error)


def _assemble(
    loaded: BlueprintFile, adapters: Adapters, tape: Cassette | None, denials: Denials
) -> Assembly:
    if tape is None:
        return assemble(loaded, adapters, on_denied=denials)
    if tape.recording:
        return assemble_recording(loaded, adapters, tape, denials)
    return assemble_replaying(loaded, adapters, tape, denials)
