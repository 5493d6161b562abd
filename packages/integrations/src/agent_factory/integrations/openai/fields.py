"""Reads JSON that a server sent, and says where it is not what it should be.

Everything here raises `ProtocolError`; the client adds which model the answer came from.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

__all__ = [
    "ProtocolError",
    "ReportedError",
    "as_list",
    "as_object",
    "as_text",
    "decode_json",
    "shown",
]


class ProtocolError(Exception):
    """An answer breaks the protocol; the message says where and how."""


class ReportedError(Exception):
    """An answer with a good status carries an error of the server instead.

    Args:
        body: The answer.
    """

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__("the answer is an error")
        self.body = body


def decode_json(data: bytes) -> dict[str, Any]:
    """Return the JSON object that bytes hold.

    Args:
        data: An answer, or the data of one event.

    Raises:
        ProtocolError: It is not UTF-8, not JSON, or no object.
        ReportedError: It is an error of the server.
    """
    try:
        value = from_json(data)
    except ValueError:
        # The other parser is slower, takes a little more, and says what is wrong in the words used here.
        value = _decode_slowly(data)
    body = as_object(value, "the answer")
    if body.get("error"):
        raise ReportedError(body)
    return body


def _decode_slowly(data: bytes) -> object:
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ProtocolError(f"it is not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ProtocolError(
            f"it is not valid JSON at line {error.lineno} column {error.colno} ({error.msg}); "
            f"it begins with {_start(data)}"
        ) from None
    except RecursionError:
        raise ProtocolError("its JSON is nested too deeply") from None
    except ValueError:
        raise ProtocolError("its JSON has a number with too many digits") from None


def as_object(value: object, where: str) -> dict[str, Any]:
    """Return a value that must be an object.

    Args:
        value: A part of an answer.
        where: Where it stands, for messages.

    Raises:
        ProtocolError: It is something else.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"{_named(where)} is {_kind(value)} instead of an object")
    return value


def as_list(value: object, where: str) -> list[Any]:
    """Return a value that must be a list; as `as_object`."""
    if not isinstance(value, list):
        raise ProtocolError(f"{_named(where)} is {_kind(value)} instead of a list")
    return value


def as_text(value: object, where: str) -> str:
    """Return a value that must be a string, or be absent, which reads as empty; as `as_object`.

    Half of a surrogate pair, which JSON can hold but no terminal and no file, becomes U+FFFD.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(f"{_named(where)} is {_kind(value)} instead of a string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    return kinds.get(type(value), "a number")


def _named(where: str) -> str:
    return where if where == "the answer" else f"'{where}'"


def shown(value: object) -> str:
    """Return a short representation of a value, for messages."""
    return repr(value)[:60]


def _start(data: bytes) -> str:
    return repr(data[:60].decode(errors="replace"))
