"""What a model expects at a place of a file, taken from its JSON Schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticUserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from agent_factory.core.blueprints.document import Path

__all__ = ["Expectations"]

_MAX_BRANCHES = 200


class Expectations:
    """What a model expects at each place.

    Args:
        model: The model. One that has no JSON Schema expects nothing that could be told.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        try:
            self._root: dict[str, Any] = model.model_json_schema(mode="validation")
        except PydanticUserError:
            self._root = {}
        self._definitions: dict[str, Any] = self._root.get("$defs", {})

    def find(self, path: Path) -> list[dict[str, Any]]:
        """Return the schemas that a value may follow, without references and without choices.

        Args:
            path: Where the value is, from the root of the model.
        """
        branches = list(self._flatten(self._root, set()))
        for part in path:
            found: list[dict[str, Any]] = []
            for branch in branches:
                inner = _step(branch, part)
                if inner is not None:
                    found += self._flatten(inner, set())
            branches = found[:_MAX_BRANCHES]
        return branches

    def find_keys(self, path: Path) -> list[str] | None:
        """Return the keys that a mapping may have; None if it may have any, or none is known.

        Args:
            path: Where the mapping is.
        """
        objects = [branch for branch in self.find(path) if branch.get("type") == "object"]
        named = [branch["properties"] for branch in objects if "properties" in branch]
        keys = list(dict.fromkeys(key for properties in named for key in properties))
        return keys or None

    def find_keyword(self, path: Path, keyword: str) -> Any:
        """Return what a keyword says in the first schema of a place that has it; None if none has.

        Args:
            path: Where the value is.
            keyword: The keyword, such as ``maximum``.
        """
        for branch in self.find(path):
            if keyword in branch:
                return branch[keyword]
        return None

    def _flatten(self, schema: Any, seen: set[str]) -> Iterator[dict[str, Any]]:
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                yield from (
                    # What stands beside a reference is said of this use of it.
                    {**branch, **{key: schema[key] for key in ("examples",) if key in schema}}
                    for branch in self._flatten(self._definitions.get(name), seen)
                )
            return
        choices = [
            choice for keyword in ("anyOf", "oneOf", "allOf") for choice in schema.get(keyword, ())
        ]
        # Choices beside properties only say which of them go together.
        if not choices or "properties" in schema:
            if schema.get("type") != "null":
                yield schema
            return
        beside = {key: schema[key] for key in ("examples",) if key in schema}
        for choice in choices:
            for branch in self._flatten(choice, seen):
                yield {**beside, **branch}


def _step(schema: dict[str, Any], part: str | int) -> Any:
    if isinstance(part, int):
        first = schema.get("prefixItems", ())
        return first[part] if part < len(first) else schema.get("items")
    properties = schema.get("properties", {})
    if part in properties:
        return properties[part]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if len(part) <= _MAX_BRANCHES and re.search(pattern, part):
            return inner
    return schema.get("additionalProperties")
