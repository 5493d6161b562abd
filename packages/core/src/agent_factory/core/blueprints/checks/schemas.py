"""Checks of the JSON Schemas in a blueprint: everything that is wrong with one, each at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut
from agent_factory.core.schemas import create_validator
from agent_factory.core.suggestions import describe_choices, find_close_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place

__all__ = ["check_schema", "find_schema_problems"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_ONE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")
_KEYWORDS = frozenset(
    (
        *_ONE,
        *_SEVERAL,
        *_NAMED,
        *("$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema"),
        *("$vocabulary", "const", "contentEncoding", "contentMediaType", "default", "definitions"),
        *("dependencies", "dependentRequired", "deprecated", "description", "enum", "examples"),
        *("exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems"),
        *("maxLength", "maxProperties", "maximum", "minContains", "minItems", "minLength"),
        *("minProperties", "minimum", "multipleOf", "pattern", "readOnly", "required", "title"),
        *("type", "uniqueItems", "writeOnly"),
    )
)


def check_schema(context: CheckContext, schema: Mapping[str, Any] | None, place: Place) -> None:
    """Find what is wrong with a JSON Schema.

    Args:
        context: The blueprint, and what was found in it.
        schema: The schema; nothing is wrong with none.
        place: Where it is.
    """
    if schema is None:
        return
    for path, message in find_schema_problems(schema, ".".join(map(str, place))):
        # A keyword that there is not has nothing wrong with its value.
        at_key = isinstance(path[-1:] and path[-1], str) and path[-1] not in _KEYWORDS
        context.say((*place, *path), message, at_key=at_key)


def find_schema_problems(schema: Mapping[str, Any], where: str) -> list[tuple[Place, str]]:
    """Return what is wrong with a JSON Schema: the way that leads to each place, and what is wrong there.

    Args:
        schema: The schema.
        where: What it is of, for messages.
    """
    draft = schema.get("$schema", _DRAFT)
    if isinstance(draft, str) and draft.removesuffix("#") != _DRAFT:
        message = f"{where}.$schema must be {_DRAFT!r}, or left out: schemas are read by that draft"
        return [(("$schema",), message)]
    problems = list(_find_wrong_values(schema, where))
    if not problems:
        try:
            create_validator(schema, where)
        except ConfigurationError as error:
            problems.append(((), error.message))
    return problems or list(_find_slips(schema))


def _find_wrong_values(schema: Mapping[str, Any], where: str) -> Iterator[tuple[Place, str]]:
    import jsonschema_rs

    rules = jsonschema_rs.Draft202012Validator({"$ref": _DRAFT}, validate_formats=True)
    told: set[Place] = set()
    for error in rules.iter_errors(dict(schema)):
        path = tuple(error.instance_path)
        if path in told:
            continue
        told.add(path)
        value: Any = schema
        for part in path:
            value = value[part]
        if path[-1:] == ("type",) and isinstance(value, str):
            said = f"no type of JSON is named {cut(value)!r}: {describe_choices(value, _TYPES)}"
        elif path[-1:] == ("pattern",) and isinstance(value, str):
            said = f"{cut(value)!r} is no regular expression, or one that grows too large"
        elif path[-1:] == ("type",):
            said = f"a type is one of {', '.join(_TYPES)}, or a list of them"
        else:
            said = cut(error.message)
        yield path, f"{where}: not a valid JSON Schema: {said}"


def _find_slips(schema: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Return what is allowed in a schema, and certainly not meant."""
    waiting: list[tuple[Place, Any]] = [((), schema)]
    while waiting:
        path, part = waiting.pop()
        if not isinstance(part, dict):
            continue  # true or false
        for key, value in part.items():
            if key not in _KEYWORDS and (close := find_close_name(key, _KEYWORDS)) is not None:
                yield (*path, key), f"no keyword of JSON Schema is {key!r}: did you mean {close!r}?"
            if key in _ONE:
                waiting.append(((*path, key), value))
            elif key in _SEVERAL and isinstance(value, list):
                waiting += [((*path, key, index), item) for index, item in enumerate(value)]
            elif key in _NAMED and isinstance(value, dict):
                waiting += [((*path, key, name), item) for name, item in value.items()]
        properties, required = part.get("properties"), part.get("required")
        if isinstance(properties, dict) and isinstance(required, list):
            for index, name in enumerate(required):
                close = find_close_name(name, properties)
                closed = part.get("additionalProperties") is False
                if name not in properties and (
                    close is not None or (closed and "patternProperties" not in part)
                ):
                    hint = describe_choices(name, properties)
                    yield (*path, "required", index), f"properties have no {name!r}: {hint}"
