"""Schemas of OpenAPI as JSON Schema 2020-12, with everything that they refer to."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut
from agent_factory.integrations.openapi.document import as_list, as_mapping

if TYPE_CHECKING:
    from agent_factory.integrations.openapi.document import OpenApiDocument

__all__ = ["SchemaConverter"]

_MAX_DEPTH = 48
_MAX_NODES = 20_000
_MAX_DESCRIPTION = 600
_MAX_LOOKS = 10_000

_PLAIN = frozenset(
    {
        "const",
        "default",
        "dependentRequired",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "title",
        "type",
        "uniqueItems",
    }
)
# Of the value itself; the others are of something within it.
_SCHEMAS_IN_PLACE = frozenset({"else", "if", "not", "then"})
_SCHEMAS = frozenset(
    {
        "additionalProperties",
        "contains",
        "items",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LISTS_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf"})
_MAPS = frozenset({"patternProperties", "properties"})
# What they mean cannot be told without them, and a copy would have another meaning.
_REFUSED = ("$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef")


class SchemaConverter:
    """Converts the schemas of one operation. What they refer to is collected under `definitions`.

    Args:
        document: What references lead into.

    Attributes:
        definitions: For ``$defs`` of the schema that the converted ones stand in.
    """

    __slots__ = (
        "_document",
        "_in_place",
        "_names",
        "_nodes",
        "_numbers",
        "_pending",
        "definitions",
    )

    def __init__(self, document: OpenApiDocument) -> None:
        self._document = document
        self._names: dict[str, str] = {}
        # By definition: those that it looks at the same value with, and how often.
        self._in_place: dict[str, dict[str, int]] = {}
        self._nodes = 0
        self._numbers: dict[str, int] = {}
        self._pending: list[tuple[str, str, Any]] = []
        self.definitions: dict[str, Any] = {}

    def convert(self, schema: object, where: str) -> dict[str, Any] | bool:
        """Return a schema that says the same.

        Args:
            schema: The schema of the document.
            where: Where it stands, for messages.

        Raises:
            ConfigurationError: It is too deep or too large, refers to something that is not there, or to itself without
                going into a value, or uses what cannot be converted.
        """
        converted = self._convert(schema, where, 0, None)
        while self._pending:
            name, text, target = self._pending.pop()
            self.definitions[name] = self._convert(target, text, 0, name)
        self._refuse_endless(where)
        return converted

    def _convert(
        self, schema: object, where: str, depth: int, owner: str | None
    ) -> dict[str, Any] | bool:
        """Convert a schema.

        Args:
            schema: The schema.
            where: Where it stands.
            depth: How deep it stands.
            owner: The definition that it looks at the same value as; None where it looks at something within.
        """
        self._count(where, depth)
        if isinstance(schema, bool):
            return schema
        given = as_mapping(schema, f"{where}: a schema")
        for key in _REFUSED:
            if key in given:
                raise ConfigurationError(
                    f"{where}: schemas with {key!r} cannot be used: write a $ref"
                )
        converted: dict[str, Any] = {}
        if "$ref" in given:
            name = self._define(given["$ref"], where)
            if owner is not None:
                looked = self._in_place[owner]
                looked[name] = looked.get(name, 0) + 1
            converted["$ref"] = f"#/$defs/{name}"
            if self._document.is_3_0:
                return converted  # OpenAPI 3.0 takes no notice of what stands beside it
        for key, value in given.items():
            inner = f"{where}/{cut(str(key))}"
            if key in _PLAIN:
                converted[key] = self._copy(value, inner, depth + 1)
            elif key == "description" and isinstance(value, str):
                converted[key] = value[:_MAX_DESCRIPTION]
            elif key in _SCHEMAS_IN_PLACE:
                converted[key] = self._convert(value, inner, depth + 1, owner)
            elif key in _SCHEMAS:
                converted[key] = self._convert(value, inner, depth + 1, None)
            elif key in _LISTS_IN_PLACE or key == "prefixItems":
                inside = owner if key in _LISTS_IN_PLACE else None
                converted[key] = [
                    self._convert(item, inner, depth + 1, inside) for item in as_list(value, inner)
                ]
            elif key in _MAPS or key == "dependentSchemas":
                inside = owner if key == "dependentSchemas" else None
                converted[key] = {
                    str(name): self._convert(item, f"{inner}/{cut(str(name))}", depth + 1, inside)
                    for name, item in as_mapping(value, inner).items()
                }
        self._leave_out_read_only(given, converted)
        return self._modernise(given, converted) if self._document.is_3_0 else converted

    def _define(self, reference: object, where: str) -> str:
        target = self._document.get(reference, where)
        text = str(reference)
        if text in self._names:
            return self._names[text]
        base = re.sub(r"[^A-Za-z0-9_.-]+", "_", text.rpartition("/")[2])[:64] or "schema"
        name = base
        while name in self._in_place:
            self._numbers[base] = self._numbers.get(base, 1) + 1
            name = f"{base}_{self._numbers[base]}"
        self._names[text] = name
        self._in_place[name] = {}
        # Later, so that a long row of references is not a deep one.
        self._pending.append((name, text, target))
        return name

    def _leave_out_read_only(self, given: Mapping[str, Any], converted: dict[str, Any]) -> None:
        """Leave out the properties that only answers have."""
        properties = given.get("properties")
        if not isinstance(properties, Mapping):
            return
        left_out = {
            str(name)
            for name, item in properties.items()
            if isinstance(item, Mapping) and item.get("readOnly") is True
        }
        for name in left_out:
            converted["properties"].pop(name, None)
        if left_out and isinstance(converted.get("required"), list):
            converted["required"] = [item for item in converted["required"] if item not in left_out]

    def _modernise(self, given: Mapping[str, Any], converted: dict[str, Any]) -> dict[str, Any]:
        """Change what OpenAPI 3.0 writes in its own way."""
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            flag = converted.get(exclusive)
            if isinstance(flag, bool):
                del converted[exclusive]
                if flag and bound in converted:
                    converted[exclusive] = converted.pop(bound)
        if given.get("nullable") is not True:
            return converted
        values = converted.get("enum")
        if isinstance(values, list) and None not in values:
            converted["enum"] = [*values, None]
        kind = converted.get("type")
        if isinstance(kind, str):
            converted["type"] = [kind, "null"]
            in_place = _LISTS_IN_PLACE | _SCHEMAS_IN_PLACE
            if in_place.isdisjoint(converted):
                return converted
        return {"anyOf": [converted, {"type": "null"}]}

    def _copy(self, value: Any, where: str, depth: int) -> Any:
        """Copy plain data; dates, which YAML makes of some texts, become those texts again."""
        self._count(where, depth)
        if isinstance(value, Mapping):
            return {str(key): self._copy(item, where, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, where, depth + 1) for item in value]
        if isinstance(value, datetime.date):
            return value.isoformat()
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise ConfigurationError(f"{where}: {type(value).__name__} is nothing that JSON can hold")

    def _count(self, where: str, depth: int) -> None:
        self._nodes += 1
        if depth > _MAX_DEPTH:
            raise ConfigurationError(
                f"{cut(where)}: schemas may be at most {_MAX_DEPTH} deep: leave the operation out, or simplify it"
            )
        if self._nodes > _MAX_NODES:
            raise ConfigurationError(
                f"{cut(where)}: the schemas of an operation may have at most {_MAX_NODES} parts: leave it out, or "
                "simplify it"
            )

    def _refuse_endless(self, where: str) -> None:
        """Refuse definitions that lead back to themselves without going into the value, or look at one value too often."""
        costs: dict[str, int] = {}
        for start in self._in_place:
            path = [(start, list(self._in_place[start]))]
            active = {start}
            while path:
                name, left = path[-1]
                if left:
                    following = left.pop()
                    if following in active:
                        raise ConfigurationError(
                            f"{where}: the schema {cut(following)!r} refers to itself without going into the value"
                        )
                    if following not in costs:
                        active.add(following)
                        path.append((following, list(self._in_place[following])))
                    continue
                costs[name] = 1 + sum(
                    times * costs[inner] for inner, times in self._in_place[name].items()
                )
                if costs[name] > _MAX_LOOKS:
                    raise ConfigurationError(
                        f"{where}: the schema {cut(name)!r} looks at one value more than {_MAX_LOOKS} times: leave the "
                        "operation out, or simplify it"
                    )
                active.discard(name)
                path.pop()
