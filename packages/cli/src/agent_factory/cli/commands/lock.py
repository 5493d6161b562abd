"""`agent-factory lock`: what a blueprint is made of, by digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_factory.cli.commands.options import create_command

__all__ = ["create_app"]

_HELP = """Write the lock of blueprints: the digests of their prompts, tools, models, prices, permissions and dependencies.

The lock of FILE.yaml is FILE.lock beside it. It is the same on every machine; commit it with the blueprint. Packages
that declare tools are imported, and MCP servers are asked for their tools.

\b
Examples:
  agent-factory lock blueprint.yaml
  agent-factory lock --check blueprints/*/blueprint.yaml
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(lock, _HELP)


def lock(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="The blueprints.", show_default=False)
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where a lock would change.")
    ] = False,
) -> None:
    """Write the lock of blueprints."""
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.files import write_output
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.locks import collect_locked_parts, find_lock_file
    from agent_factory.cli.startup import start
    from agent_factory.cli.text import clean
    from agent_factory.core.blueprints import check_blueprint, load_blueprint
    from agent_factory.core.locks import create_lock, write_lock

    startup = start(context)
    invocation = startup.invocation
    adapters = startup.container.create_adapters()
    stale = False
    for file in files:
        loaded = load_blueprint(file)
        check_blueprint(loaded, adapters)
        made = create_lock(collect_locked_parts(loaded, adapters, installed=True, online=True))
        text = write_lock(made)
        path = find_lock_file(file)
        try:
            same = path.is_file() and path.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        stale |= not same
        if not same and not check:
            write_output(path, text)
        state = "unchanged" if same else "would change" if check else "written"
        if invocation.json:
            print_json({"type": "lock", "file": str(path), "digest": made.digest, "state": state})
        elif not invocation.quiet:
            print_text(clean(f"{path}: {state} ({made.digest})"))
    if check and stale:
        raise typer.Exit(int(ExitCode.CHECK))
