"""Plain data for texts, numbers, times, choices and JSON values, both ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from pydantic_core import to_jsonable_python

__all__ = ["PLAIN_CODECS", "Codec", "MismatchError", "decode_choice", "fail"]

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TIME_EXAMPLE = "2026-01-31T12:00:00.000000Z"
_NOTHING = timedelta(0)
_MOST_BITS = 2_000  # Python can be told to write no number of more than 640 digits
_MOST_LEVELS = 100


class MismatchError(Exception):
    """A value is not what the record should have there. Never leaves this package.

    Args:
        wrong: What was wrong with the value, to be read after its place.

    Attributes:
        wrong: What was wrong, as given.
        path: Where: the names of the fields and the indexes that lead to the value, outermost first.
    """

    def __init__(self, wrong: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.path: list[str] = []


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are written and read.

    Attributes:
        encode: Makes plain data of a value; None where the value is plain data itself.
        decode: Makes the value of plain data, or raises `MismatchError`.
    """

    encode: Callable[[Any], Any] | None
    decode: Callable[[Any], Any]


def fail(wanted: str, value: object) -> NoReturn:
    """Refuse a value.

    Args:
        wanted: What should be in its place.
        value: What is there instead.

    Raises:
        MismatchError: Always.
    """
    # The type and never the value: an error may be logged where the record must not be.
    found = "null" if value is None else type(value).__name__
    raise MismatchError(f"must be {wanted}, not {found}")


def _decode_text(value: object) -> str:
    return value if isinstance(value, str) else fail("a text", value)


def _decode_flag(value: object) -> bool:
    return value if isinstance(value, bool) else fail("true or false", value)


def _decode_whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    fail("a whole number", value)


def _encode_number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _decode_number(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    fail("a number", value)


def _encode_time(value: datetime) -> str:
    if value.tzinfo is not UTC:
        if value.utcoffset() is None:
            raise MismatchError("has a time without a time zone")
        value = value.astimezone(UTC)
    return f"{value.isoformat(timespec='microseconds')[:-6]}Z"


def _decode_time(value: object) -> datetime:
    text = _decode_text(value)
    try:
        if len(text) == len(_TIME_EXAMPLE) and text[10] == "T" and text[-1] == "Z":
            time = datetime.fromisoformat(text)
            if time.utcoffset() == _NOTHING:
                return time.astimezone(UTC)
    except ValueError:
        pass
    raise MismatchError(f"must be a time in UTC with microseconds, such as {_TIME_EXAMPLE}")


def decode_choice(choices: tuple[Any, ...]) -> Callable[[object], Any]:
    """Return what reads a text that is one of a few.

    Args:
        choices: The texts that there may be.
    """

    def decode(value: object) -> Any:
        if isinstance(value, str) and value in choices:
            return value
        raise MismatchError(f"must be one of {', '.join(map(str, choices))}")

    return decode


def _encode_json(value: Any) -> Any:
    if isinstance(value, str):
        return value
    try:
        return _replace_not_finite(to_jsonable_python(value))
    except (ValueError, RecursionError):
        raise MismatchError(
            f"has a value of type {type(value).__name__!r} that JSON cannot hold: use a type that pydantic can write"
        ) from None


def _encode_details(value: dict[Any, Any]) -> Any:
    # An error must be recorded whatever is in it.
    plain = _try_to_encode(value)
    if plain is None:
        plain = {}
        for key, item in value.items():
            name = key if isinstance(key, str) else type(key).__name__
            plain |= _try_to_encode({key: item}) or {name: type(item).__name__}
    return plain


def _try_to_encode(details: dict[Any, Any]) -> dict[str, Any] | None:
    try:
        plain = to_jsonable_python(details, fallback=lambda item: type(item).__name__)
        encoded: dict[str, Any] = _replace_not_finite(_cut(plain, _MOST_LEVELS))
    except Exception:  # noqa: BLE001 - what is in there may raise anything as it is written
        return None
    return encoded


def _cut(value: Any, levels: int) -> Any:
    """Return plain data with the names of types in place of what is too deep or too long to be written."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "int"
    if isinstance(value, (list, dict)) and not levels:
        return type(value).__name__
    if isinstance(value, list):
        return [_cut(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {key: _cut(item, levels - 1) for key, item in value.items()}
    return value


def _replace_not_finite(value: Any) -> Any:
    if isinstance(value, float):
        return _encode_number(value)
    if isinstance(value, list):
        return [_replace_not_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _replace_not_finite(item) for key, item in value.items()}
    return value


def _decode_json(value: object) -> Any:
    return value


def _decode_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else fail("an object", value)


PLAIN_CODECS: dict[Any, Codec] = {
    str: Codec(None, _decode_text),
    bool: Codec(None, _decode_flag),
    int: Codec(None, _decode_whole),
    float: Codec(_encode_number, _decode_number),
    datetime: Codec(_encode_time, _decode_time),
    Any: Codec(_encode_json, _decode_json),
    dict[str, Any]: Codec(_encode_details, _decode_object),
}
"""The codecs of the types that are not made of others."""
