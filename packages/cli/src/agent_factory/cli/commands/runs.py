"""`agent-factory runs`: recorded runs are listed, shown and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_factory.cli.commands.options import create_group

if TYPE_CHECKING:
    from agent_factory.cli.invocation import Invocation
    from agent_factory.cli.runs.reading import RunSummary
    from agent_factory.cli.runs.store import RunStore

__all__ = ["create_app"]

_HELP = """List and show recorded runs.

Every run is written down while it happens, in files that only you can read. The setting
runs.keep.number says how many are kept, and runs.keep.days for how long.

\b
Examples:
  agent-factory runs list
  agent-factory runs show last
"""

_LIST_HELP = """List recorded runs, the latest first.

\b
Examples:
  agent-factory runs list --limit 5
  agent-factory runs list --json | jq 'select(.outcome == "failed")'
"""

_SHOW_HELP = """Show what happened in a run, with the time since its start.

\b
Examples:
  agent-factory runs show last
  agent-factory runs show 019abcde --full
  agent-factory runs show 019abcde --json | jq .type
"""

_DELETE_HELP = """Remove recorded runs.

\b
Examples:
  agent-factory runs delete 019abcde
  agent-factory runs delete --all
"""

_PRUNE_HELP = """Remove the runs that the settings say are not to be kept.

\b
Examples:
  agent-factory runs prune
"""

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The beginning of its identifier, or 'last'.", show_default=False
    ),
]


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_group(
        _HELP,
        {
            "list": (list_runs, _LIST_HELP),
            "show": (show_run, _SHOW_HELP),
            "delete": (delete_runs, _DELETE_HELP),
            "prune": (prune_runs, _PRUNE_HELP),
        },
    )


def list_runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many to list at most; 0 lists all.", min=0)] = 20,
) -> None:
    """List recorded runs."""
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.runs.store import shorten_ids
    from agent_factory.cli.text import format_table
    from agent_factory.core.prices import PRICES

    invocation, store = _open(context)
    ids = store.list_ids()
    short = shorten_ids(ids)
    rows = []
    for run_id in ids[: limit or None]:
        summary = _summarize(store, run_id, invocation)
        if summary is None:
            continue
        if invocation.json:
            print_json(summary.to_dict())
        else:
            rows.append(_create_row(short[run_id], summary, PRICES.currency))
    foreign = store.list_foreign()
    if foreign:
        shown = ", ".join(foreign[:5]) + (", …" if len(foreign) > 5 else "")
        invocation.note(f"{store.folder} has files that are no recorded runs: {shown}")
    if invocation.json:
        return
    if rows:
        heads = (
            "id",
            "started",
            "blueprint",
            "agent",
            "model",
            "outcome",
            "tokens",
            "cost",
            "took",
        )
        print_text(format_table(heads, rows))
    elif not ids:
        invocation.note(f"there are no recorded runs in {store.folder}")
    if limit and len(ids) > limit:
        invocation.note(f"{len(ids) - limit:,} earlier runs are not listed: --limit 0 lists all")


def show_run(
    context: typer.Context,
    run: RunArgument,
    full: Annotated[bool, typer.Option("--full", help="Show texts as a whole.")] = False,
) -> None:
    """Show what happened in a run."""
    from agent_factory.cli.exceptions import StoreError
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.runs.reading import read_lines, read_record
    from agent_factory.cli.runs.timeline import render_timeline
    from agent_factory.cli.text import clean
    from agent_factory.core.prices import PRICES

    invocation, store = _open(context)
    file = store.get_file(store.find(run))
    try:
        if invocation.json:
            for record in read_lines(file):
                print_json(record)
            return
        header, events = read_record(file)
        title = f"{header.blueprint} {header.version} ({header.file}), run {header.run_id}"
        print_text(clean(title).replace("\n", " "))
        ended = False
        for line in render_timeline(events, currency=PRICES.currency, full=full):
            print_text(line)
        summary = _summarize(store, header.run_id, invocation)
        ended = summary is not None and summary.outcome != "unfinished"
    except StoreError as error:
        raise StoreError(f"{file}: {error.message}") from error
    if not ended:
        invocation.note("the record breaks off here: the run goes on, or its process was killed")


def delete_runs(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="The beginnings of their identifiers, or 'last'.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all of them.")] = False,
) -> None:
    """Remove recorded runs."""
    from agent_factory.cli.exceptions import UsageError

    invocation, store = _open(context)
    if bool(runs) == everything:
        raise UsageError("name the runs to remove, or say --all to remove all of them")
    # Found first, so that a wrong one removes nothing.
    found = store.list_ids() if everything else [store.find(run) for run in runs or ()]
    _tell_removed(invocation, store.delete(found))


def prune_runs(context: typer.Context) -> None:
    """Remove the runs that are not to be kept."""
    from datetime import UTC, datetime

    invocation, store = _open(context)
    _tell_removed(invocation, store.delete(store.find_outdated(datetime.now(UTC))))


def _tell_removed(invocation: Invocation, number: int) -> None:
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.text import count

    if invocation.json:
        print_json({"type": "removed", "runs": number})
    elif not invocation.quiet:
        print_text(f"{count(number, 'recorded run')} removed")


def _open(context: typer.Context) -> tuple[Invocation, RunStore]:
    from agent_factory.cli.settings import read_settings
    from agent_factory.cli.startup import create_store, read_invocation

    loaded = read_settings()
    invocation = read_invocation(context)
    invocation.color = loaded.settings.color
    return invocation, create_store(loaded)


def _summarize(store: RunStore, run_id: str, invocation: Invocation) -> RunSummary | None:
    from agent_factory.cli.exceptions import StoreError
    from agent_factory.cli.runs.reading import summarize

    file = store.get_file(run_id)
    try:
        return summarize(file)
    except StoreError as error:
        invocation.note(f"{file.name} is damaged: {error.message}")
        return None


def _create_row(short: str, summary: RunSummary, currency: str) -> list[Any]:
    from agent_factory.cli.text import format_cost, format_seconds

    outcome: str = summary.outcome
    if summary.error:
        outcome = f"{outcome}: {summary.error}"
    return [
        short,
        f"{summary.started_at.astimezone():%Y-%m-%d %H:%M:%S}",
        f"{summary.header.blueprint} {summary.header.version}",
        summary.agent,
        summary.model,
        outcome,
        "-" if summary.tokens is None else f"{summary.tokens:,}",
        "-" if summary.tokens is None else format_cost(summary.cost, currency),
        format_seconds(summary.seconds),
    ]
