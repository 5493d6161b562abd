"""What to do about a value that is of another kind than the one expected."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = [
    "LIST",
    "MAPPING",
    "NUMBER",
    "TEXT",
    "TRUTH",
    "WHOLE",
    "cut",
    "hint",
    "write_value",
]

TEXT, WHOLE, NUMBER = "text", "a whole number", "a number"
TRUTH, LIST, MAPPING = "true or false", "a list", "a mapping of keys to values"

_TRUE = ("yes", "y", "on", "true")
_FALSE = ("no", "n", "off", "false")
_SHOWN = 60


def hint(wanted: Container[str], value: object) -> str:
    """Return what to do about a value of another kind, with what goes before it; empty if nothing comes to mind.

    Args:
        wanted: The kinds that are expected.
        value: The value, as plain data.
    """
    said = _advise(wanted, value)
    return f": {said}" if said else ""


def _advise(wanted: Container[str], value: object) -> str | None:
    if isinstance(value, str):
        return _advise_text(wanted, value)
    if value is None:
        if MAPPING in wanted and TEXT not in wanted:
            return "indent its keys below it, or remove the key"
        return "write one, or remove the key"
    if isinstance(value, (bool, int, float)) and TEXT in wanted:
        return "put it in quotes"
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and TRUTH in wanted
        and value in (0, 1)
    ):
        return f"write {'true' if value else 'false'}"
    if isinstance(value, float) and WHOLE in wanted and value.is_integer():
        return f"write {int(value)}"
    if LIST in wanted and isinstance(value, dict):
        return "put '- ' before its first key, and indent the others by two spaces more"
    if LIST in wanted and not isinstance(value, list):
        return f"write [{write_value(value)}]"
    if MAPPING in wanted and isinstance(value, list) and value and isinstance(value[0], dict):
        return "remove the '- ' before its keys"
    return None


def _advise_text(wanted: Container[str], value: str) -> str | None:
    word = value.strip().lower()
    if TRUTH in wanted and word in (*_TRUE, *_FALSE):
        return f"write {'true' if word in _TRUE else 'false'}{', without quotes' if word in ('true', 'false') else ''}"
    if WHOLE in wanted or NUMBER in wanted:
        if re.fullmatch(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?", word):
            return "remove the quotes"
        if re.fullmatch(r"[-+]?[0-9][0-9.]{0,18}\s*[a-z%]{1,10}", word):
            return "write the number alone"
    if LIST in wanted:
        if len(value) <= _SHOWN and re.fullmatch(r"[\w./-]+", value):
            return f"write [{value}], or put it behind '- ' in a line of its own"
        return "put it behind '- ' in a line of its own"
    if MAPPING in wanted and re.match(r"[A-Za-z_][\w.-]{0,60}:[^\s/]", value):
        return "a space is missing behind the ':'"
    return None


def write_value(value: object) -> str:
    """Return a value as it is written in a file, cut if it is long.

    Args:
        value: Plain data.
    """
    return cut(value if isinstance(value, str) else json.dumps(value), _SHOWN)


def cut(text: str, length: int) -> str:
    """Return a text of at most a number of characters.

    Args:
        text: A text of any length.
        length: How many characters it may have; at least 4.
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."
