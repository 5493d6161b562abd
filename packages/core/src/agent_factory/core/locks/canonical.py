"""The canonical form of data (RFC 8785), and digests of it that are the same on every machine."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agent_factory.core.exceptions import ConfigurationError

__all__ = [
    "DIGEST",
    "MAX_DEPTH",
    "MAX_INTEGER",
    "canonicalise",
    "compute_digest",
    "freeze",
    "normalise_newlines",
    "shorten_number",
    "thaw",
]

MAX_DEPTH = 64
"""Levels of objects and arrays within each other."""

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly; its negative is the smallest."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""What a digest looks like, as a whole."""

_NEWLINE = re.compile(r"\r\n?")
_MAX_PLACE = 120


def canonicalise(value: object) -> bytes:
    """Return data in the one form that RFC 8785 gives it: the same data gives the same bytes.

    Texts are taken as they are, line ends too: see `normalise_newlines` for those of a file.

    Args:
        value: JSON-compatible data: mappings with texts as keys, lists, tuples, texts, numbers, booleans and None.

    Returns:
        UTF-8 without spaces, keys in the order of their UTF-16 code units, numbers as ECMAScript writes them.

    Raises:
        ConfigurationError: The data has what JSON cannot hold exactly: an integer beyond `MAX_INTEGER`, NaN, an
            infinity, half of a surrogate pair, another type, or more than `MAX_DEPTH` levels. The message says where.
    """
    import rfc8785

    return rfc8785.dumps(thaw(value))


def compute_digest(value: object) -> str:
    """Return the SHA-256 of data in its canonical form.

    Args:
        value: JSON-compatible data, as for `canonicalise`.

    Returns:
        ``sha256:`` and 64 hexadecimal digits.

    Raises:
        ConfigurationError: The data has what JSON cannot hold exactly.
    """
    return f"sha256:{hashlib.sha256(canonicalise(value)).hexdigest()}"


def normalise_newlines(text: str) -> str:
    r"""Return a text in which each line ends with ``\n`` alone.

    What a prompt file says must not depend on how it was checked out. So both the digest and the model get this form.

    Args:
        text: A text whose lines end with ``\n``, ``\r\n`` or ``\r``.
    """
    return _NEWLINE.sub("\n", text)


def thaw(value: object, place: str = "the value") -> Any:
    """Return a copy of data that is made of plain dicts and lists, checked for what JSON cannot hold.

    Args:
        value: JSON-compatible data, as for `canonicalise`.
        place: What the data is called in messages.

    Raises:
        ConfigurationError: The data has what JSON cannot hold exactly.
    """
    return _copy(value, (place,), frozen=False)


def shorten_number(value: Any) -> Any:
    """Return a number in its shortest form, which is how RFC 8785 writes it: 60 for 60.0. Other values stay.

    Args:
        value: Any value.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        return int(value)
    return value


def freeze(value: object, place: str = "the value") -> Any:
    """Return a copy of data that cannot be changed, with read-only mappings and tuples, checked as by `thaw`.

    Args:
        value: JSON-compatible data, as for `canonicalise`.
        place: What the data is called in messages.

    Raises:
        ConfigurationError: The data has what JSON cannot hold exactly.
    """
    return _copy(value, (place,), frozen=True)


def _copy(value: object, path: tuple[str, ...], *, frozen: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Without the methods of a subclass, such as an Enum's.
        text = str.__str__(value)
        _check_text(text, path)
        return text
    if isinstance(value, int):
        number = int(value)
        if abs(number) > MAX_INTEGER:
            raise _refuse(path, "is a whole number beyond 2^53-1, which JSON readers round")
        return number
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(path, f"is {value!r}, which JSON does not have")
        return float(value)
    if not isinstance(value, (Mapping, list, tuple)):
        raise _refuse(path, f"is a {type(value).__name__}, which is no JSON")
    if len(path) > MAX_DEPTH:
        raise _refuse(path, f"is nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, Mapping):
        items = [
            _copy(item, (*path, f"[{index}]"), frozen=frozen) for index, item in enumerate(value)
        ]
        return tuple(items) if frozen else items
    copied: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refuse(path, f"has the key {key!r}, which is no text")
        text = str.__str__(key)
        _check_text(text, path)
        copied[text] = _copy(item, (*path, f".{text}"), frozen=frozen)
    return MappingProxyType(copied) if frozen else copied


def _check_text(text: str, path: tuple[str, ...]) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refuse(path, "has half of a surrogate pair in it, which is no character") from None


def _refuse(path: tuple[str, ...], problem: str) -> ConfigurationError:
    place = "".join(path)
    if len(place) > _MAX_PLACE:
        place = f"{place[:_MAX_PLACE]}..."
    return ConfigurationError(f"{place} {problem}")
