"""The application: its options, and its commands, each imported when it is called."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from agent_factory.cli.ending import Interrupted, run_to_end
from agent_factory.cli.invocation import Invocation
from agent_factory.cli.loading import LazyCommands, add_common_options

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RootGroup", "create_app"]

_HELP = """Run AI agents from blueprints.

Every command has --help with examples.

\b
Exit codes:
  0    done
  1    it failed: a model, a tool, a limit
  2    wrong usage or settings
  3    the blueprint is wrong
  4    a check found differences, or an eval missed its gate
  70   a defect of the program
  130  interrupted with Ctrl-C
  143  ended with SIGTERM
"""


class RootGroup(TyperGroup):
    """All commands, and the one place where their errors become messages and exit codes."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()
        add_common_options(self)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with their summaries, without importing one.

        Args:
            ctx: The context.
            formatter: Takes the text.
        """
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(LazyCommands.summaries().items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command to its end, whatever happens.

        Args:
            args: The arguments; those of the process if None.
            prog_name: Name of the program in messages.
            complete_var: Name of the variable through which shells ask for completions.
            standalone_mode: Whether to end the process with the exit code.
            windows_expand_args: Whether to expand patterns where the shell does not.
            extra: Further attributes of the context.

        Returns:
            The exit code.
        """
        words = sys.argv[1:] if args is None else list(args)
        invocation = Invocation(json=_has(words, "--json"), debug=_has(words, "--debug"))
        if "_AGENT_FACTORY_COMPLETE" in os.environ:
            _prepare_completion()
        run = super().main

        def call() -> Any:
            return run(
                words,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                obj=invocation,
                **extra,
            )

        code = run_to_end(call, invocation)
        if standalone_mode:
            sys.exit(code)
        return code

    def invoke(self, ctx: Any) -> Any:
        """Call the command that the arguments name.

        Args:
            ctx: The context.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Typer would turn it into an exit code, and what a command was doing would go unsaid.
            raise Interrupted from None


def create_app() -> typer.Typer:
    """Return the application with all its commands, none of which is imported yet."""
    app = typer.Typer(
        name="agent-factory",
        cls=RootGroup,
        help=_HELP,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return app


def _prepare_completion() -> None:
    """Teach Typer the shells, which it does for an application that has its options for completion."""
    other = typer.Typer(add_completion=True)
    other.command()(lambda: None)
    typer.main.get_command(other)


def _has(words: Sequence[str], option: str) -> bool:
    """Tell whether an option is there, for errors in arguments that cannot be parsed."""
    end = words.index("--") if "--" in words else len(words)
    return option in words[:end]


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        typer.echo(f"agent-factory {version('afactory-cli')}")
    except PackageNotFoundError:
        typer.echo("agent-factory (from source, not installed)")
    raise typer.Exit(0)


def _root(
    ctx: typer.Context,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> int | None:
    del show_version
    if ctx.invoked_subcommand is not None:
        return None
    if ctx.ensure_object(Invocation).json:
        ctx.fail("no command was given: agent-factory --help lists them")
    typer.echo(ctx.get_help(), err=True)
    return 2
