"""Recording the runs of a command, so that it goes on where nothing can be recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import CliError
from agent_factory.cli.runs.records import RecordHeader
from agent_factory.cli.startup import create_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.cli.assembly import AssembledBlueprint
    from agent_factory.cli.startup import Startup
    from agent_factory.core.options import Observer

__all__ = ["record"]


@contextmanager
def record(
    startup: Startup,
    blueprint: AssembledBlueprint,
    run_id: str,
    *,
    wanted: bool = True,
    session: str = "",
) -> Iterator[tuple[Observer, ...]]:
    """Record what is observed within the block, then remove what is not to be kept any more.

    Args:
        startup: What the command began with.
        blueprint: What runs.
        run_id: Identifier of the run.
        wanted: Whether to record at all.
        session: Identifier of the conversation that the run is a part of.

    Yields:
        The observers for the options of the run; none where nothing is recorded.
    """
    invocation, container = startup.invocation, startup.container
    store = None
    try:
        store = create_store(startup.loaded)
    except CliError as error:
        invocation.note(f"the run is not recorded: {error.message}")
    if not wanted or store is None or not store.records:
        yield ()
        return
    header = RecordHeader(
        run_id, blueprint.name, blueprint.version, blueprint.digest, blueprint.file, session
    )
    recorder = store.create_recorder(header, lambda text: container.scrub(blueprint.scrub(text)))
    try:
        with recorder, blueprint.denials.told_to(recorder.observe_denial):
            yield (recorder.observe,)
    finally:
        if recorder.failure is not None:
            invocation.note(f"the run is not recorded, or not to its end: {recorder.failure}")
        try:
            store.prune()
        except CliError as error:
            invocation.note(error.message)
