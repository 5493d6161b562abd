"""One run of a blueprint with a cassette: recorded, or played again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.cli.assembly import describe
from agent_factory.cli.cassettes import (
    assemble_recording,
    assemble_replaying,
    explain_cassette,
    finish_cassette,
    open_cassette,
)
from agent_factory.cli.commands.options import find_people
from agent_factory.cli.denials import Denials
from agent_factory.cli.inputs import read_input
from agent_factory.cli.run import run_blueprint
from agent_factory.cli.startup import start
from agent_factory.cli.views import create_view
from agent_factory.core.blueprints import load_blueprint
from agent_factory.core.exceptions import CoreError
from agent_factory.core.options import RunOptions
from agent_factory.core.testing.cassettes import CassetteError

if TYPE_CHECKING:
    from pathlib import Path

    import typer

__all__ = ["play"]


def play(
    context: typer.Context,
    file: Path,
    prompt: str,
    cassette: Path,
    *,
    recording: bool,
    model: str | None = None,
    approve: str | None = None,
) -> None:
    """Run a blueprint once with a cassette.

    Args:
        context: Typer's context of the command.
        file: The blueprint.
        prompt: What to ask; ``-`` reads standard input.
        cassette: The cassette.
        recording: Whether to record; else to replay.
        model: Name of the model to use in place of every model of the blueprint.
        approve: ``ask``, ``never``, or None to ask where somebody is there.

    Raises:
        BlueprintError: The blueprint is wrong.
        UsageError: There is nothing to replay, or no input.
        ReplayError: Something was asked that is not on record, or something on record was not asked.
        OutputError: The cassette cannot be written.
        CoreError: The run failed.
    """
    startup = start(context)
    container = startup.container
    prices = container.create_prices()
    view = create_view(startup.invocation, currency=prices.currency)
    approver, person = find_people(approve, reads_input=prompt == "-", view=view)
    text = read_input(prompt)
    loaded = load_blueprint(file)
    adapters = container.create_adapters(model=model, person=person)
    again = f"agent-factory record {file} INPUT --cassette {cassette}"
    tape = open_cassette(cassette, recording=recording, again=again)
    put_together = assemble_recording if recording else assemble_replaying
    denials = Denials()
    blueprint = describe(file, loaded, put_together(loaded, adapters, tape, denials), denials)
    options = RunOptions(approver=approver, prices=prices)
    try:
        run_blueprint(blueprint, text, view=view, options=options, person=person)
    except CoreError as error:
        # The error of a workflow says which step failed, and not that anybody should record again.
        if tape.misses:
            raise explain_cassette(tape.misses[0], again) from error
        if isinstance(error, CassetteError):
            raise explain_cassette(error, again) from error
        raise
    finish_cassette(tape, again)
    if recording:
        startup.invocation.note(f"recorded in {cassette}")
