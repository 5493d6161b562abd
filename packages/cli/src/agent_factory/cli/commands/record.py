"""`agent-factory record`: what models and outside tools answer, on record."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_factory.cli.commands.eval import CassetteOption, SuiteOption, run_suites
from agent_factory.cli.commands.options import (
    ApproveOption,
    BlueprintArgument,
    ModelOption,
    create_command,
)

__all__ = ["create_app"]

_HELP = """Record what the models and the outside tools of a blueprint answer, to be replayed without them.

Without INPUT the suites of test cases are run, each into its own cassette. With INPUT one run is recorded into --cassette.
Secrets are replaced before anything is written.

\b
Examples:
  agent-factory record blueprint.yaml
  agent-factory record blueprint.yaml --suite smoke
  agent-factory record blueprint.yaml "What is new?" --cassette answer.json
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(record, _HELP)


def record(
    context: typer.Context,
    file: BlueprintArgument,
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help="What to ask; '-' reads standard input.", show_default=False
        ),
    ] = None,
    suite: SuiteOption = None,
    cassette: CassetteOption = None,
    model: ModelOption = None,
    approve: ApproveOption = None,
) -> None:
    """Record answers."""
    from agent_factory.cli.exceptions import UsageError

    if prompt is None:
        run_suites(context, file, suite or [], "record", model=model, cassette=cassette)
        return
    if cassette is None:
        raise UsageError("where is the run to be recorded? pass --cassette FILE")
    if suite:
        raise UsageError("an INPUT and --suite do not go together: leave one out")
    from agent_factory.cli.playing import play

    play(context, file, prompt, cassette, recording=True, model=model, approve=approve)
