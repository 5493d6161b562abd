"""`agent-factory diff`: what two versions of a blueprint differ in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_factory.cli.commands.options import create_command

if TYPE_CHECKING:
    from agent_factory.core.locks import BlueprintDiff

__all__ = ["create_app"]

_HELP = """Compare two versions of a blueprint: prompts, tools, permissions, schemas, models and all the rest.

Says what the version of the later one has to be at least (Semantic Versioning), and whether it may touch something that
the earlier one could not. Exit code 4 where the version is not what the changes call for.

\b
Examples:
  agent-factory diff old/blueprint.yaml new/blueprint.yaml
  agent-factory diff --detail old.yaml new.yaml
  agent-factory diff --json old.yaml new.yaml | jq .required_bump
"""

_STYLES = {"major": "1;31", "minor": "33", "patch": "2"}


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(diff, _HELP)


def diff(
    context: typer.Context,
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="The earlier version.", show_default=False)
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The later version.", show_default=False)
    ],
    detail: Annotated[
        bool, typer.Option("--detail", help="Show changed texts line by line.")
    ] = False,
) -> None:
    """Compare two versions of a blueprint."""
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.invocation import print_json
    from agent_factory.cli.locks import collect_locked_parts
    from agent_factory.cli.startup import start
    from agent_factory.core.blueprints import check_blueprint, load_blueprint
    from agent_factory.core.locks import compare

    startup = start(context)
    adapters = startup.container.create_adapters()
    parts = []
    for file in (old, new):
        loaded = load_blueprint(file)
        check_blueprint(loaded, adapters)
        parts.append(collect_locked_parts(loaded, adapters, installed=False))
    found = compare(*parts)
    if startup.invocation.json:
        print_json({"type": "diff", **found.to_dict()})
    else:
        _show(found, detail=detail, context=context)
    if found.check_version() is not None:
        raise typer.Exit(int(ExitCode.CHECK))


def _show(found: BlueprintDiff, *, detail: bool, context: typer.Context) -> None:
    import sys

    from agent_factory.cli.invocation import print_text
    from agent_factory.cli.startup import read_invocation
    from agent_factory.cli.text import clean

    invocation = read_invocation(context)
    if not found.changes:
        print_text("There is no difference.")
    for change in found.changes:
        level = invocation.emphasize(f"{change.level:5}", _STYLES[change.level], sys.stdout)
        consent = " (asks for consent)" if change.asks_consent else ""
        print_text(f"{level} {clean(change.summary)}{consent}")
        if detail:
            for line in change.detail.splitlines():
                print_text(f"      {clean(line)}")
    problem = found.check_version()
    if found.required_bump is not None:
        print_text(
            clean(
                f"\n{found.old_version} -> {found.new_version}: the changes call for a {found.required_bump} version"
                + (f"; {problem}" if problem else ", and that is one")
            )
        )
    elif problem:
        print_text(clean(problem))
