"""The commands by name, each imported when it is asked for, and the options that all of them have."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agent_factory.cli.invocation import Invocation

__all__ = ["LazyCommands", "add_common_options"]

_SUMMARIES = {
    "init": "Make a new blueprint from a template.",
    "run": "Run a blueprint once and print its answer.",
    "chat": "Talk with the agent of a blueprint.",
    "validate": "Check blueprints, and tell everything that is wrong.",
    "lock": "Write the lock of blueprints.",
    "diff": "Compare two versions of a blueprint.",
    "eval": "Try a blueprint on its test cases.",
    "record": "Record what models and outside tools answer.",
    "replay": "Run again from what is on record.",
    "graph": "Draw a blueprint.",
    "runs": "List and show recorded runs.",
    "tools": "List and show the tools that blueprints can use.",
    "models": "List the models, and what they cost.",
    "config": "Show and change the settings.",
    "doctor": "Check the environment.",
    "completion": "Print a script that completes commands in a shell.",
}
"""The commands in the order of the help. The module of each is ``commands/NAME.py``: it has a ``create_app``."""


class LazyCommands(dict[str, Any]):
    """The commands by name. A command is imported when it is looked up, and not when the names are listed."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(_SUMMARIES))

    @staticmethod
    def summaries() -> dict[str, str]:
        """Return what each command does, in one line, by its name."""
        return dict(_SUMMARIES)

    def __getitem__(self, name: str) -> Any:
        """Return a command; its module is imported.

        Args:
            name: Its name.

        Raises:
            KeyError: There is none.
        """
        command = super().__getitem__(name)
        if command is None:
            app = import_module(f"agent_factory.cli.commands.{name}").create_app()
            command = typer.main.get_command(app)
            command.name = name
            _add_to_leaves(command)
            self[name] = command
        return command

    def get(self, name: str, default: Any = None) -> Any:
        """Return a command, or something else where there is none.

        Args:
            name: Its name.
            default: What to return where there is none.
        """
        # Not dict.get, which would return what stands for a command that is not imported yet.
        return self[name] if name in self else default  # noqa: SIM401

    def items(self) -> Any:
        """Return names and commands; all commands are imported."""
        return [(name, self[name]) for name in self]

    def values(self) -> Any:
        """Return the commands; all of them are imported."""
        return [self[name] for name in self]


def add_common_options(command: Any) -> None:
    """Give a command the options that all commands have.

    Args:
        command: The command, as Typer makes it.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(_common)
    command.params.extend(typer.main.get_command(app).params)


def _add_to_leaves(command: Any) -> None:
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _add_to_leaves(child)
    else:
        add_common_options(command)


def _set_json(ctx: typer.Context, value: bool) -> None:
    ctx.ensure_object(Invocation).json |= value


def _set_quiet(ctx: typer.Context, value: bool) -> None:
    ctx.ensure_object(Invocation).quiet |= value


def _set_no_color(ctx: typer.Context, value: bool) -> None:
    ctx.ensure_object(Invocation).no_color |= value


def _set_debug(ctx: typer.Context, value: bool) -> None:
    ctx.ensure_object(Invocation).debug |= value


def _common(
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object a line, errors included.",
            callback=_set_json,
            expose_value=False,
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Show no progress and no notes.",
            callback=_set_quiet,
            expose_value=False,
        ),
    ] = False,
    no_color: Annotated[
        bool,
        typer.Option(
            "--no-color", help="Use no colours.", callback=_set_no_color, expose_value=False
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show the traceback of a defect.",
            callback=_set_debug,
            expose_value=False,
        ),
    ] = False,
) -> None:
    del json, quiet, no_color, debug
