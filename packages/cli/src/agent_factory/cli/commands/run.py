"""`agent-factory run`: a blueprint is run once."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_factory.cli.commands.options import (
    ApproveOption,
    BlueprintArgument,
    LockedOption,
    ModelOption,
    NoRecordOption,
    create_command,
    find_people,
)

__all__ = ["create_app"]

_HELP = """Run the agent or the workflow of a blueprint once and print its answer.

The answer goes to standard output, progress and errors to standard error. What happens is recorded:
agent-factory runs shows it.

\b
Examples:
  agent-factory run blueprints/ask-docs.yaml "How do I add a package?"
  git diff | agent-factory run review.yaml --model openai:gpt-5.4-mini
  agent-factory run blueprints/ask-docs.yaml --json "What is a blueprint?" | jq .type
  agent-factory run research.yaml '{"topic": "lids"}'
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(run, _HELP)


def run(
    context: typer.Context,
    file: BlueprintArgument,
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT",
            help="What to ask, or the data that it works on as JSON; '-' or nothing reads standard input.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    approve: ApproveOption = None,
    no_record: NoRecordOption = False,
    locked: LockedOption = False,
) -> None:
    """Run a blueprint once."""
    # Imported here: `--help` should not pay for what it does not use.
    from agent_factory.cli.assembly import assemble
    from agent_factory.cli.inputs import read_input
    from agent_factory.cli.recording import record
    from agent_factory.cli.run import run_blueprint
    from agent_factory.cli.startup import start
    from agent_factory.cli.views import create_view
    from agent_factory.core.identifiers import create_run_id
    from agent_factory.core.options import RunOptions

    startup = start(context)
    container = startup.container
    prices = container.create_prices()
    view = create_view(startup.invocation, currency=prices.currency)
    approver, person = find_people(approve, reads_input=prompt in (None, "-"), view=view)
    text = read_input(prompt)
    if locked:
        from agent_factory.cli.locks import require_lock

        require_lock(file, container.create_adapters())
    blueprint = assemble(file, container, model=model, person=person)
    run_id = create_run_id()
    with record(startup, blueprint, run_id, wanted=not no_record) as observers:
        options = RunOptions(approver=approver, observers=observers, prices=prices, run_id=run_id)
        run_blueprint(blueprint, text, view=view, options=options, person=person)
