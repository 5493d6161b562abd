"""`agent-factory tools`: the tools that blueprints can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_factory.cli.commands.options import create_group

if TYPE_CHECKING:
    from agent_factory.core.registry import ToolEntry

__all__ = ["create_app", "describe_options"]

_HELP = """List and show the tools that blueprints can use.

\b
Examples:
  agent-factory tools list
  agent-factory tools show read_file
"""

_LIST_HELP = """List the tools that come along, and those of installed packages, none of which is imported.

\b
Examples:
  agent-factory tools list
  agent-factory tools list --json | jq -r .name
"""

_SHOW_HELP = """Show the options of a tool and what a blueprint has to permit. A tool of a package is imported.

\b
Examples:
  agent-factory tools show read_file
  agent-factory tools show search_documents --json
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_group(_HELP, {"list": (list_tools, _LIST_HELP), "show": (show_tool, _SHOW_HELP)})


def list_tools(context: typer.Context) -> None:
    """List the tools."""
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.startup import start
    from agent_factory.cli.text import format_table

    startup = start(context)
    tools = startup.container.create_tools()
    rows = []
    for entry in tools:
        rows.append((entry.name, "built in", entry.summary))
    for found in tools.installed:
        package = f"{found.distribution} {found.version}".strip()
        rows.append((found.name, package, f"agent-factory tools show {found.name} says more"))
    if startup.invocation.json:
        for name, package, summary in rows:
            print_json({"type": "tool", "name": name, "from": package, "summary": summary})
    else:
        print_text(format_table(("tool", "from", "what it does"), rows))


def show_tool(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the tool.", show_default=False)
    ],
) -> None:
    """Show a tool."""
    from agent_factory.cli.exceptions import UsageError
    from agent_factory.cli.invocation import print_json, print_text
    from agent_factory.cli.startup import start
    from agent_factory.cli.text import clean, format_table
    from agent_factory.core.exceptions import ConfigurationError

    startup = start(context)
    try:
        entry = startup.container.create_tools().get(name)
    except ConfigurationError as error:
        raise UsageError(error.message) from error
    schema = entry.options.model_json_schema()
    needs = _list_needs(entry)
    if startup.invocation.json:
        print_json(
            {
                "type": "tool",
                "name": entry.name,
                "summary": entry.summary,
                "options": schema,
                "permissions": needs,
            }
        )
        return
    print_text(clean(f"{entry.name}: {entry.summary}\n"))
    options = describe_options(schema)
    if options:
        print_text(format_table(("option", "type", "default", "meaning"), options))
    else:
        print_text("It has no options.")
    print_text("\nA blueprint that uses it permits:")
    for need in needs:
        print_text(clean(f"  {need}"))


def describe_options(schema: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return a row for each option of a tool: its name, type, default, and meaning.

    Args:
        schema: The JSON Schema of the options.
    """
    import json

    required = schema.get("required", ())
    meanings = _read_meanings(str(schema.get("description", "")))
    rows = []
    for name, option in schema.get("properties", {}).items():
        if name in required:
            default = "required"
        else:
            value = option.get("default")
            default = "-" if value is None else json.dumps(value, ensure_ascii=False)
        meaning = str(option.get("description") or meanings.get(name, ""))
        rows.append((name, _describe_type(option, schema), default, meaning))
    return rows


def _read_meanings(docstring: str) -> dict[str, str]:
    """Return what the ``Attributes`` of a docstring in the Google style say, by name."""
    meanings: dict[str, str] = {}
    name, margin = "", 0
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip() or not indent:
            break
        head, colon, text = line.strip().partition(": ")
        if colon and head.isidentifier() and (not name or indent <= margin):
            name, margin = head, indent
            meanings[name] = text
        elif name:
            meanings[name] = f"{meanings[name]} {line.strip()}"
    return meanings


def _describe_type(option: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> str:
    if depth > 8:  # a type that contains itself
        return "any"
    reference = option.get("$ref")
    if isinstance(reference, str):
        target = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
        return _describe_type(target, schema, depth + 1)
    for several in ("anyOf", "oneOf"):
        if several in option:
            kinds = [_describe_type(item, schema, depth + 1) for item in option[several]]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in option:
        return ", ".join(str(item) for item in option["enum"])
    kind = str(option.get("type", "any"))
    if kind == "array":
        return f"list of {_describe_type(option.get('items', {}), schema, depth + 1)}"
    bounds = [
        f"{sign} {option[key]}"
        for key, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if key in option
    ]
    return f"{kind} {', '.join(bounds)}".strip()


def _list_needs(entry: ToolEntry[Any]) -> list[str]:
    """Return what is known to be needed; what depends on an option that has no default is named by it."""
    from pydantic import ValidationError

    needs = [f"tools: {entry.name}"]
    fields = entry.options.model_fields
    # Options that have to be given stand for themselves.
    options = {
        field.alias or name: f"<{field.alias or name}>"
        for name, field in fields.items()
        if field.is_required()
    }
    try:
        found = entry.needs(entry.options.model_validate(options))
    except (ValidationError, ValueError, TypeError):
        return [*needs, "and what its options name"]
    return [*needs, *(f"{_KEYS.get(need.kind, need.kind)}: {need.target}" for need in found)]


_KEYS = {"read": "files.read", "write": "files.write"}
