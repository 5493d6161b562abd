"""`agent-factory graph`: a picture of a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agent_factory.cli.commands.options import BlueprintArgument, create_command

__all__ = ["create_app"]

_HELP = """Draw a blueprint: its workflow, or its agents with their tools and whom they hand over to.

\b
Examples:
  agent-factory graph blueprint.yaml
  agent-factory graph blueprint.yaml --format svg --output picture.svg
  agent-factory graph blueprint.yaml --name planner
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(graph, _HELP)


def graph(
    context: typer.Context,
    file: BlueprintArgument,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Agent or workflow to draw; what runs if left out.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Literal["mermaid", "svg"] | None,
        typer.Option(
            "--format", help="mermaid, or svg where the output ends so.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write; standard output if left out.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw a blueprint."""
    from agent_factory.cli.drawing import draw
    from agent_factory.cli.files import write_output
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.offline import create_offline_adapters
    from agent_factory.cli.startup import start
    from agent_factory.cli.text import clean

    startup = start(context)
    chosen = form or ("svg" if output is not None and output.suffix == ".svg" else "mermaid")
    text = draw(file, create_offline_adapters(startup.container.create_adapters()), name, chosen)
    if output is not None:
        write_output(output, text)
        if startup.invocation.json:
            print_json({"type": "graph", "format": chosen, "file": str(output)})
    elif startup.invocation.json:
        print_json({"type": "graph", "format": chosen, "text": text})
    else:
        print_text(clean(text.rstrip("\n")))
