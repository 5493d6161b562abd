"""`agent-factory init`: a new blueprint from a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_factory.cli.commands.options import create_command

__all__ = ["create_app"]

_HELP = """Make a new blueprint from a template: a folder with the blueprint, its files, its test cases, and its lock.

Nothing that is there already is overwritten.

\b
Examples:
  agent-factory init my-agent
  agent-factory init my-agent --template extract
  agent-factory init --list
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(init, _HELP)


def init(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="The folder to make; its name becomes the name of the blueprint.",
            show_default=False,
        ),
    ] = None,
    template: Annotated[
        str, typer.Option("--template", "-t", metavar="NAME", help="What to begin with.")
    ] = "docs",
    show_list: Annotated[bool, typer.Option("--list", help="List the templates.")] = False,
) -> None:
    """Make a new blueprint."""
    from agent_factory.cli.exceptions import UsageError
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.startup import start
    from agent_factory.cli.templates import create_from_template, list_templates
    from agent_factory.cli.text import clean, format_table

    startup = start(context)
    if show_list:
        for item in list_templates():
            if startup.invocation.json:
                print_json({"type": "template", "name": item.name, "summary": item.summary})
        if not startup.invocation.json:
            rows = [(item.name, item.summary) for item in list_templates()]
            print_text(format_table(("template", "what it is"), rows))
        return
    if folder is None:
        raise UsageError(
            "which folder is to be made? pass its name, such as: agent-factory init my-agent"
        )
    made = create_from_template(folder, template, startup.container.create_adapters())
    if startup.invocation.json:
        files = [str(path) for path in made.files]
        print_json({"type": "init", "template": template, "folder": str(folder), "files": files})
        return
    for path in made.files:
        print_text(clean(f"made {path}"))
    if not startup.invocation.quiet:
        print_text(clean(f"\nWhat to do next:\n{made.next_steps}"))
