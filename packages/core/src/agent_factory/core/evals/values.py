"""JSON values: of anything, of texts, and compared as JSON compares them."""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic_core import PydanticSerializationError, from_json, to_jsonable_python

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["NO_JSON", "find_at", "is_same", "read_json", "to_json_data"]

# Python writes whole numbers of up to 4,300 digits.
_MAX_BITS = 14_000

NO_JSON: Final = object()
"""What stands for a text that is no JSON."""


def to_json_data(value: object, what: str) -> Any:
    """Return a value as data that JSON can hold: dictionaries with texts as keys, lists, texts, finite numbers.

    A number that is not finite becomes its name, such as ``NaN``, and bytes become base64.

    Args:
        value: Anything that pydantic can write, models and dataclasses included.
        what: What has the value, for the message.

    Raises:
        ConfigurationError: It cannot be written as JSON.
    """
    try:
        return _name_numbers(to_jsonable_python(value, bytes_mode="base64"))
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{what} is a value of type {type(value).__qualname__}, which cannot be written as JSON: use a pydantic model, "
            "a dataclass or plain data"
        ) from error


def _name_numbers(value: Any) -> Any:
    """Return data with the names of numbers that are not finite in their place, since JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise ValueError("a number has too many digits to be written")
    if isinstance(value, dict):
        return {key: _name_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_name_numbers(item) for item in value]
    return value


def read_json(value: object) -> Any:
    """Return an answer as data: a text is read as JSON.

    Args:
        value: The answer.

    Returns:
        The data; `NO_JSON` for a text that is none.
    """
    if not isinstance(value, str):
        return value
    try:
        return from_json(value.strip(), allow_inf_nan=False)
    except ValueError:
        return NO_JSON


def is_same(one: object, other: object, *, subset: bool = False) -> bool:
    """Return whether two JSON values are the same; 1 and 1.0 are, 1 and true are not.

    Args:
        one: A value.
        other: Another value.
        subset: Whether the objects within the other one may have more keys.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        if len(one) > len(other) if subset else len(one) != len(other):
            return False
        return all(
            key in other and is_same(value, other[key], subset=subset) for key, value in one.items()
        )
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(
            is_same(left, right, subset=subset) for left, right in zip(one, other, strict=True)
        )
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def find_at(value: object, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) leads to.

    Args:
        value: The document.
        pointer: The pointer; the document itself if empty.

    Raises:
        LookupError: It leads nowhere.
    """
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10:
            value = value[int(key)]
        else:
            raise LookupError(pointer)
    return value
