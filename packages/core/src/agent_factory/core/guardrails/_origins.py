"""Lets the guardrails of core remember how they were made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec

from agent_factory.core.guardrails.guardrail import Guardrail, GuardrailOrigin

__all__ = ["remember_origin"]

P = ParamSpec("P")


def remember_origin(create: Callable[P, Guardrail]) -> Callable[P, Guardrail]:
    """Return a function that makes the same guardrails, which know their `GuardrailOrigin`.

    Args:
        create: The function; its name is that of the guardrail in blueprints.
    """

    @wraps(create)
    def create_with_origin(*args: P.args, **kwargs: P.kwargs) -> Guardrail:
        given = inspect.signature(create).bind(*args, **kwargs)
        for key, value in given.arguments.items():
            given.arguments[key] = _keep(value)
        made = create(*given.args, **given.kwargs)
        options = {
            key: deepcopy(value) if isinstance(value, Mapping) else value
            for key, value in given.arguments.items()
            if key != "name"
        }
        return replace(made, origin=GuardrailOrigin(made, create.__name__, options))

    return create_with_origin


def _keep(value: Any) -> Any:
    """Return an argument that can be gone through more than once, in an order that is always the same."""
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(value, key=str))
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, list, tuple)):
        return tuple(value)
    return tuple(value) if isinstance(value, list) else value
