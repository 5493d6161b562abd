"""`agent-factory models`: the models, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_factory.cli.commands.options import create_group

if TYPE_CHECKING:
    from agent_factory.cli.startup import Startup
    from agent_factory.core.prices import PriceTable

__all__ = ["create_app"]

_HELP = """List the models, and what they cost.

\b
Examples:
  agent-factory models list
"""

_LIST_HELP = """List the kinds of models, and the models whose price is known.

Prices are for a million tokens, those of the settings included. --online asks the OpenAI-compatible server for its
models.

\b
Examples:
  agent-factory models list
  agent-factory models list --online
  agent-factory models list --json | jq -r 'select(.type == "price") | .name'
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_group(_HELP, {"list": (list_models, _LIST_HELP)})


def list_models(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the server for its models.")
    ] = False,
) -> None:
    """List the models."""
    from agent_factory.cli.startup import start

    startup = start(context)
    table = startup.container.create_prices()
    server = _ask(startup) if online else None
    if startup.invocation.json:
        _print_records(table, server)
    else:
        _print_tables(table, server)


def _ask(startup: Startup) -> tuple[str, list[str]]:
    from agent_factory.cli.addresses import hide_user
    from agent_factory.core.waiting import run_blocking

    base_url, names = run_blocking(startup.container.list_models())
    return hide_user(base_url), names


def _print_records(table: PriceTable, server: tuple[str, list[str]] | None) -> None:
    from agent_factory.cli.invocation import print_json
    from agent_factory.cli.model_names import KINDS

    for name, summary in KINDS.items():
        print_json({"type": "kind", "name": name, "summary": summary})
    for name, price in table.prices.items():
        print_json(
            {
                "type": "price",
                "name": name,
                "input": price.input,
                "output": price.output,
                "cached_input": price.cached_input,
                "currency": table.currency,
                "unit": "millionths for a million tokens",
            }
        )
    if server is not None:
        for name in server[1]:
            print_json({"type": "model", "name": f"openai:{name}", "server": server[0]})


def _print_tables(table: PriceTable, server: tuple[str, list[str]] | None) -> None:
    from agent_factory.cli.invocation import print_text
    from agent_factory.cli.model_names import KINDS
    from agent_factory.cli.text import clean, format_table

    print_text(format_table(("kind", "what it is"), list(KINDS.items())))
    heads = ("model", "input", "output", "cached input")
    rows = [
        (name, *(_format(amount) for amount in (price.input, price.output, price.cached_input)))
        for name, price in table.prices.items()
    ]
    print_text(f"\n{table.currency} for a million tokens, as of {table.as_of.isoformat()}:\n")
    print_text(format_table(heads, rows))
    if server is not None:
        print_text(clean(f"\nModels of {server[0]}:\n"))
        for name in server[1]:
            print_text(clean(f"openai:{name}"))


def _format(amount: int) -> Any:
    whole, rest = divmod(amount, 1_000_000)
    return f"{whole:,}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')}"
