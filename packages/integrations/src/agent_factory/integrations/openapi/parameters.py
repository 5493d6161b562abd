"""Parameters of an operation: how a value is written into a path, a query or a header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from agent_factory.core.exceptions import ToolArgumentsError

__all__ = ["STYLES", "Parameter", "ParameterLocation", "encode"]

ParameterLocation: TypeAlias = Literal["path", "query", "header"]

STYLES: Mapping[str, tuple[str, ...]] = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
}
"""The styles that can be written, by location; the first is the usual one."""

_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter.

    Attributes:
        argument: Name of the tool's argument.
        name: Name for the server.
        location: Where it is written.
        required: Whether there must be a value.
        style: How lists and objects are written; one of `STYLES`.
        explode: Whether each item of a list is written as one of its own.
        is_json: Whether the value is written as JSON.
        schema: JSON Schema of the value.
    """

    argument: str
    name: str
    location: ParameterLocation
    required: bool
    style: str
    explode: bool
    is_json: bool = False
    schema: Any = field(default=True, repr=False)

    def write_simple(self, value: object, *, quoted: bool) -> str:
        """Return a value for a path or a header.

        Args:
            value: The value.
            quoted: Whether everything that means something in a path is percent-encoded.

        Raises:
            ToolArgumentsError: It is a list or an object with others inside.
        """

        def write(item: object) -> str:
            text = self._to_text(item)
            return encode(text, self.argument) if quoted else text

        if self.is_json:
            text = _dump(value)
            return encode(text, self.argument) if quoted else text
        if isinstance(value, list):
            return ",".join(write(item) for item in value)
        if isinstance(value, dict):
            between = "=" if self.explode else ","
            return ",".join(f"{write(key)}{between}{write(item)}" for key, item in value.items())
        return write(value)

    def write_query(self, value: object) -> list[str]:
        """Return the parts of a query that say a value, such as ``tag=a``; none for an empty list.

        Args:
            value: The value.

        Raises:
            ToolArgumentsError: It is a list or an object with others inside.
        """

        def write(item: object) -> str:
            return encode(self._to_text(item), self.argument)

        name = encode(self.name, self.argument)
        if self.is_json:
            return [f"{name}={encode(_dump(value), self.argument)}"]
        if isinstance(value, list):
            if not value:
                return []
            if self.explode or self.style == "deepObject":
                return [f"{name}={write(item)}" for item in value]
            return [f"{name}={_DELIMITERS[self.style].join(map(write, value))}"]
        if isinstance(value, dict):
            if self.style == "deepObject":
                return [f"{name}%5B{write(key)}%5D={write(item)}" for key, item in value.items()]
            if self.explode:
                return [f"{write(key)}={write(item)}" for key, item in value.items()]
            delimiter = _DELIMITERS[self.style]
            pairs = (f"{write(key)}{delimiter}{write(item)}" for key, item in value.items())
            return [f"{name}={delimiter.join(pairs)}"]
        return [f"{name}={write(value)}"]

    def _to_text(self, value: object) -> str:
        if isinstance(value, (list, dict)):
            raise ToolArgumentsError(
                f"/{self.argument}: lists and objects inside of others cannot be sent here"
            )
        if isinstance(value, str):
            return value
        return "" if value is None else json.dumps(value)


def encode(text: str, argument: str) -> str:
    """Return a text with everything percent-encoded but letters, digits and ``-._~``.

    Args:
        text: The text.
        argument: The argument that it comes from, for messages.

    Raises:
        ToolArgumentsError: It has half a character in it.
    """
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ToolArgumentsError(f"/{argument}: it has half a character in it") from None


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
