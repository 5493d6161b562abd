"""What may pass from step to step: values that can be written down as JSON, and read again."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Any, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import from_json, to_json

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.hints import describe, ends_here

__all__ = ["Codec", "ValueRefusedError", "create_codec"]

_ATOMS = frozenset((str, int, float, bool, type(None)))
# What else passes for a value of these types, as for a type checker. A whole number for a float is looked at.
_PROMOTIONS: dict[object, tuple[type, ...]] = {int: (bool,), float: (bool,)}
_CONTAINERS = (list, tuple, set, frozenset)
_ONE_TIME = (Iterator, AsyncIterator)
_SHOWN_PROBLEMS = 3


def _list_members(hint: Any) -> tuple[Any, ...]:
    """Return the types that a union is made of; any other type alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


class ValueRefusedError(TypeError):
    """A value that cannot be written down as JSON, or not as the type that it was declared to have."""


class Codec:
    """Writes values of one type as JSON, and reads them. Made by `create_codec`.

    Args:
        hint: Type of the values.
        adapter: What pydantic knows of it; None if the type is unknown.

    Attributes:
        plain: Classes whose values need no check. Their subclasses do: they may hold anything.
    """

    __slots__ = ("_adapter", "_declared", "_widens", "plain")

    def __init__(self, hint: Any, adapter: TypeAdapter[Any] | None) -> None:
        self._adapter = adapter
        self._declared = describe(hint)
        self._widens = float in _list_members(hint) and int not in _list_members(hint)
        self.plain = _ATOMS if adapter is None else _find_plain(hint)

    def write(self, value: Any) -> bytes:
        """Write a value.

        Args:
            value: The value.

        Returns:
            The JSON text in UTF-8.

        Raises:
            ValueRefusedError: It cannot be written, or not as a value of the declared type.
        """
        _refuse_one_time(value)
        try:
            if self._adapter is None:
                return to_json(value)
            if self._widens and type(value) is int and float(value) != value:
                raise OverflowError("a float has not that many digits")
            if value is None:  # which pydantic writes as a value of any type
                self._adapter.validate_json(b"null", strict=True)
            return self._adapter.dump_json(value, warnings="error")
        except Exception as error:  # a serialiser of the user's own may raise anything
            declared = "" if self._adapter is None else f" of its declared type {self._declared}"
            raise ValueRefusedError(
                f"a value of type {_name(value)}, which cannot be written as JSON{declared}"
            ) from error

    def read(self, data: str | bytes) -> Any:
        """Read a value that was written.

        Args:
            data: The JSON text.

        Returns:
            A value of the declared type; plain data if that is unknown.

        Raises:
            ValueRefusedError: The text is no such value.
        """
        try:
            if self._adapter is None:
                return from_json(data)
            return self._adapter.validate_json(data, strict=True)
        except Exception as error:  # a validator of the user's own may raise anything
            raise ValueRefusedError(f"that is no {self._declared}{_explain(error)}") from error

    def convert(self, value: Any) -> Any:
        """Return what comes back when a value of any type is written and read as one of the declared type.

        Args:
            value: An instance of the type, or plain data that describes one.

        Raises:
            ValueRefusedError: It cannot be written, or is no value of the declared type.
        """
        return self.read(_UNKNOWN.write(value))

    def create_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values.

        Raises:
            ConfigurationError: The type has none.
        """
        if self._adapter is None:
            return {}
        try:
            return self._adapter.json_schema()
        except PydanticUserError as error:
            raise ConfigurationError(f"{self._declared} has no JSON Schema") from error


_UNKNOWN = Codec(Any, None)


def create_codec(hint: Any, what: str) -> Codec:
    """Return what writes values of a type as JSON, and reads them.

    Args:
        hint: The type; ``Any`` if unknown.
        what: What has values of it, for messages: a clause that the type completes.

    Raises:
        ConfigurationError: No value of that type can be written as JSON.
    """
    if hint in (Any, object) or ends_here(hint):
        return _UNKNOWN
    try:
        return _create_typed(hint)
    except TypeError as error:  # not hashable, or no type at all
        problem: Exception = error
    except PydanticUserError as error:
        problem = error
    raise ConfigurationError(
        f"{what} {describe(hint)}, which cannot be written as JSON: "
        "use a pydantic model, a dataclass or plain data"
    ) from problem


@lru_cache(maxsize=512)
def _create_typed(hint: Any) -> Codec:
    # Without this, an infinite number would be written as null.
    config = ConfigDict(ser_json_inf_nan="constants")
    try:
        return Codec(hint, TypeAdapter(hint, config=config))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return Codec(hint, TypeAdapter(hint))  # a model, which has a configuration of its own


def _find_plain(hint: Any) -> frozenset[type]:
    """Return the classes of plain values of which every one is a value of the type."""
    members = _list_members(hint)
    found = {type(None) if member is None else member for member in members} & _ATOMS
    also = [item for member in found for item in _PROMOTIONS.get(member, ())]
    return frozenset((*found, *also))


def _refuse_one_time(value: Any) -> None:
    """Refuse what writing would use up, so that the next step would find it empty."""
    if isinstance(value, _ONE_TIME):
        raise ValueRefusedError(
            f"a value of type {_name(value)}, which can be read only once: return a list"
        )
    if isinstance(value, _CONTAINERS):
        for item in value:
            if item.__class__ not in _ATOMS and isinstance(item, _ONE_TIME):
                _refuse_one_time(item)


def _explain(error: Exception) -> str:
    """Return what is wrong with a value, without showing it."""
    if not isinstance(error, ValidationError):
        return ""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        f"{'.'.join(map(str, item['loc']))}: {item['msg']}" if item["loc"] else item["msg"]
        for item in problems[:_SHOWN_PROBLEMS]
    ]
    return f" ({'; '.join(told)})"


def _name(value: object) -> str:
    return type(value).__qualname__
