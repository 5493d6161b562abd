"""What a word without quotes means in a blueprint: text, a number, a truth value or nothing."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TypeAlias

__all__ = ["MAX_DIGITS", "Scalar", "resolve_scalar"]

Scalar: TypeAlias = str | int | float | bool | None

MAX_DIGITS = 18
"""Digits of the longest whole number: each of them fits into 64 bits."""

_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# A word longer than this is no number that a person wrote; it bounds the time of all below.
_MAX_LENGTH = 400

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_OTHER_BASE = re.compile(r"[-+]?0[xX][0-9a-fA-F]+|[-+]?0[oO][0-7]+|[-+]?0[bB][01]+")
_GROUPED = re.compile(r"[-+]?[0-9]+(_[0-9]+)+(\.[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve_scalar(text: str) -> tuple[Scalar, str | None]:
    """Return the value of a word that stands without quotes, by the core schema of YAML 1.2.

    What looks like a number but would not be the number that the file says is no text either: readers of YAML
    differ in it, and nobody sees which one was meant.

    Args:
        text: The word, as the file has it.

    Returns:
        The value, and what is wrong with the word; None if nothing is.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text], None
    if text[0] not in "+-.0123456789":
        return text, None
    return _resolve_number(text)


def _resolve_number(text: str) -> tuple[Scalar, str | None]:
    if _INTEGER.fullmatch(text):
        if len(text.lstrip("+-")) > MAX_DIGITS:
            return text, (
                f"a number of more than {MAX_DIGITS} digits cannot be kept: put it in quotes if it is a text"
            )
        if _LEADING_ZERO.match(text):
            return text, (
                f"a number cannot start with 0: write {int(text)}, or put it in quotes to keep it as it is"
            )
        return int(text), None
    if len(text) > _MAX_LENGTH:
        return text, None
    if _FLOAT.fullmatch(text):
        return _resolve_float(text)
    if _OTHER_BASE.fullmatch(text):
        sign, digits = ("-" if text[0] == "-" else ""), text.lstrip("+-")
        number = int(digits[2:], {"x": 16, "o": 8, "b": 2}[digits[1].lower()])
        shown = f"{sign}{number}" if len(str(number)) <= MAX_DIGITS else "it in decimal digits"
        return text, f"numbers are decimal here: write {shown}, or put it in quotes if it is a text"
    if _GROUPED.fullmatch(text):
        return text, (
            f"a number has no '_': write {text.replace('_', '')[:40]}, or put it in quotes if it is a text"
        )
    if _NOT_FINITE.fullmatch(text):
        return (
            text,
            "every number is finite here: write a number, or put it in quotes if it is a text",
        )
    return text, None


def _resolve_float(text: str) -> tuple[Scalar, str | None]:
    if _LEADING_ZERO.match(text):
        return (
            text,
            "a number cannot start with 0: remove it, or put the number in quotes if it is a text",
        )
    exponent = text.lower().partition("e")[2].lstrip("+-").lstrip("0")
    value = float(text)
    # A decimal with an exponent of any length would take any amount of time.
    if math.isinf(value) or len(exponent) > 4 or (value == 0 and Decimal(text) != 0):
        return text, (
            "a number of this size cannot be kept: write a smaller one, or put it in quotes if it is a text"
            if math.isinf(value)
            else "a number this close to 0 cannot be kept: write 0, or put it in quotes if it is a text"
        )
    if Decimal(text) != Decimal(repr(value)):
        return text, (
            f"a number with this many digits cannot be kept: write {value!r}, or put it in quotes if it is a text"
        )
    return value, None
