"""The JSON Schema of blueprints for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.reference_page import write_reference
from agent_factory.core.blueprints.wording import describe_bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["create_json_schema", "iterate_schemas", "write_reference"]

_ID = "urn:agent-factory:blueprint@1"

# The sections of which exactly one of some keys is given. Models check it after all else, so that their schema does not have it.
_ONE_OF: dict[str, tuple[str, ...]] = {
    "InstructionsSection": ("text", "prompt", "file"),
    "McpSection": ("command", "url"),
    "MemorySection": ("keep_last", "keep_window", "summarise"),
    "PromptSection": ("text", "file"),
    "SecretValue": ("secret", "text"),
    "ToolUseSection": ("use", "toolset", "agent", "blueprint"),
    "ToolsetSection": ("mcp", "openapi"),
}
_TOOL_SECTIONS = ("ToolSection", "ToolUseSection")

_SCHEMAS_BY_NAME = ("properties", "patternProperties", "definitions")
_SCHEMAS = ("items", "additionalProperties", "additionalItems", "propertyNames", "not")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "items")


def create_json_schema(tools: Iterable[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a blueprint for editors, which complete, explain and check by it.

    It is of draft 07, which the YAML extension of Visual Studio Code knows in full; of later drafts it does not. The schema
    is for help while writing: `parse_blueprint` decides what a blueprint is, and also refuses what no schema can say.

    Args:
        tools: Names of tools to offer under ``use``, such as the built-in ones.

    Returns:
        The schema as plain JSON-compatible data. The same arguments give the same schema, in the same order.
    """
    from agent_factory.core.blueprints.schema.blueprint import Blueprint

    made = Blueprint.model_json_schema(
        by_alias=True, mode="validation", ref_template="#/definitions/{model}"
    )
    definitions = made.pop("$defs", {})
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": _ID,
        **made,
        "definitions": definitions,
    }
    for inner in iterate_schemas(schema):
        _simplify(inner)
    # In a step of their own: what is said in Markdown comes from the finished schema.
    for inner in iterate_schemas(schema):
        _describe(inner)
    for name, keys in _ONE_OF.items():
        section = definitions.get(name)
        if section is not None and "oneOf" not in section:
            section["oneOf"] = [{"required": [key]} for key in keys]
    _offer_tools(schema, sorted(tools))
    return schema


def iterate_schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return a schema and all schemas in it.

    Args:
        schema: The schema. What is yielded may be changed, but for its inner schemas.
    """
    pending: list[Any] = [schema]
    while pending:
        current = pending.pop()
        if not isinstance(current, dict):
            continue
        yield current
        for keyword in _SCHEMAS_BY_NAME:
            pending += current.get(keyword, {}).values()
        pending += [current.get(keyword) for keyword in _SCHEMAS]
        for keyword in _SCHEMA_LISTS:
            inner = current.get(keyword)
            pending += inner if isinstance(inner, list) else []


def _simplify(schema: dict[str, Any]) -> None:
    """Take out what is of no use to an editor, and write what draft 07 writes in another way."""
    if isinstance(schema.get("title"), str):
        del schema["title"]
    # To leave a key out is the way to say nothing.
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    schema.pop("discriminator", None)
    choices = schema.get("anyOf")
    if choices is not None:
        kept = [choice for choice in choices if choice != {"type": "null"}]
        if len(kept) == 1:
            del schema["anyOf"]
            schema.update({**kept[0], **schema})
        else:
            schema["anyOf"] = kept
    if "prefixItems" in schema:
        schema["items"] = schema.pop("prefixItems")
        schema["additionalItems"] = False
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)


def _describe(schema: dict[str, Any]) -> None:
    description = schema.get("description")
    if not isinstance(description, str):
        return
    parts = [description]
    bounds = describe_bounds(schema)
    if bounds:
        parts.append(f"{bounds[0].upper()}{bounds[1:]}.")
    if schema.get("default") not in (None, "", [], {}):
        parts.append(f"Default: `{_write(schema['default'])}`.")
    if schema.get("examples"):
        parts.append(f"Example: `{_write(schema['examples'][0])}`.")
    schema["markdownDescription"] = "\n\n".join(parts)


def _write(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _offer_tools(schema: dict[str, Any], tools: list[str]) -> None:
    if not tools:
        return
    references = {f"#/definitions/{name}" for name in _TOOL_SECTIONS}
    for name in _TOOL_SECTIONS:
        use = schema["definitions"].get(name, {}).get("properties", {}).get("use")
        if use is not None:
            use["examples"] = tools
    for inner in iterate_schemas(schema):
        choices = inner.get("anyOf", ())
        if any(choice.get("$ref") in references for choice in choices):
            for choice in choices:
                if choice.get("type") == "string":
                    choice["examples"] = tools
