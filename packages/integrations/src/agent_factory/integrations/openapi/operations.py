"""Operations of a document, made ready to be tools: one schema of all arguments, and where each of them goes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.tools import Effect
from agent_factory.integrations.openapi.document import (
    OpenApiDocument,
    OpenApiOperation,
)
from agent_factory.integrations.openapi.parameters import Parameter
from agent_factory.integrations.openapi.reading import (
    list_parameters,
    name_argument,
    read_body,
    read_parameter,
)
from agent_factory.integrations.openapi.schemas import SchemaConverter

__all__ = ["CompiledOperation", "compile_operations"]

_EFFECTS: Mapping[str, Effect] = {
    "GET": "read",
    "HEAD": "read",
    "OPTIONS": "read",
    "PUT": "idempotent",
    "DELETE": "idempotent",
}
_MAX_TOOLS = 200
_MAX_SCHEMA_CHARACTERS = 200_000
_MAX_DESCRIPTION = 2000
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """An operation that can be made into a tool.

    Attributes:
        name: Name of the tool.
        description: Text for the model.
        effect: What calling it does to the world, by its method.
        method: The method.
        path: The path, with its parameters in braces.
        parameters: Where the arguments go.
        body_argument: Name of the argument that is sent as the JSON body; empty if there is none.
        body_type: Content type of the body.
        schema: JSON Schema (2020-12) of the arguments.
    """

    name: str
    description: str
    effect: Effect
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body_argument: str
    body_type: str
    schema: Mapping[str, Any] = field(repr=False)


def compile_operations(
    document: Mapping[str, Any],
    operations: Sequence[str] | None = None,
    *,
    without: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[CompiledOperation, ...]:
    """Return operations of a document, ready to be tools. Nothing is called.

    Args:
        document: A document of OpenAPI 3.0 or 3.1 as plain data.
        operations: Their ``operationId``, or the names of their tools; all operations if None.
        without: Parameters that the model does not set, as pairs of ``query`` or ``header`` and the name; names of headers
            in lower case.

    Raises:
        ConfigurationError: There is no such operation, or one cannot be used; the message says what and where.
    """
    reader = OpenApiDocument(document)
    chosen = _choose(reader.list_operations(), operations)
    if len(chosen) > _MAX_TOOLS:
        raise ConfigurationError(
            f"{len(chosen)} operations are too many tools for a model (at most {_MAX_TOOLS}): list those that it needs"
        )
    return tuple(_compile(reader, operation, without) for operation in chosen)


def _choose(
    known: tuple[OpenApiOperation, ...], wanted: Sequence[str] | None
) -> list[OpenApiOperation]:
    if wanted is None:
        return list(known)
    if isinstance(wanted, str):
        raise ConfigurationError(f"operations must be several, not the text {wanted!r}")
    chosen: list[OpenApiOperation] = []
    for name in dict.fromkeys(wanted):
        found = [item for item in known if item.operation_id == name] or [
            item for item in known if item.name == name
        ]
        if not found:
            names = ((item.operation_id or item.name)[:100] for item in known)
            raise ConfigurationError(
                f"the document has no operation {name!r}: {cut(describe_choices(name, names))}"
            )
        if len(found) > 1:
            raise ConfigurationError(
                f"the document has {len(found)} operations with the operationId {name!r}: each must have its own"
            )
        if found[0] not in chosen:
            chosen.append(found[0])
    return chosen


def _compile(
    reader: OpenApiDocument, operation: OpenApiOperation, without: frozenset[tuple[str, str]]
) -> CompiledOperation:
    converter = SchemaConverter(reader)
    properties: dict[str, Any] = {}
    required: list[str] = []
    parameters: list[Parameter] = []
    for given, where in list_parameters(reader, operation):
        parameter = read_parameter(reader, converter, given, where, set(properties))
        if parameter is None:
            continue
        folded = parameter.name.lower() if parameter.location == "header" else parameter.name
        if (parameter.location, folded) in without:
            continue
        parameters.append(parameter)
        properties[parameter.argument] = _describe(parameter.schema, given.get("description"))
        if parameter.required:
            required.append(parameter.argument)
    _check_path(operation, parameters)
    body_argument, body_type = "", ""
    body = read_body(reader, operation)
    if body is not None:
        body_type, media, content, is_required = body
        body_argument = name_argument("body", "body", set(properties))
        schema = converter.convert(media.get("schema", True), f"{operation.where}: body")
        properties[body_argument] = _describe(schema, content.get("description"))
        if is_required:
            required.append(body_argument)
    schema = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    if converter.definitions:
        schema["$defs"] = converter.definitions
    size = len(json.dumps(schema))
    if size > _MAX_SCHEMA_CHARACTERS:
        raise ConfigurationError(
            f"{operation.where}: the schema of its arguments has {size:,} characters, more than the "
            f"{_MAX_SCHEMA_CHARACTERS:,} that a tool may have: leave the operation out"
        )
    return CompiledOperation(
        operation.name,
        _write_description(operation),
        _EFFECTS.get(operation.method, "once"),
        operation.method,
        operation.path,
        tuple(parameters),
        body_argument,
        body_type,
        schema,
    )


def _check_path(operation: OpenApiOperation, parameters: list[Parameter]) -> None:
    declared = {item.name for item in parameters if item.location == "path"}
    used = set(_IN_BRACES.findall(operation.path))
    rest = _IN_BRACES.sub("", operation.path)
    if declared != used:
        odd = ", ".join(sorted(declared ^ used))
        raise ConfigurationError(
            f"{operation.where}: the parameters in the path and those declared for it differ: {cut(odd)}"
        )
    if not re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*", rest):
        raise ConfigurationError(
            f"{operation.where}: the path has characters that must be percent-encoded"
        )
    if any(unquote(segment) in (".", "..") for segment in operation.path.split("/")):
        raise ConfigurationError(
            f"{operation.where}: the path has a segment '.' or '..': write it out"
        )


def _describe(schema: dict[str, Any] | bool, description: object) -> dict[str, Any] | bool:
    if not (isinstance(description, str) and description.strip()):
        return schema
    text = " ".join(description.split())[:600]
    if schema is True:
        return {"description": text}
    return schema if schema is False else schema | {"description": text}


def _write_description(operation: OpenApiOperation) -> str:
    description = operation.body.get("description")
    long = description.strip() if isinstance(description, str) else ""
    text = "\n\n".join(part for part in (operation.summary, long) if part)
    if not text:
        text = f"{operation.method} {operation.path}"
    return text if len(text) <= _MAX_DESCRIPTION else f"{text[: _MAX_DESCRIPTION - 3]}..."
