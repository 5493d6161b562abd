"""What is refused when a workflow is put together."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration
from agent_factory.core.workflows.hints import describe, fits
from agent_factory.core.workflows.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "check_count",
    "check_fit",
    "check_name",
    "check_nodes",
    "check_plain",
    "check_takes",
    "check_timeout",
]


def check_name(name: Any, kind: str) -> None:
    """Refuse a name that is empty or would make paths ambiguous.

    Args:
        name: The name.
        kind: What has it, with its article, for messages.

    Raises:
        ConfigurationError: The name is refused.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"{kind} needs a name that is not empty")
    if "/" in name:
        raise ConfigurationError(
            f"{kind} is named {name!r}: '/' separates names in paths, leave it out"
        )


def check_nodes(nodes: Iterable[object], where: str) -> None:
    """Refuse what is no node, and two neighbours of one name, whose paths would be the same.

    Args:
        nodes: The neighbours.
        where: What they are part of, for messages.

    Raises:
        ConfigurationError: One is no node, or two have the same name.
    """
    seen: set[str] = set()
    for node in nodes:
        if not isinstance(node, Node):
            raise ConfigurationError(
                f"{where}: {_name(node)} is no step: wrap it with step(...), or with agent_step(...) if it is an agent"
            )
        if node.name in seen:
            raise ConfigurationError(
                f"{where} has a step named {node.name!r} already: "
                "pass another name with step(name=...)"
            )
        seen.add(node.name)


def check_fit(given: Any, giver: str, taker: Node[Any, Any], where: str) -> None:
    """Refuse a node that does not take what it would get, as far as annotations tell.

    Args:
        given: Type of what it would get.
        giver: Where that comes from, for messages.
        taker: The node.
        where: What it is part of, for messages.

    Raises:
        ConfigurationError: The types do not fit.
    """
    for wanted in taker.accepts:
        if not fits(given, wanted):
            raise ConfigurationError(
                f"{where}: {taker.name!r} takes {describe(wanted)}, "
                f"but {giver} gives {describe(given)}"
            )


def check_count(value: object, what: str, least: int = 1) -> None:
    """Refuse what is not a whole number, or too small.

    Args:
        value: The value.
        what: What it is for, for messages.
        least: The smallest number that is good.

    Raises:
        ConfigurationError: The value is refused.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(
            f"{what} must be a whole number of at least {least}, not {value!r}"
        )


def check_timeout(value: object, where: str) -> None:
    """Refuse what is no finite number of seconds above 0.

    Args:
        value: The value.
        where: What it belongs to, for messages.

    Raises:
        ConfigurationError: The value is refused.
    """
    if not is_duration(value):
        raise ConfigurationError(
            f"{where}: timeout must be a finite number of seconds above 0, not {value!r}"
        )


def check_plain(function: Callable[..., object], what: str) -> None:
    """Refuse a coroutine function where a plain function is called.

    Args:
        function: The function.
        what: What it is for, for messages.

    Raises:
        ConfigurationError: It is a coroutine function.
    """
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"{what} must be a plain function: what has to be awaited belongs into a step before it"
        )


def check_takes(function: Callable[..., object], count: int, where: str) -> None:
    """Refuse the function of a step that cannot be called with what it will get.

    Args:
        function: The function.
        count: How many positional arguments it gets: 2 with a `StepContext`, else 1.
        where: The step, for messages.

    Raises:
        ConfigurationError: It cannot be called so.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none that can be read
        return
    try:
        signature.bind(*[None] * count)
    except TypeError as error:
        raise ConfigurationError(
            f"{where} has a function that cannot be called with one value ({error}): let it take one value, "
            "or a parameter annotated with StepContext and then the value"
        ) from error


def _name(value: object) -> str:
    name = getattr(value, "__name__", None)
    return repr(name) if isinstance(name, str) else f"a value of type {type(value).__qualname__}"
