"""`agent-factory validate`: everything that is wrong with blueprints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_factory.cli.commands.options import create_command

if TYPE_CHECKING:
    from agent_factory.cli.startup import Startup

__all__ = ["create_app"]

_HELP = """Check blueprints, and tell everything that is wrong with them.

Nothing is run, nobody is called, and no package is imported. With --locked the lock beside a blueprint has to agree with it;
--online asks the servers of its toolsets too.

\b
Examples:
  agent-factory validate blueprint.yaml
  agent-factory validate --locked blueprints/*/blueprint.yaml
  agent-factory validate --json blueprint.yaml | jq .problems
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(validate, _HELP)


def validate(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="The blueprints.", show_default=False)
    ],
    locked: Annotated[
        bool,
        typer.Option("--locked", help="Fail where the lock does not agree with the blueprint."),
    ] = False,
    online: Annotated[
        bool,
        typer.Option(
            "--online", help="With --locked, compare the tools of MCP servers and of packages too."
        ),
    ] = False,
) -> None:
    """Check blueprints."""
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.startup import start

    startup = start(context)
    codes = [_check(startup, file, locked=locked or online, online=online) for file in files]
    worst = next(
        (code for code in (ExitCode.BLUEPRINT, ExitCode.CHECK) if code in codes), ExitCode.OK
    )
    if worst is not ExitCode.OK:
        raise typer.Exit(int(worst))


def _check(startup: Startup, file: Path, *, locked: bool, online: bool) -> int:
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.locks import find_drifts
    from agent_factory.cli.text import clean, count
    from agent_factory.core.blueprints import check_blueprint, load_blueprint
    from agent_factory.core.exceptions import BlueprintError

    invocation = startup.invocation
    adapters = startup.container.create_adapters()
    record: dict[str, object] = {"type": "validation", "file": str(file), "problems": []}
    try:
        loaded = load_blueprint(file)
        check_blueprint(loaded, adapters)
        drifts = find_drifts(file, adapters, installed=online, online=online) if locked else ()
    except BlueprintError as error:
        if invocation.json:
            record["problems"] = [problem.to_dict() for problem in error.problems]
            print_json({**record, "ok": False})
        else:
            import sys

            head = invocation.emphasize("error:", "1;31", sys.stderr)
            print_text(f"{head} {_clean_lines(str(error))}", sys.stderr)
        return ExitCode.BLUEPRINT
    if invocation.json:
        drifted = [drift.to_dict() for drift in drifts]
        print_json({**record, "ok": not drifts, "locked": locked, "drifts": drifted})
    elif drifts:
        import sys

        print_text(
            clean(f"{file} is not as its lock says: {count(len(drifts), 'difference')}"), sys.stderr
        )
        for drift in drifts:
            print_text(clean(f"  {drift.message}"), sys.stderr)
        print_text(
            clean(f"If that is meant, write the lock again: agent-factory lock {file}"), sys.stderr
        )
    elif not invocation.quiet:
        said = "is valid, and as its lock says" if locked else "is valid"
        blueprint = loaded.blueprint
        print_text(clean(f"{file}: {blueprint.name} {blueprint.version} {said}"))
    return ExitCode.CHECK if drifts else ExitCode.OK


def _clean_lines(text: str) -> str:
    from agent_factory.cli.text import clean

    return "\n".join(clean(line) for line in text.split("\n"))
