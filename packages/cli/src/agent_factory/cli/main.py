"""The commands."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agent_factory.cli.exceptions import ExitCode, UsageError, get_exit_code
from agent_factory.core import AgentFactoryError

__all__ = ["create_app", "main"]

_HELP = """Run AI agents from blueprints.

Exit codes: 0 done; 1 the run failed; 2 wrong usage or settings; 3 the blueprint is wrong; 130 interrupted.
"""

_RUN_HELP = """Run the agent of a blueprint once and print its answer.

The answer goes to standard output, progress and errors to standard error.

Examples:

  agent-factory run blueprints/ask-docs.yaml "How do I add a package?"

  git diff | agent-factory run review.yaml --model openai:gpt-5.4-mini

  agent-factory run blueprints/ask-docs.yaml --json "What is a blueprint?" | jq .type
"""


def create_app() -> typer.Typer:
    """Return the command-line application with all its commands."""
    app = typer.Typer(
        name="agent-factory",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    app.command("run", help=_RUN_HELP)(_run)
    return app


def main() -> None:
    """Run the command line; the process ends with one of `ExitCode`."""
    create_app()(prog_name="agent-factory")


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"agent-factory {version('afactory-cli')}")
    except PackageNotFoundError:
        typer.echo("agent-factory (from source, not installed)")
    raise typer.Exit(ExitCode.OK)


def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    del show_version


def _run(
    file: Annotated[Path, typer.Argument(help="The blueprint.", show_default=False)],
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="What to ask the agent; '-' or nothing reads standard input.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model to use instead of the blueprint's: extractive, local[:FILE], openai[:NAME].",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print every event as a line of JSON.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    # Imported here: `--help` and `--version` should not pay for what they do not use.
    from agent_factory.cli.container import create_container
    from agent_factory.cli.run import run_blueprint
    from agent_factory.cli.settings import load_settings
    from agent_factory.cli.views import JsonView, TerminalView, View

    view: View = JsonView() if json else TerminalView(quiet=quiet)
    try:
        container = create_container(load_settings())
        run_blueprint(
            file,
            _read_prompt(prompt),
            tools=container.tools,
            create_model=container.create_model,
            view=view,
            model=model,
        )
    except AgentFactoryError as error:
        view.show_error(error)
        _exit(get_exit_code(error))
    except KeyboardInterrupt:
        view.show_interrupted()
        _exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _exit(ExitCode.FAILED)


def _read_prompt(prompt: str | None) -> str:
    if prompt is None and sys.stdin.isatty():
        raise UsageError(
            'there is no input: give it as the last argument, as in run FILE "a question"'
        )
    if prompt in (None, "-"):
        try:
            prompt = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"standard input is not UTF-8 at byte {error.start}: convert it first"
            ) from None
    if not prompt or not prompt.strip():
        raise UsageError("the input is empty: give the agent something to answer")
    return prompt


def _exit(code: ExitCode) -> NoReturn:
    raise typer.Exit(int(code)) from None
