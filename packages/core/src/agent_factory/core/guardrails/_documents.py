"""JSON texts whose strings and numbers are looked at, or changed, while everything else stays as it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Scalar",
    "is_document",
    "read_scalars",
    "read_strings",
    "rewrite_scalars",
    "rewrite_strings",
    "token_pattern",
]

MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string or a number of a JSON text.

    Attributes:
        text: The decoded string, or the number as it is written.
        key: The key that it stands under, the nearest one; empty for keys and where there is none.
        is_key: Whether it is a key itself.
    """

    text: str
    key: str
    is_key: bool


@cache
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of the tokens of JSON that are looked at."""
    # What a string contains is never taken for a token of its own, since the whole string is one.
    return re.compile(
        r'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")(?P<colon>\s*+:)?|(?P<number>-?[0-9][0-9.eE+-]*+)|[{}]'
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def is_document(text: str) -> bool:
    """Return whether a text is a JSON object or array.

    Args:
        text: Any text.
    """
    if text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return False
    try:
        # Numbers stay texts: no value of any size is computed.
        json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _walk(document: str) -> Iterator[tuple[Scalar, int, int]]:
    """Yield the scalars with the places of their tokens."""
    key = ""
    for match in token_pattern().finditer(document):
        if match["string"] is not None:
            text = json.loads(match["string"])
            if match["colon"] is not None:
                key = text
                yield Scalar(text, "", is_key=True), *match.span("string")
            else:
                yield Scalar(text, key, is_key=False), *match.span("string")
        elif match["number"] is not None:
            yield Scalar(match["number"], key, is_key=False), *match.span("number")
        else:
            # The key of an object that began or ended here says nothing about what follows.
            key = ""


def read_scalars(document: str) -> Iterator[Scalar]:
    """Yield the strings and numbers of a JSON text in their order, keys included.

    Args:
        document: A text that `is_document` accepts.
    """
    return (scalar for scalar, _, _ in _walk(document))


def read_strings(text: str, depth: int = 0) -> Iterator[str]:
    """Yield a text and, where it is JSON, every string in it, also those of JSON that is a string of JSON.

    Args:
        text: Any text.
        depth: How deep in other texts it was found.
    """
    yield text
    if depth < MAX_DEPTH and is_document(text):
        for scalar in read_scalars(text):
            yield from read_strings(scalar.text, depth + 1)


def rewrite_scalars(document: str, change: Callable[[Scalar], str]) -> str:
    """Return a JSON text with other strings and numbers in it.

    What does not change stays as it was written. A number that changes becomes a string. Keys that would become equal
    are numbered, so that nothing gets lost.

    Args:
        document: A text that `is_document` accepts.
        change: Returns the new text of a scalar.
    """
    pieces: list[str] = []
    used: set[str] = set()
    done = 0
    for scalar, start, end in _walk(document):
        changed = change(scalar)
        if changed == scalar.text:
            continue
        if scalar.is_key:
            used = used or {item.text for item in read_scalars(document) if item.is_key}
            changed = _number(changed, used)
        pieces += document[done:start], json.dumps(changed)
        done = end
    return "".join(pieces) + document[done:] if pieces else document


def rewrite_strings(text: str, change: Callable[[str], str], depth: int = 0) -> str:
    """Return another text or, where it is JSON, the same JSON with other strings, also in JSON that is a string of JSON.

    Args:
        text: Any text.
        change: Returns the new text of a text that is not JSON.
        depth: How deep in other texts it was found.
    """
    if depth < MAX_DEPTH and is_document(text):
        return rewrite_scalars(text, lambda item: rewrite_strings(item.text, change, depth + 1))
    return change(text)


def _number(key: str, used: set[str]) -> str:
    number, name = 1, key
    while name in used:
        number += 1
        name = f"{key} {number}"
    used.add(name)
    return name
