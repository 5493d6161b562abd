"""Checks tools and formats of a request as OpenAI does: names, and schemas that are said to be strict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.models import OutputSchema, ToolSpec
from agent_factory.integrations.testing.fields import Fields, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_tool_choice", "read_output", "read_tool"]

_PATTERN: Final = "^[a-zA-Z0-9_-]+$"
_NAME: Final = re.compile(_PATTERN)
_LONGEST: Final = 64


def read_tool(function: Fields) -> ToolSpec:
    """Return a function tool.

    Args:
        function: The object with its name and its parameters.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    name = _read_name(function)
    schema = function.value.get("parameters") or {"type": "object", "properties": {}}
    path = function.path("parameters")
    Fields(schema, path)
    start = f"Invalid schema for function '{name}': "
    _check_schema(schema, start, path, "invalid_function_parameters", function.flag("strict"))
    description = function.value.get("description") or ""
    return ToolSpec(name, str(description), schema)


def read_output(shape: Fields, code: str | None, param: str) -> OutputSchema:
    """Return the shape of an answer.

    Args:
        shape: The object with its name and its schema.
        code: Code of the error for a bad schema.
        param: The field that such an error names.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    name = _read_name(shape)
    schema = shape.inner("schema").value
    start = f"Invalid schema for response_format '{name}': "
    _check_schema(schema, start, param, code, shape.flag("strict"))
    return OutputSchema(name, schema)


def check_tool_choice(body: Fields, tools: int, names: set[str]) -> None:
    """Refuse a choice of a tool that was not offered.

    Args:
        body: The request.
        tools: How many tools were offered.
        names: The names of those that are functions.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    choice = body.value.get("tool_choice")
    if choice is None:
        return
    if not tools and choice not in ("none", "auto"):
        refuse(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            "tool_choice",
        )
    if isinstance(choice, str):
        body.choice("tool_choice", ("none", "auto", "required"))
        return
    wanted = Fields(choice, "tool_choice")
    if wanted.value.get("type") == "function":
        holder = wanted.inner("function") if "function" in wanted.value else wanted
        name = holder.text("name")
        if name not in names:
            refuse(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")


def _read_name(fields: Fields) -> str:
    name, path = fields.text("name"), fields.path("name")
    if not name:
        refuse(
            f"Invalid '{path}': empty string. Expected a string with minimum length 1, but got an empty string "
            "instead.",
            path,
            "empty_string",
        )
    if len(name) > _LONGEST:
        refuse(
            f"Invalid '{path}': string too long. Expected a string with maximum length {_LONGEST}, but got a "
            f"string with length {len(name)} instead.",
            path,
            "string_above_max_length",
        )
    if not _NAME.fullmatch(name):
        refuse(
            f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
            f"'{_PATTERN}'.",
            path,
            "invalid_value",
        )
    return name


def _check_schema(
    schema: dict[str, Any], start: str, param: str, code: str | None, strict: bool
) -> None:
    kind = schema.get("type")
    if kind != "object":
        refuse(
            f"{start}schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'.",
            param,
            code,
        )
    if strict:
        for problem in _find_loose(schema, ()):
            refuse(f"{start}{problem}", param, code)


def _find_loose(schema: object, context: tuple[str, ...]) -> Iterator[str]:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _find_loose(item, (*context, str(index)))
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            yield (
                f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
            )
        required = schema.get("required") or []
        for name in properties or {}:
            if name not in required:
                yield (
                    f"In context={context}, 'required' is required to be supplied and to be an array including "
                    f"every key in properties. Missing '{name}'."
                )
    for key in ("properties", "$defs", "definitions"):
        for name, value in (schema.get(key) or {}).items():
            yield from _find_loose(value, (*context, key, name))
    for key in ("items", "anyOf", "allOf"):
        yield from _find_loose(schema.get(key), (*context, key))
