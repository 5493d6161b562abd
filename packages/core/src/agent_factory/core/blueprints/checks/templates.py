"""Checks of the references in prompts: what they name is there once there is an input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place

__all__ = ["check_instructions", "check_template", "find_missing", "list_inputs"]

_REFERENCE = re.compile(r"\{\{\s{0,9}(?:input|steps)(?:\.[\w.-]{1,100})?\s{0,9}\}\}", re.ASCII)
# What makes it hard to tell which keys a value may have.
_OPEN = (
    "$dynamicRef",
    "$ref",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "if",
    "oneOf",
    "patternProperties",
    "unevaluatedProperties",
)
_PLAIN = ("string", "number", "integer", "boolean", "null")


def check_template(context: CheckContext, text: str, place: Place) -> None:
    """Find what is wrong with the references in the prompt of an agent.

    Args:
        context: The blueprint, and what was found in it.
        text: The prompt.
        place: Where it is.
    """
    from agent_factory.core.blueprints.references import Template

    try:
        template = Template.parse(text)
    except ConfigurationError as error:
        context.say(place, error.message)
        return
    for reference in template.references:
        if reference.parts[0] != "input":
            context.say(
                place,
                f"{reference} means nothing here: a prompt can refer to {{{{input}}}} and its fields",
            )
        elif missing := find_missing(context.blueprint.inputs, reference.parts[1:]):
            context.say(place, f"{reference}: {missing}")


def check_instructions(context: CheckContext, text: str, place: Place) -> None:
    """Find references in instructions, which take none.

    Args:
        context: The blueprint, and what was found in it.
        text: The instructions, as they stand in the blueprint itself.
        place: Where they are.
    """
    if found := _REFERENCE.search(text):
        context.say(
            place,
            f"{found[0]} stays as it is in instructions, since they take no references: put it into 'prompt', or the text "
            "into a file if it is meant so",
        )


def find_missing(inputs: Mapping[str, Any] | None, parts: Sequence[str]) -> str | None:
    """Return why an input has no such value; None where it may have one.

    Args:
        inputs: JSON Schema of the input; the input is a text if None.
        parts: The names and positions that lead to the value.
    """
    if inputs is None:
        if not parts:
            return None
        return f"the input is a text, which has no {parts[0]!r}: write '{{{{input}}}}', or describe the input under 'inputs'"
    schema: Any = inputs
    place = "input"
    for part in parts:
        if not isinstance(schema, dict) or any(key in schema for key in _OPEN):
            return None
        properties, kind = schema.get("properties"), schema.get("type")
        if kind in _PLAIN:
            return f"{place!r} is of type {kind!r}, which has no {part!r}"
        if kind == "array" and not part.isdigit():
            return f"{place!r} is a list: name a position such as '{place}.0', not {part!r}"
        if part.isdigit() and kind == "array":
            schema = schema.get("items")
        elif not isinstance(properties, dict):
            return None
        elif part in properties:
            schema = properties[part]
        elif schema.get("additionalProperties", False) is not False:
            return None
        else:
            return f"{place!r} has no {part!r}: {describe_choices(part, properties)}"
        place = f"{place}.{part}"
    return None


def list_inputs(inputs: Mapping[str, Any] | None) -> list[str] | None:
    """Return the names that an input has; None where it may have any.

    Args:
        inputs: JSON Schema of the input; the input is a text if None.
    """
    if inputs is None:
        return []
    properties = inputs.get("properties")
    if not isinstance(properties, dict) or any(key in inputs for key in _OPEN):
        return None
    return list(properties) if inputs.get("additionalProperties", False) is False else None
