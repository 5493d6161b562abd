"""`agent-factory eval`: the test cases of a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_factory.cli.commands.options import BlueprintArgument, ModelOption, create_command

if TYPE_CHECKING:
    from agent_factory.cli.evals import EvalMode
    from agent_factory.core.evals import EvalReport

__all__ = [
    "CassetteOption",
    "SuiteOption",
    "create_app",
    "run_suites",
]

_HELP = """Try a blueprint on its test cases, and say whether it reaches its gate.

A suite that names a cassette is answered from it, without a key or a server, the same each time. --live asks the models.
Exit code 4 where a suite fails or is flaky.

\b
Examples:
  agent-factory eval blueprint.yaml
  agent-factory eval blueprint.yaml --live --repetitions 5 --suite smoke
  agent-factory eval blueprint.yaml --junit report.xml --output report.json
"""

SuiteOption = Annotated[
    list[str] | None,
    typer.Option(
        "--suite",
        metavar="NAME",
        help="Suite to run, once or several times; all if left out.",
        show_default=False,
    ),
]
CassetteOption = Annotated[
    Path | None,
    typer.Option(
        "--cassette",
        metavar="FILE",
        help="Cassette to use in place of the suite's.",
        show_default=False,
    ),
]


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(evaluate, _HELP)


def evaluate(
    context: typer.Context,
    file: BlueprintArgument,
    suite: SuiteOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the models, also where there is a cassette.")
    ] = False,
    model: ModelOption = None,
    repetitions: Annotated[
        int | None,
        typer.Option(
            "--repetitions",
            "-n",
            min=1,
            max=100,
            help="How often each case is tried; asks the models.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            min=0,
            metavar="N",
            help="Number that the seeds of all attempts are derived from; asks the models.",
            show_default=False,
        ),
    ] = None,
    cassette: CassetteOption = None,
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit", metavar="FILE", help="Write a report as JUnit XML.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write a report as JSON.", show_default=False
        ),
    ] = None,
) -> None:
    """Try a blueprint on its test cases."""
    from agent_factory.cli.exceptions import UsageError

    live = live or any(item is not None for item in (model, repetitions, seed))
    if live and cassette is not None:
        raise UsageError(
            "--cassette answers in place of the models, and --live, --model, --repetitions and --seed ask them: "
            "leave one or the other out"
        )
    run_suites(
        context,
        file,
        suite or [],
        "live" if live else "replay",
        model=model,
        repetitions=repetitions,
        seed=seed,
        cassette=cassette,
        junit=junit,
        output=output,
    )


def run_suites(
    context: typer.Context,
    file: Path,
    names: list[str],
    mode: EvalMode,
    *,
    model: str | None = None,
    repetitions: int | None = None,
    seed: int | None = None,
    cassette: Path | None = None,
    junit: Path | None = None,
    output: Path | None = None,
) -> None:
    """Run suites of a blueprint and show what came of them.

    Args:
        context: Typer's context of the command.
        file: The blueprint.
        names: The suites; all if empty.
        mode: Where answers come from. A suite without a cassette is asked live in place of being replayed.
        model: Name of the model to use in place of every model of the blueprint.
        repetitions: How often each case is tried; as the suite says if None.
        seed: What the seeds of all attempts are derived from; as the suite says if None.
        cassette: The cassette in place of the suite's.
        junit: File to write a report to as JUnit XML.
        output: File to write a report to as JSON.

    Raises:
        Exit: A suite fails or is flaky, or its cassette is not as it should be.
        KeyboardInterrupt: A person stopped it; the reports have what was done.
        OutputError: A report cannot be written.
    """
    from agent_factory.cli.ending import show_error
    from agent_factory.cli.evals import choose_suites, run_blueprint_suite
    from agent_factory.cli.exceptions import UsageError, get_exit_code
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.files import check_output
    from agent_factory.cli.invocation import print_json
    from agent_factory.cli.reports import ProgressLine, show_report, write_reports
    from agent_factory.cli.startup import start

    startup = start(context)
    invocation, container = startup.invocation, startup.container
    loaded, chosen = choose_suites(file, names)
    if cassette is not None and len(chosen) > 1:
        raise UsageError(
            f"--cassette is for one suite, and {file} has {len(chosen)}: name one with --suite"
        )
    for name in chosen:
        if mode == "record" and cassette is None and loaded.suites[name].section.cassette is None:
            raise UsageError(
                f"the suite {name!r} has no cassette: add 'cassette: cassettes/{name}.json' to it, choose others with "
                "--suite, or pass --cassette FILE"
            )
    for path in (junit, output):
        if path is not None:
            check_output(path)
    currency = container.create_prices().currency
    reports: list[EvalReport] = []
    codes: list[int] = []
    try:
        for name in chosen:
            own = loaded.suites[name].section.cassette is not None or cassette is not None
            with ProgressLine(invocation, name) as progress:
                outcome = run_blueprint_suite(
                    file,
                    loaded,
                    name,
                    container,
                    mode="live" if mode == "replay" and not own else mode,
                    model=model,
                    cassette=cassette,
                    repetitions=repetitions,
                    seed=seed,
                    on_progress=progress,
                    on_denied=progress.show_denied,
                )
            reports.append(outcome.report)
            if invocation.json:
                print_json({"type": "eval", "file": str(file), **outcome.report.to_dict()})
            else:
                show_report(outcome.report, invocation, currency=currency)
            if outcome.stopped:
                raise KeyboardInterrupt
            if outcome.problem is not None:
                problem = outcome.problem
                show_error(problem.to_dict(), invocation, str(problem))
                codes.append(get_exit_code(problem))
            elif outcome.report.verdict != "pass":
                codes.append(ExitCode.CHECK)
    finally:
        # Also where the next suite could not begin, or a person stopped it: what was done is not lost.
        if reports:
            write_reports(reports, junit=junit, output=output)
    if codes:
        raise typer.Exit(int(min(codes)))
