"""What may pass from step to step: values that can be written down as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import to_json

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.hints import describe, ends_here

__all__ = ["ValueRefusedError", "Writer", "create_writer", "write_any"]

Writer = Callable[[Any], object]

# Values of these types need no check. Subclasses do: they may hold anything.
ATOMS = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = (list, tuple, set, frozenset)
_ONE_TIME = (Iterator, AsyncIterator)


class ValueRefusedError(TypeError):
    """A value that cannot be written down as JSON, or not as the type that it was declared to have."""


def create_writer(hint: Any, step: str) -> Writer:
    """Return what writes the results of a step as JSON, and so checks them.

    Args:
        hint: Type of the results; ``Any`` if unknown.
        step: Name of the step, for messages.

    Raises:
        ConfigurationError: No value of that type can be written as JSON.
    """
    if hint in (Any, object) or ends_here(hint):
        return write_any
    try:
        return _create_typed(hint)
    except TypeError as error:  # not hashable, or no type at all
        problem: Exception = error
    except PydanticUserError as error:
        problem = error
    raise ConfigurationError(
        f"step {step!r} returns {describe(hint)}, which cannot be written as JSON: "
        "return a pydantic model, a dataclass or plain data"
    ) from problem


@lru_cache(maxsize=512)
def _create_typed(hint: Any) -> Writer:
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    declared = describe(hint)

    def write(value: Any) -> object:
        _refuse_one_time(value)
        try:
            return adapter.dump_json(value, warnings="error")
        except Exception as error:  # a serialiser of the user's own may raise anything
            raise ValueRefusedError(
                f"a value of type {_name(value)}, which cannot be written as JSON of its declared type {declared}"
            ) from error

    return write


def write_any(value: Any) -> object:
    """Write a value of unknown type as JSON.

    Args:
        value: The value.

    Returns:
        The JSON text in UTF-8.

    Raises:
        ValueRefusedError: It cannot be written.
    """
    _refuse_one_time(value)
    try:
        return to_json(value)
    except Exception as error:  # a serialiser of the user's own may raise anything
        raise ValueRefusedError(
            f"a value of type {_name(value)}, which cannot be written as JSON"
        ) from error


def _refuse_one_time(value: Any) -> None:
    """Refuse what writing would use up, so that the next step would find it empty."""
    if isinstance(value, _ONE_TIME):
        raise ValueRefusedError(
            f"a value of type {_name(value)}, which can be read only once: return a list"
        )
    if isinstance(value, _CONTAINERS):
        for item in value:
            if item.__class__ not in ATOMS and isinstance(item, _ONE_TIME):
                _refuse_one_time(item)


def _name(value: object) -> str:
    return type(value).__qualname__
