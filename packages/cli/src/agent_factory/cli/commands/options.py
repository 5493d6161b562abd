"""What commands that run a blueprint have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.cli.views import View
    from agent_factory.core.approvals import Approver
    from agent_factory.core.workflows.people import Person

__all__ = [
    "ApproveOption",
    "BlueprintArgument",
    "LockedOption",
    "ModelOption",
    "NoRecordOption",
    "create_approver",
    "create_command",
    "create_group",
    "find_people",
]

BlueprintArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The blueprint.", show_default=False)
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Model to use instead of the blueprint's: extractive, local[:FILE], openai[:NAME].",
        show_default=False,
    ),
]
LockedOption = Annotated[
    bool,
    typer.Option("--locked", help="Refuse a blueprint that is not as the lock beside it says."),
]
ApproveOption = Annotated[
    Literal["ask", "never"] | None,
    typer.Option(
        "--approve",
        help="Whether to ask about tool calls that need approval, or to deny them; asks at a terminal.",
        show_default=False,
    ),
]
NoRecordOption = Annotated[
    bool, typer.Option("--no-record", help="Do not write down what happens in the run.")
]


def create_approver(choice: str | None, *, reads_input: bool, view: View) -> Approver:
    """Return who decides about tool calls that need approval, as `find_people` does.

    Args:
        choice: ``ask``, ``never``, or None to ask where somebody is there.
        reads_input: Whether the command reads standard input for something else.
        view: What is shown meanwhile.

    Raises:
        UsageError: Somebody is to be asked, and nobody is there.
    """
    return find_people(choice, reads_input=reads_input, view=view)[0]


def find_people(
    choice: str | None, *, reads_input: bool, view: View
) -> tuple[Approver, Person | None]:
    """Return who decides about tool calls that need approval, and who answers questions.

    Args:
        choice: ``ask``, ``never``, or None to ask about calls where somebody is there.
        reads_input: Whether the command reads standard input for something else.
        view: What is shown meanwhile.

    Returns:
        The approver, and the person at the terminal; None where there is none.

    Raises:
        UsageError: Somebody is to be asked, and nobody is there.
    """
    from agent_factory.cli.approvals import DenyingApprover, TerminalApprover
    from agent_factory.cli.exceptions import UsageError
    from agent_factory.cli.people import TerminalPerson
    from agent_factory.cli.terminal import Terminal, is_interactive

    if not is_interactive() or reads_input:
        if choice == "ask":
            raise UsageError(
                "--approve ask needs a terminal for standard input and standard error, and an input that is not "
                "read from there"
            )
        return (
            DenyingApprover("it needs a person's approval, and there is no terminal to ask at"),
            None,
        )
    # One terminal, so that one question is put at a time.
    terminal = Terminal(view.pause)
    person = TerminalPerson(terminal)
    if choice == "never":
        return DenyingApprover("--approve never denies every call that needs approval"), person
    return TerminalApprover(terminal), person


def create_command(function: Callable[..., Any], help_text: str) -> typer.Typer:
    """Return the application of a command without subcommands.

    Args:
        function: The command.
        help_text: Its help.
    """
    app = _create_app()
    app.command(help=help_text)(function)
    return app


def create_group(
    help_text: str, commands: dict[str, tuple[Callable[..., Any], str]]
) -> typer.Typer:
    """Return the application of a command with subcommands.

    Args:
        help_text: Its help.
        commands: The subcommands by name, each with its help.
    """
    app = _create_app()
    app.callback(help=help_text)(_do_nothing)
    for name, (function, text) in commands.items():
        app.command(name, help=text)(function)
    return app


def _create_app() -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _do_nothing() -> None:
    """Leave it to the subcommands."""
