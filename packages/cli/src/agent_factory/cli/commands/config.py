"""`agent-factory config`: the settings are shown and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_factory.cli.commands.options import create_group

if TYPE_CHECKING:
    from agent_factory.cli.settings import LoadedSettings
    from agent_factory.cli.settings.loading import Origin

__all__ = ["create_app"]

_HELP = """Show and change the settings.

Settings come from environment variables, else from a file, which config path shows. Keys come from the
environment only.

\b
Examples:
  agent-factory config list
  agent-factory config set model openai:gpt-5.4-mini
"""

_LIST_HELP = """List every setting, its value, and where it comes from. Keys are never shown.

\b
Examples:
  agent-factory config list
  agent-factory config list --json
"""

_GET_HELP = """Print the value of a setting; the exit code is 1 where it has none.

\b
Examples:
  agent-factory config get model
"""

_SET_HELP = """Set a value in the settings file. Comments in it stay.

\b
Examples:
  agent-factory config set model openai:gpt-5.4-mini
  agent-factory config set openai.base_url http://127.0.0.1:8000/v1
  agent-factory config set prices.openai:qwen3 0.25/2.00/0.025
  agent-factory config set runs.keep.days 30

The price of a model is INPUT/OUTPUT or INPUT/OUTPUT/CACHED_INPUT, in US dollars for a million tokens.
"""

_UNSET_HELP = """Take a value out of the settings file.

\b
Examples:
  agent-factory config unset model
"""

_PATH_HELP = """Print the path of the settings file, whether there is one or not.

\b
Examples:
  agent-factory config path
"""

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="Name of the setting.", show_default=False)
]

_HIDDEN = "set, not shown"


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_group(
        _HELP,
        {
            "list": (list_settings, _LIST_HELP),
            "get": (get_setting, _GET_HELP),
            "set": (set_setting, _SET_HELP),
            "unset": (unset_setting, _UNSET_HELP),
            "path": (show_path, _PATH_HELP),
        },
    )


def list_settings(context: typer.Context) -> None:
    """List the settings."""
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.text import format_table

    invocation, loaded = _read(context)
    rows = _collect(loaded)
    if invocation.json:
        for key, value, origin in rows:
            print_json({"type": "setting", "key": key, "value": value, "origin": origin})
        return
    shown = [[key, "-" if value is None else str(value), origin] for key, value, origin in rows]
    print_text(format_table(("setting", "value", "from"), shown))


def get_setting(context: typer.Context, key: KeyArgument) -> int | None:
    """Print the value of a setting."""
    from agent_factory.cli.exit_codes import ExitCode
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.settings.editing import parse_key
    from agent_factory.cli.text import clean

    invocation, loaded = _read(context)
    name = key if key == "openai.api_key" else ".".join(parse_key(key))
    for found, value, origin in _collect(loaded):
        if found != name:
            continue
        if invocation.json:
            print_json({"type": "setting", "key": found, "value": value, "origin": origin})
        elif value is not None:
            print_text(clean(str(value)))
        return None if value is not None else ExitCode.FAILED
    return ExitCode.FAILED


def set_setting(
    context: typer.Context,
    key: KeyArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The value.", show_default=False)],
) -> None:
    """Set a value in the settings file."""
    import os

    from agent_factory.cli.places import find_config_file
    from agent_factory.cli.settings.editing import parse_key, set_value
    from agent_factory.cli.settings.tree import VARIABLES
    from agent_factory.cli.startup import read_invocation

    file = find_config_file()
    set_value(file, key, value)
    variable = VARIABLES.get(parse_key(key))
    if variable is not None and os.environ.get(variable):
        read_invocation(context).note(f"{variable} is set in the environment, and goes first")


def unset_setting(context: typer.Context, key: KeyArgument) -> None:
    """Take a value out of the settings file."""
    from agent_factory.cli.places import find_config_file
    from agent_factory.cli.settings.editing import unset_value
    from agent_factory.cli.startup import read_invocation

    file = find_config_file()
    if not unset_value(file, key):
        read_invocation(context).note(f"{key} is not set in {file}")


def show_path(context: typer.Context) -> None:
    """Print the path of the settings file."""
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.places import find_config_file
    from agent_factory.cli.startup import read_invocation
    from agent_factory.cli.text import clean

    file = find_config_file()
    if read_invocation(context).json:
        print_json({"type": "path", "path": str(file), "exists": file.exists()})
    else:
        print_text(clean(str(file)))


def _read(context: typer.Context) -> tuple[Any, LoadedSettings]:
    from agent_factory.cli.settings import read_settings
    from agent_factory.cli.startup import read_invocation

    loaded = read_settings()
    invocation = read_invocation(context)
    invocation.color = loaded.settings.color
    return invocation, loaded


def _collect(loaded: LoadedSettings) -> list[tuple[str, str | int | None, Origin]]:
    """Return every setting with its value and where it comes from, without what is secret."""
    from agent_factory.cli.addresses import hide_user

    settings = loaded.settings
    base_url = settings.openai.base_url
    values: dict[tuple[str, ...], str | int | None] = {
        ("model",): settings.model,
        ("color",): settings.color,
        ("openai", "api_key"): None if settings.openai.api_key is None else _HIDDEN,
        ("openai", "base_url"): None if base_url is None else hide_user(base_url),
        ("runs", "keep", "number"): settings.runs.keep.number,
        ("runs", "keep", "days"): settings.runs.keep.days,
    }
    for name, price in settings.prices.items():
        amounts = (price.input, price.output, price.cached_input)
        values["prices", name] = "/".join(text for text in amounts if text is not None)
    return [(".".join(path), value, loaded.find_origin(path)) for path, value in values.items()]
