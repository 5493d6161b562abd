"""`agent-factory doctor`: the environment is checked."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_factory.cli.commands.options import create_command

__all__ = ["create_app"]

_HELP = """Check the environment: versions, settings, folders, keys and models.

The exit code is 1 where something is wrong. Whether a key is there is told, and nothing else about it.

\b
Examples:
  agent-factory doctor
  agent-factory doctor --online
  agent-factory doctor --json | jq 'select(.status != "ok")'
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(doctor, _HELP)


def doctor(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the OpenAI-compatible server for its models too.")
    ] = False,
) -> int | None:
    """Check the environment."""
    import sys
    from dataclasses import asdict

    from agent_factory.cli.diagnosis import examine
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.startup import read_invocation
    from agent_factory.cli.text import clean

    invocation = read_invocation(context)
    marks = {"ok": ("✓", "32"), "warning": ("!", "33"), "failed": ("✗", "31")}
    failed = False
    for finding in examine(online=online):
        failed |= finding.status == "failed"
        if invocation.json:
            print_json({"type": "check", **asdict(finding)})
        elif not invocation.quiet or finding.status != "ok":
            mark, style = marks[finding.status]
            shown = invocation.emphasize(mark, style, sys.stdout)
            print_text(f"{shown} {finding.name}: {clean(finding.detail)}")
    return ExitCode.FAILED if failed else None
