"""The reference of blueprints as a page of Markdown, made from their JSON Schema."""

from __future__ import annotations

import json
import re
from typing import Any

from agent_factory.core.blueprints.wording import describe_bounds

__all__ = ["write_reference"]

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
    "null": "nothing",
}
_INTRODUCTION = """\
# Blueprint reference

Every key that a blueprint may have. The page is generated from the schema of blueprints, so it is complete;
[Blueprints](blueprints.md) explains how the parts work together.

A key that has no default and is not required may be left out. Keys that are not on this page are refused.
"""


def write_reference(schema: dict[str, Any]) -> str:
    """Return a page of Markdown with every key of a blueprint: its type, default, bounds, meaning and an example.

    Args:
        schema: The schema that `create_json_schema` returns.

    Returns:
        The page; the same schema gives the same page.
    """
    return _Page(schema).write()


class _Page:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._definitions: dict[str, Any] = schema.get("definitions", {})
        self._headings: dict[str, str] = {}

    def write(self) -> str:
        order: list[str] = []
        self._visit(self._schema, (), order)
        parts = [_INTRODUCTION, "## Keys of a blueprint\n", self._write_table(self._schema)]
        for name in order:
            section = self._definitions[name]
            parts.append(f"## {self._headings[name]}\n")
            if section.get("description"):
                parts.append(f"{section['description']}\n")
            together = _describe_choice(section)
            if together:
                parts.append(f"{together}\n")
            parts.append(self._write_table(section))
        return "\n".join(parts)

    def _visit(self, schema: Any, way: tuple[str, ...], order: list[str]) -> None:
        """Give each definition its heading, in the order of the page: what belongs to a section follows it."""
        for key, value in schema.get("properties", {}).items():
            for words, name in self._find_references(value, f"`{key}`"):
                if name in self._headings:
                    continue
                heading = f"Keys of {words}"
                if heading in self._headings.values():
                    heading = " of ".join((heading, *way))
                self._headings[name] = heading
                order.append(name)
                self._visit(self._definitions[name], (words, *way), order)

    def _find_references(self, schema: Any, way: str) -> list[tuple[str, str]]:
        """Return the definitions that a value may follow, each with the words that lead to it."""
        if not isinstance(schema, dict):
            return []
        if "$ref" in schema:
            return [(way, schema["$ref"].rpartition("/")[2])]
        found: list[tuple[str, str]] = []
        for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            found += self._find_references(choice, way)
        item = way if way.startswith("an item of") else f"an item of {way}"
        if isinstance(schema.get("items"), dict):
            found += self._find_references(schema["items"], item)
        for inner in (
            *schema.get("patternProperties", {}).values(),
            schema.get("additionalProperties"),
        ):
            found += self._find_references(inner, item)
        return found

    def _write_table(self, schema: dict[str, Any]) -> str:
        rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        required = schema.get("required", ())
        for key, value in schema.get("properties", {}).items():
            default = "required" if key in required else _write_default(value)
            meaning = self._write_meaning(value)
            cells = (f"`{key}`", self._write_type(value), default, meaning)
            rows.append(f"| {' | '.join(_escape(cell) for cell in cells)} |")
        return "\n".join(rows) + "\n"

    def _write_type(self, schema: Any) -> str:
        if not isinstance(schema, dict):
            return "anything"
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            heading = self._headings[name]
            return f"[mapping](#{_make_anchor(heading)})"
        choices = schema.get("anyOf") or ()
        if choices:
            return " or ".join(dict.fromkeys(self._write_type(choice) for choice in choices))
        if "const" in schema:
            return f"`{_write(schema['const'])}`"
        if "enum" in schema:
            return " or ".join(f"`{_write(item)}`" for item in schema["enum"])
        kind = schema.get("type")
        if kind == "array" and isinstance(schema.get("items"), dict):
            return f"list of {self._write_type(schema['items'])}"
        if kind == "object":
            values = [
                *schema.get("patternProperties", {}).values(),
                schema.get("additionalProperties"),
            ]
            if isinstance(values[0], dict):
                return f"mapping of names to {self._write_type(values[0])}"
        return _TYPES.get(str(kind), "anything")

    def _write_meaning(self, schema: Any) -> str:
        if not isinstance(schema, dict):
            return ""
        section = self._definitions.get(str(schema.get("$ref")).rpartition("/")[2], {})
        parts = [schema.get("description") or section.get("description", "")]
        bounds = (describe_bounds(inner) for inner in (schema, *schema.get("anyOf", ())))
        said = next(filter(None, bounds), "")
        if said:
            parts.append(f"{said[0].upper()}{said[1:]}.")
        if schema.get("examples"):
            parts.append(f"Example: `{_write(schema['examples'][0])}`.")
        return " ".join(part for part in parts if part)


def _write_default(schema: Any) -> str:
    default = schema.get("default") if isinstance(schema, dict) else None
    if default in (None, "", [], {}) and default is not False:
        return "none"
    if isinstance(default, bool) or not isinstance(default, (int, float)):
        return f"`{_write(default)}`"
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    return f"{default:,}"


def _describe_choice(schema: dict[str, Any]) -> str:
    """Return the words for which keys go together."""
    choices = schema.get("oneOf", ())
    if not choices or not all(choice.get("required") for choice in choices):
        return ""
    if all(set(choice) == {"required"} and len(choice["required"]) == 1 for choice in choices):
        names = [f"`{choice['required'][0]}`" for choice in choices]
        return f"Exactly one of {', '.join(names[:-1])} and {names[-1]} is given."
    rows = ["The keys that go together:", ""]
    for choice in choices:
        needed = [f"`{key}`" for key in choice["required"]]
        allowed = choice.get("propertyNames", {}).get("enum", ())
        optional = [f"`{key}`" for key in allowed if key not in choice["required"]]
        rows.append(
            f"- {' and '.join(needed)}" + (f"; also {', '.join(optional)}" if optional else "")
        )
    return "\n".join(rows)


def _make_anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
