"""`agent-factory completion`: a script that completes commands in a shell."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from agent_factory.cli.commands.options import create_command

__all__ = ["create_app"]

_HELP = """Print a script that completes commands, options and files in a shell.

\b
Examples:
  agent-factory completion bash > ~/.local/share/bash-completion/completions/agent-factory
  agent-factory completion zsh > ~/.zfunc/_agent-factory
  agent-factory completion fish > ~/.config/fish/completions/agent-factory.fish
  agent-factory completion powershell >> $PROFILE
"""

_PROGRAM = "agent-factory"


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(print_completion, _HELP)


def print_completion(
    context: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(help="The shell.", show_default=False),
    ],
) -> None:
    """Print a script."""
    # Typer has no other name for it.
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.startup import read_invocation

    variable = f"_{_PROGRAM.replace('-', '_').upper()}_COMPLETE"
    script = get_completion_script(prog_name=_PROGRAM, complete_var=variable, shell=shell)
    if read_invocation(context).json:
        print_json({"type": "completion", "shell": shell, "script": script})
    else:
        print_text(script)
