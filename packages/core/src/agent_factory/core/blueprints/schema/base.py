"""What the sections of a blueprint have in common."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["JsonSchema", "Money", "Name", "RelativePath", "Section", "Words", "parse_money"]

_MICRO_DIGITS = 6


class Section(BaseModel):
    """A part of a blueprint: unknown keys are refused, and no value is taken for another kind of value."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        populate_by_name=False,
        allow_inf_nan=False,
        use_attribute_docstrings=False,
    )


def parse_money(text: str) -> int:
    """Return an amount of money in millionths of the currency's unit.

    Args:
        text: The amount with at most six decimals and its currency, such as ``0.50 USD``.

    Raises:
        ValueError: It is no such text.
    """
    amount, _, currency = text.partition(" ")
    whole, point, decimals = amount.partition(".")
    if (
        currency != "USD"
        or not (whole.isascii() and whole.isdigit() and len(whole) <= 9)
        or (point and not (decimals.isascii() and decimals.isdigit()))
        or len(decimals) > _MICRO_DIGITS
    ):
        raise ValueError(f"{text!r} is no amount: write it as '0.50 USD'")
    return int(whole) * 1_000_000 + int(decimals.ljust(_MICRO_DIGITS, "0"))


def _check_money(text: str) -> str:
    try:
        parse_money(text)
    except ValueError:
        raise PydanticCustomError(
            "money", "must be an amount with its currency, such as '0.50 USD'"
        ) from None
    return text


def _check_path(text: str) -> str:
    names = text.split("/")
    if text.startswith("/") or ".." in names or "\0" in text or "\\" in text:
        raise PydanticCustomError(
            "relative_path",
            "must be a path below the folder of the blueprint, with '/' and without '..'",
        )
    return text


def _check_words(text: str) -> str:
    if text and not text.strip():
        raise PydanticCustomError("blank", "must have more than white space in it")
    return text


Words: TypeAlias = Annotated[str, AfterValidator(_check_words), Field(min_length=1)]
"""A text that says something."""

Money: TypeAlias = Annotated[
    str,
    AfterValidator(_check_money),
    Field(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)? USD$", examples=["0.50 USD"]),
]
"""An amount of money as text, such as ``0.50 USD``."""

Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
"""Name of a part of a blueprint: a letter, then letters, digits, ``_`` and ``-``; at most 64 characters."""

RelativePath: TypeAlias = Annotated[
    str, AfterValidator(_check_path), Field(min_length=1, max_length=500)
]
"""Path of a file below the folder of the blueprint."""

JsonSchema: TypeAlias = dict[str, Any]
"""A JSON Schema (2020-12) that needs nothing outside itself."""
