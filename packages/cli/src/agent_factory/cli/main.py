"""The entry point of the command line. What commands need is imported when they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

__all__ = ["create_app", "main"]


def create_app() -> typer.Typer:
    """Return the command-line application with all its commands, none of which is imported yet."""
    from agent_factory.cli.app import create_app

    return create_app()


def main() -> None:
    """Run the command line; the process ends with one of `ExitCode`."""
    import os
    import sys
    from pathlib import Path

    # Where the caller has closed them, there is nothing to read and nobody to tell.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    try:
        from agent_factory.cli.signals import Termination

        Termination.watch()
        import typer.main

        command = typer.main.get_command(create_app())
        code = command.main(prog_name="agent-factory", standalone_mode=False)
        Termination.ignore_further()
    except KeyboardInterrupt:
        # It came before there was a command, or after its end.
        sys.stderr.write("interrupted\n")
        code = 130
    sys.exit(code)
