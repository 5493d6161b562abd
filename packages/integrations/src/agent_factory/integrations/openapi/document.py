"""An OpenAPI document: its operations by name, and what its references lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut

__all__ = ["OpenApiDocument", "OpenApiOperation", "as_list", "as_mapping", "list_operations"]

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
_MAX_OPERATIONS = 5000
_MAX_PATHS = 5000
_MAX_REFERENCES = 32
_MAX_NAME = 64
_VERSION = re.compile(r"3\.([01])(?:\.\d+)?(?:-.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class OpenApiOperation:
    """An operation of a document.

    Attributes:
        name: Name of its tool: the ``operationId`` with ``_`` in place of what names of tools cannot have, or the method
            and the path where there is none.
        operation_id: The ``operationId``, or None.
        method: The method, in capitals.
        path: The path, with its parameters in braces.
        summary: What it does, in one line; empty if the document does not say it.
        item: The object of the path that it belongs to.
        body: The object of the operation itself.
    """

    name: str
    operation_id: str | None
    method: str
    path: str
    summary: str
    item: Mapping[str, Any] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)

    @property
    def where(self) -> str:
        """What it is called in messages."""
        return f"{self.method} {cut(self.path)}"


class OpenApiDocument:
    """A document of OpenAPI 3.0 or 3.1.

    Args:
        document: The document as plain data.

    Attributes:
        root: As given.
        is_3_0: Whether its schemas are those of OpenAPI 3.0, which are not quite JSON Schema.

    Raises:
        ConfigurationError: It is no such document.
    """

    __slots__ = ("is_3_0", "root")

    def __init__(self, document: Mapping[str, Any]) -> None:
        given: object = document
        if not isinstance(given, Mapping):
            raise ConfigurationError("an OpenAPI document must be an object at its top")
        if "swagger" in document:
            raise ConfigurationError(
                "the document is one of Swagger 2.0: convert it to OpenAPI 3.0 or 3.1 first"
            )
        version = document.get("openapi")
        match = _VERSION.fullmatch(version) if isinstance(version, str) else None
        if match is None:
            raise ConfigurationError(
                f"the key 'openapi' must name the version 3.0 or 3.1, such as '3.1.0', not {cut(repr(version))}"
            )
        self.root = document
        self.is_3_0 = match[1] == "0"

    def list_operations(self) -> tuple[OpenApiOperation, ...]:
        """Return the operations in the order of the document.

        Raises:
            ConfigurationError: The document is not built as OpenAPI says, or has too many operations.
        """
        found: list[OpenApiOperation] = []
        names: dict[str, int] = {}
        for path, item in self._list_paths():
            for method in _METHODS:
                if method not in item:
                    continue
                body = as_mapping(item[method], f"{method.upper()} {cut(path)}")
                identifier = body.get("operationId")
                if identifier is not None and not (isinstance(identifier, str) and identifier):
                    raise ConfigurationError(
                        f"{method.upper()} {cut(path)}: operationId must be a text, not {cut(repr(identifier))}"
                    )
                name = _choose_name(identifier or f"{method} {path}", names)
                summary = body.get("summary")
                found.append(
                    OpenApiOperation(
                        name,
                        identifier,
                        method.upper(),
                        path,
                        " ".join(summary.split())[:200] if isinstance(summary, str) else "",
                        item,
                        body,
                    )
                )
                if len(found) > _MAX_OPERATIONS:
                    raise ConfigurationError(
                        f"the document has more than {_MAX_OPERATIONS} operations: take out what is not used"
                    )
        return tuple(found)

    def follow(self, value: object, where: str) -> Mapping[str, Any]:
        """Return the object that a place of the document holds, after the references there.

        Args:
            value: What stands there.
            where: The place, for messages.

        Raises:
            ConfigurationError: There is no object, or a reference leads nowhere, in a circle, or out of the document.
        """
        for _ in range(_MAX_REFERENCES):
            found = as_mapping(value, where)
            if "$ref" not in found:
                return found
            value = self.get(found["$ref"], where)
        raise ConfigurationError(
            f"{where}: its references lead from one to the next without an end"
        )

    def get(self, reference: object, where: str) -> Any:
        """Return what a reference leads to.

        Args:
            reference: The value of ``$ref``.
            where: Where it stands, for messages.

        Raises:
            ConfigurationError: It leads nowhere, or out of the document.
        """
        if not isinstance(reference, str):
            raise ConfigurationError(f"{where}: $ref must be a text, not {cut(repr(reference))}")
        if not reference.startswith("#/"):
            raise ConfigurationError(
                f"{where}: the reference {cut(repr(reference))} leads out of the document, and nothing is fetched: "
                "put what it refers to under 'components'"
            )
        node: Any = self.root
        for token in unquote(reference[2:]).split("/"):
            key = token.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and key in node:
                node = node[key]
            elif (
                isinstance(node, list)
                and key.isascii()
                and key.isdigit()
                and int(key[:9]) < len(node)
            ):
                node = node[int(key[:9])]
            else:
                raise ConfigurationError(
                    f"{where}: the reference {cut(repr(reference))} leads to nothing in the document"
                )
        return node

    def _list_paths(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        paths: Mapping[Any, Any] = as_mapping(self.root.get("paths", {}), "paths")
        if len(paths) > _MAX_PATHS:
            raise ConfigurationError(f"the document has more than {_MAX_PATHS} paths")
        for path, item in paths.items():
            if isinstance(path, str) and path.startswith("x-"):
                continue
            if not (isinstance(path, str) and path.startswith("/")):
                raise ConfigurationError(
                    f"paths: {cut(repr(path))} is no path: it must begin with '/'"
                )
            yield path, self.follow(item, f"paths {cut(repr(path))}")


def list_operations(document: Mapping[str, Any]) -> tuple[OpenApiOperation, ...]:
    """Return the operations of an OpenAPI document. Nothing is called, and no schema is looked at.

    Args:
        document: A document of OpenAPI 3.0 or 3.1 as plain data.

    Raises:
        ConfigurationError: It is no such document; the message says what and where.
    """
    return OpenApiDocument(document).list_operations()


def as_mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return a value that must be an object.

    Args:
        value: The value.
        where: Where it stands, for messages.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where}: must be an object, not {type(value).__name__}")
    return value


def as_list(value: object, where: str) -> list[Any]:
    """Return a value that must be a list.

    Args:
        value: The value.
        where: Where it stands, for messages.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(value, list):
        raise ConfigurationError(f"{where}: must be a list, not {type(value).__name__}")
    return value


def _choose_name(text: str, taken: dict[str, int]) -> str:
    """Return a name that no tool has yet; how often each was wanted is kept in ``taken``."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", text[:1000]).strip("_")[:_MAX_NAME] or "operation"
    name = base
    while name in taken:
        taken[base] += 1
        end = f"_{taken[base]}"
        name = base[: _MAX_NAME - len(end)] + end
    taken[name] = 1
    return name
