"""`agent-factory replay`: a run or a suite again, from what is on record."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_factory.cli.commands.eval import CassetteOption, SuiteOption, run_suites
from agent_factory.cli.commands.options import ApproveOption, BlueprintArgument, create_command

__all__ = ["create_app"]

_HELP = """Replay what was recorded with agent-factory record. No model and no outside tool is asked.

Without INPUT the suites of test cases are replayed, each from its own cassette. With INPUT one run is replayed from
--cassette. What is not on record ends it, and the nearest recording is shown.

\b
Examples:
  agent-factory replay blueprint.yaml
  agent-factory replay blueprint.yaml "What is new?" --cassette answer.json
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(replay, _HELP)


def replay(
    context: typer.Context,
    file: BlueprintArgument,
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help="What was asked; '-' reads standard input.", show_default=False
        ),
    ] = None,
    suite: SuiteOption = None,
    cassette: CassetteOption = None,
    approve: ApproveOption = None,
) -> None:
    """Replay answers."""
    from agent_factory.cli.evals import choose_suites
    from agent_factory.cli.exceptions import UsageError

    if prompt is None:
        loaded, names = choose_suites(file, suite or [])
        for name in names:
            if loaded.suites[name].section.cassette is None and cassette is None:
                raise UsageError(
                    f"the suite {name!r} has no cassette: add 'cassette' to it, or pass --cassette FILE"
                )
        run_suites(context, file, names, "replay", cassette=cassette)
        return
    if cassette is None:
        raise UsageError("where was the run recorded? pass --cassette FILE")
    if suite:
        raise UsageError("an INPUT and --suite do not go together: leave one out")
    from agent_factory.cli.playing import play

    play(context, file, prompt, cassette, recording=False, approve=approve)
