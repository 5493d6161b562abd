"""Brings JSON Schemas into the form that guarantees an answer of that shape.

OpenAI's strict mode takes a subset of JSON Schema: every object closed, every property required. Elsewhere
the schema is a hint, and the answer is checked by the agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["make_strict"]

_KEPT = frozenset(
    {
        "$defs", "$ref", "anyOf", "const", "description", "enum", "exclusiveMaximum", "exclusiveMinimum",
        "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern",
        "properties", "required", "title", "type",
    }
)  # fmt: skip
_DROPPED = frozenset({"default", "examples", "$schema", "additionalProperties"})
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)


class _NotExpressibleError(Exception):
    """The schema has something that strict mode does not know."""


def make_strict(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an equivalent schema for strict mode, or None if there is none.

    Values of the result also fit the schema given; optional properties become required ones.

    Args:
        schema: JSON Schema of an answer.
    """
    if schema.get("type") != "object" or "anyOf" in schema:
        return None
    try:
        return _convert(schema)
    except _NotExpressibleError:
        return None


def _convert(node: object) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise _NotExpressibleError
    if set(node) - _KEPT - _DROPPED:
        raise _NotExpressibleError
    if "$ref" in node:
        # Strict mode refuses other keywords beside a reference.
        return {"$ref": node["$ref"]}
    result = {key: value for key, value in node.items() if key in _KEPT}
    if node.get("format", "date") not in _FORMATS:
        raise _NotExpressibleError
    for key in ("$defs", "properties"):
        if key in result:
            result[key] = {name: _convert(part) for name, part in result[key].items()}
    if "items" in result:
        result["items"] = _convert(result["items"])
    if "anyOf" in result:
        result["anyOf"] = [_convert(part) for part in result["anyOf"]]
    if result.get("type") == "object":
        if node.get("additionalProperties", False) is not False or "properties" not in result:
            # A mapping with free keys cannot be closed without losing its entries.
            raise _NotExpressibleError
        result["required"] = list(result["properties"])
        result["additionalProperties"] = False
    elif isinstance(result.get("type"), list) or not {"type", "anyOf", "enum"} & set(result):
        # A schema that allows anything, or objects among other things.
        raise _NotExpressibleError
    return result
