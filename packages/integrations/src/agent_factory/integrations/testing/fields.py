"""Reads the fields of a request, and refuses what is wrong in OpenAI's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from agent_factory.integrations.testing.errors import ErrorAnswer, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fields", "refuse", "refuse_type", "refuse_value"]

_NAMES: dict[type, str] = {
    str: "a string",
    dict: "an object",
    list: "an array",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    type(None): "null",
}


def refuse(message: str, param: str | None = None, code: str | None = None) -> NoReturn:
    """Refuse a request.

    Args:
        message: Why.
        param: The field that is wrong.
        code: Code of the error.

    Raises:
        RefusedError: Always.
    """
    raise RefusedError(ErrorAnswer(400, message, param=param, code=code))


def refuse_type(where: str, expected: str, value: object) -> NoReturn:
    """Refuse a value of a wrong type.

    Args:
        where: Where it stands.
        expected: What belongs there.
        value: The value.

    Raises:
        RefusedError: Always.
    """
    got = _NAMES.get(type(value), "something else")
    refuse(
        f"Invalid type for '{where}': expected {expected}, but got {got} instead.",
        where,
        "invalid_type",
    )


def refuse_value(where: str, value: object, allowed: Sequence[str]) -> NoReturn:
    """Refuse a value that is none of those that are allowed.

    Args:
        where: Where it stands.
        value: The value.
        allowed: What belongs there.

    Raises:
        RefusedError: Always.
    """
    *first, last = [f"'{item}'" for item in allowed]
    known = f"{', '.join(first)}, and {last}" if first else last
    refuse(f"Invalid value: '{value}'. Supported values are: {known}.", where, "invalid_value")


class Fields:
    """An object in a request, and where it stands.

    Args:
        value: The object.
        where: Where it stands; empty for the request itself.

    Raises:
        RefusedError: It is no object.
    """

    __slots__ = ("value", "where")

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, dict):
            refuse_type(where, "an object", value)
        self.value: dict[str, Any] = value
        self.where = where

    def path(self, name: str) -> str:
        """Return where a field stands."""
        return f"{self.where}.{name}" if self.where else name

    def require(self, name: str) -> Any:
        """Return a field that must be there."""
        if name not in self.value:
            path = self.path(name)
            refuse(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")
        return self.value[name]

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.require(name)
        if not isinstance(value, str):
            refuse_type(self.path(name), "a string", value)
        return value

    def inner(self, name: str) -> Fields:
        """Return an object that must be there."""
        return Fields(self.require(name), self.path(name))

    def items(self, name: str, *, least: int = 0) -> list[Fields]:
        """Return the objects of a list that must be there."""
        value, path = self.require(name), self.path(name)
        if not isinstance(value, list):
            refuse_type(path, "an array of objects", value)
        if len(value) < least:
            refuse(
                f"Invalid '{path}': empty array. Expected an array with minimum length {least}, but got an "
                "empty array instead.",
                path,
                "empty_array",
            )
        return [Fields(item, f"{path}[{index}]") for index, item in enumerate(value)]

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return a text that must be there and be one of some."""
        value = self.require(name)
        if value not in allowed:
            refuse_value(self.path(name), value, allowed)
        return str(value)

    def flag(self, name: str) -> bool:
        """Return a boolean that may be left out."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            refuse_type(self.path(name), "a boolean", value)
        return bool(value)

    def whole(self, name: str, least: int, most: int | None = None) -> int | None:
        """Return a whole number that may be left out."""
        value, path = self.value.get(name), self.path(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            refuse_type(path, "an integer", value)
        self._check_range("integer", path, value, least, most)
        return value

    def decimal(self, name: str, least: float, most: float) -> None:
        """Check a number that may be left out."""
        value, path = self.value.get(name), self.path(name)
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            refuse_type(path, "a decimal", value)
        self._check_range("decimal", path, value, least, most)

    def _check_range(
        self, kind: str, path: str, value: float, least: float, most: float | None
    ) -> None:
        if value < least:
            refuse(
                f"Invalid '{path}': {kind} below minimum value. Expected a value >= {least}, but got {value} instead.",
                path,
                f"{kind}_below_min_value",
            )
        if most is not None and value > most:
            refuse(
                f"Invalid '{path}': {kind} above maximum value. Expected a value <= {most}, but got {value} instead.",
                path,
                f"{kind}_above_max_value",
            )
