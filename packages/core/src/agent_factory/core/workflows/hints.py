"""What the annotations of steps tell about the values between them, and whether two steps fit."""

from __future__ import annotations

import collections.abc as abc
import functools
import inspect
import types
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    Never,
    NewType,
    NoReturn,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_protocol, is_typeddict

__all__ = ["choices", "describe", "ends_here", "fits", "read_hints", "unite"]

_AWAITABLES = (abc.Awaitable, abc.Coroutine)
_COLLECTIONS = (list, set, frozenset, abc.Sequence, abc.Collection, abc.Iterable, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
# What a type checker lets through although neither is a subclass of the other (PEP 484).
_PROMOTIONS: dict[object, tuple[type, ...]] = {float: (int,), complex: (int, float)}


def read_hints(function: abc.Callable[..., object], position: int = 0) -> tuple[Any, Any]:
    """Return what a parameter of a function and its result are annotated with.

    Args:
        function: Any callable.
        position: Which parameter, from 0.

    Returns:
        The two annotations, with the result of an awaitable in place of the awaitable; ``Any`` where there is none, or where it
        names something that cannot be found from outside the function, such as a class in another function.
    """
    if isinstance(function, functools.partial):
        return Any, Any
    described = function if inspect.isroutine(function) else type(function).__call__
    try:
        hints = get_type_hints(described)
        parameters = list(inspect.signature(function).parameters)
    # Resolving an annotation evaluates it, which may raise anything.
    except Exception:  # noqa: BLE001
        return Any, Any
    taken = hints.get(parameters[position], Any) if position < len(parameters) else Any
    returned = hints.get("return", Any)
    if get_origin(returned) in _AWAITABLES:
        returned = get_args(returned)[-1]
    return taken, returned


def describe(hint: Any) -> str:
    """Return a type as a program would write it.

    Args:
        hint: The type.
    """
    if isinstance(hint, type) and not get_args(hint):
        return "None" if hint is type(None) else hint.__qualname__
    return str(hint).replace("typing.", "")


def ends_here(hint: Any) -> bool:
    """Return whether a result of this type never comes: the function always raises.

    Args:
        hint: The type of the result.
    """
    return hint in (NoReturn, Never)


def unite(hints: abc.Iterable[Any]) -> Any:
    """Return the type of a value that has one of these types.

    Args:
        hints: The types; results that never come do not count, and one that is unknown makes all unknown.
    """
    kept = [hint for hint in hints if not ends_here(hint)]
    if not kept:
        return NoReturn
    if Any in kept:
        return Any
    united = kept[0]
    for hint in kept[1:]:
        united = Union[united, hint]  # noqa: UP007 - a forward reference has no |
    return united


def choices(hint: Any) -> frozenset[Any] | None:
    """Return every value that a type has, or None where that is not known.

    Args:
        hint: The type.
    """
    if hint is bool:
        return frozenset((True, False))
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return frozenset(hint)
    return None


def fits(given: Any, wanted: Any) -> bool:
    """Return whether a value of one type may be used where another is wanted.

    Only what is certain counts: where the annotations do not tell, the answer is yes.

    Args:
        given: Type of the value.
        wanted: Type that is wanted.
    """
    given, wanted = _plain(given), _plain(wanted)
    if wanted is object or given == wanted or Any in (given, wanted):
        return True
    if get_origin(given) in (Union, types.UnionType):
        return all(fits(item, wanted) for item in get_args(given))
    if get_origin(wanted) in (Union, types.UnionType):
        return any(fits(given, item) for item in get_args(wanted))
    if get_origin(given) is Literal:
        if get_origin(wanted) is Literal:
            return set(get_args(given)) <= set(get_args(wanted))
        return all(fits(type(item), wanted) for item in get_args(given))
    if get_origin(wanted) is Literal:
        return any(fits(given, type(item)) for item in get_args(wanted))
    left, right = get_origin(given) or given, get_origin(wanted) or wanted
    if not isinstance(left, type) or not isinstance(right, type):
        return True
    if is_typeddict(left) or is_typeddict(right) or is_protocol(right):
        return True
    if not issubclass(left, right) and left not in _PROMOTIONS.get(right, ()):
        return False
    return _items_fit(left, get_args(given), right, get_args(wanted))


def _plain(hint: Any) -> Any:
    if hint is None:
        return type(None)
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        else:
            return hint


def _items_fit(left: type, given: tuple[Any, ...], right: type, wanted: tuple[Any, ...]) -> bool:
    if not given or not wanted:
        return True
    if left is tuple and (right is tuple or right in _COLLECTIONS):
        open_ended = [items[-1] is Ellipsis for items in (given, wanted)]
        if right is not tuple or open_ended[1]:
            return all(fits(item, wanted[0]) for item in given if item is not Ellipsis)
        if open_ended[0]:
            return True
        return len(given) == len(wanted) and all(map(fits, given, wanted))
    if (left in _COLLECTIONS and right in _COLLECTIONS) or (
        left in _MAPPINGS and right in _MAPPINGS
    ):
        return all(map(fits, given, wanted))
    return True
