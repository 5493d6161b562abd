"""Reads the parameters and the body of an operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut
from agent_factory.integrations.http.messages import SAFE_METHODS, check_header
from agent_factory.integrations.openapi.document import (
    OpenApiDocument,
    OpenApiOperation,
    as_list,
    as_mapping,
)
from agent_factory.integrations.openapi.parameters import STYLES, Parameter
from agent_factory.integrations.openapi.schemas import SchemaConverter

__all__ = ["list_parameters", "name_argument", "read_body", "read_parameter"]

_MAX_PARAMETERS = 200
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
# OpenAPI takes no notice of such parameters: other parts of the document say what goes there.
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})


def list_parameters(
    reader: OpenApiDocument, operation: OpenApiOperation
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the parameters of an operation, each with where it stands. They hide those of its path with the same name.

    Args:
        reader: The document.
        operation: The operation.

    Raises:
        ConfigurationError: One of them is none, or there are too many.
    """
    found: dict[tuple[object, object], tuple[Mapping[str, Any], str]] = {}
    for owner in (operation.item, operation.body):
        listed = as_list(owner.get("parameters", []), f"{operation.where}: parameters")
        if len(listed) > _MAX_PARAMETERS:
            raise ConfigurationError(
                f"{operation.where}: more than {_MAX_PARAMETERS} parameters: leave the operation out"
            )
        for number, item in enumerate(listed):
            where = f"{operation.where}: parameters/{number}"
            given = reader.follow(item, where)
            name, place = given.get("name"), given.get("in")
            if not (isinstance(name, str) and name) or not isinstance(place, str):
                raise ConfigurationError(
                    f"{where}: a parameter must have the texts 'name' and 'in'"
                )
            found[place, name] = given, f"{operation.where}: parameter {cut(repr(name))}"
    yield from found.values()


def read_parameter(
    reader: OpenApiDocument,
    converter: SchemaConverter,
    given: Mapping[str, Any],
    where: str,
    taken: set[str],
) -> Parameter | None:
    """Return a parameter; None for one that is left out, because it need not be sent.

    Args:
        reader: The document.
        converter: Converts its schema.
        given: The object of the document.
        where: Where it stands, for messages.
        taken: The names that other arguments have already.

    Raises:
        ConfigurationError: It cannot be sent.
    """
    name, location = given["name"], given["in"]
    required = given.get("required") is True
    if location == "header":
        if name.lower() in _NOT_PARAMETERS:
            return None
        try:
            check_header(name, "x")
        except ConfigurationError as error:
            if required:
                raise ConfigurationError(f"{where}: {error.message}") from None
            return None
    elif location == "cookie":
        if required:
            raise ConfigurationError(
                f"{where}: cookies are never sent, and this one is required: leave the operation out"
            )
        return None
    elif location not in STYLES:
        raise ConfigurationError(
            f"{where}: 'in' must be path, query or header, not {cut(repr(location))}"
        )
    elif location == "path" and not required:
        raise ConfigurationError(f"{where}: a parameter of the path must have 'required: true'")
    style = given.get("style", STYLES[location][0])
    if style not in STYLES[location]:
        raise ConfigurationError(
            f"{where}: the style {cut(repr(style))} cannot be written in the {location}; "
            f"there are: {', '.join(STYLES[location])}"
        )
    schema, is_json = given.get("schema", True), False
    if "content" in given:
        content = as_mapping(given["content"], f"{where}: content")
        if list(content) != ["application/json"]:
            raise ConfigurationError(f"{where}: its content must be application/json alone")
        media = reader.follow(content["application/json"], f"{where}: content")
        schema, is_json = media.get("schema", True), True
    return Parameter(
        name_argument(name, location, taken),
        name,
        location,
        required,
        style,
        given.get("explode", style == "form") is True,
        is_json,
        converter.convert(schema, where),
    )


def read_body(
    reader: OpenApiDocument, operation: OpenApiOperation
) -> tuple[str, Mapping[str, Any], Mapping[str, Any], bool] | None:
    """Return what JSON body an operation takes: the content type, its object, the body's, and whether it must be there.

    Args:
        reader: The document.
        operation: The operation.

    Raises:
        ConfigurationError: It must have a body that is no JSON.
    """
    if "requestBody" not in operation.body or operation.method in SAFE_METHODS:
        return None
    where = f"{operation.where}: requestBody"
    body = reader.follow(operation.body["requestBody"], where)
    is_required = body.get("required") is True
    content = as_mapping(body.get("content", {}), f"{where}/content")
    for kind, media in content.items():
        essence = str(kind).partition(";")[0].strip().lower()
        if re.fullmatch(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json", essence):
            return essence, reader.follow(media, f"{where}/content"), body, is_required
    if is_required:
        kinds = ", ".join(map(str, content)) or "none"
        raise ConfigurationError(
            f"{where}: only JSON can be sent, and it takes {cut(kinds)}: leave the operation out"
        )
    return None


def name_argument(name: str, location: str, taken: set[str]) -> str:
    """Return a name for an argument that no other has.

    Args:
        name: The name in the document.
        location: Where the argument goes.
        taken: The names that others have.
    """
    base = _NAME.sub("_", name).strip("_")[:60] or location
    if base not in taken:
        return base
    base = f"{base[:40]}_{location}"
    argument, number = base, 1
    while argument in taken:
        number += 1
        argument = f"{base}_{number}"
    return argument
