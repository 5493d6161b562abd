"""The tools that a server offers: read to a bound, checked, and named so that a model can call them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.models import ToolSpec
from agent_factory.core.schemas import create_validator
from agent_factory.core.tools import Effect
from agent_factory.integrations.mcp.words import clean

__all__ = ["MAX_PAGES", "MAX_TOOLS", "Listing", "Offer", "read_listing"]

MAX_TOOLS = 512
"""Tools of one server that are read; the rest is left out."""

MAX_PAGES = 64
"""Pages of the list of tools that are asked for."""

_MOST_SCHEMA_CHARS = 65_536
_MOST_DEPTH = 32
_MOST_DESCRIPTION = 10_000
_MOST_NAME = 64
_MOST_SHOWN = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_OTHER = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool that a server offers.

    Attributes:
        name: Name on the server.
        spec: What a model is told.
        hinted: The effect that the server's hints speak of; None where they say nothing of use.
    """

    name: str
    spec: ToolSpec
    hinted: Effect | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server offers.

    Attributes:
        offers: The tools that can be used, in the order of the server.
        problems: Why others cannot.
    """

    offers: tuple[Offer, ...]
    problems: tuple[str, ...]


def read_listing(tools: Iterable[Any]) -> Listing:
    """Return the tools of a server that can be used, each under a name of its own.

    Args:
        tools: The SDK's ``Tool`` objects.
    """
    problems: list[str] = []
    kept: dict[str, Any] = {}
    for number, tool in enumerate(tools):
        if number == MAX_TOOLS:
            problems.append(f"the server offers more than {MAX_TOOLS} tools: the rest is left out")
            break
        if tool.name in kept:
            problems.append(f"the tool {_show(tool.name)} is offered twice: the second is left out")
            continue
        reason = _find_problem(tool)
        if reason is None:
            kept[tool.name] = tool
        else:
            problems.append(f"the tool {_show(tool.name)} is left out: {reason}")
    names = _choose_names(list(kept))
    offers = tuple(
        Offer(
            name,
            ToolSpec(
                names[name], clean(tool.description or "", _MOST_DESCRIPTION), tool.input_schema
            ),
            _read_hints(tool.annotations),
        )
        for name, tool in kept.items()
    )
    return Listing(offers, tuple(problems))


def _find_problem(tool: Any) -> str | None:
    if not tool.name.strip():
        return "it has no name"
    schema: Mapping[str, Any] = tool.input_schema
    if _is_deeper(schema, _MOST_DEPTH):
        return f"its schema is nested more than {_MOST_DEPTH} levels deep"
    size = len(json.dumps(schema))
    if size > _MOST_SCHEMA_CHARS:
        return f"its schema has {size:,} characters, and {_MOST_SCHEMA_CHARS:,} are allowed"
    if schema.get("type") != "object":
        return "its schema is not one of type 'object'"
    try:
        create_validator(schema, "its schema")
    except ConfigurationError as error:
        return clean(error.message, 400)
    return None


def _is_deeper(value: object, levels: int) -> bool:
    layer: list[object] = [value]
    for _ in range(levels):
        following: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                following += item.values()
            elif isinstance(item, list):
                following += item
        layer = following
        if not layer:
            return False
    return any(isinstance(item, (dict, list)) for item in layer)


def _choose_names(names: list[str]) -> dict[str, str]:
    """Return the name of each tool for a model. One that is good as it is, nobody else can take."""
    chosen = {name: name for name in names if _NAME.fullmatch(name)}
    taken = set(chosen)
    for name in names:
        if name in chosen:
            continue
        base = _OTHER.sub("_", name).strip("_")[:_MOST_NAME] or "tool"
        made, number = base, 1
        while made in taken:
            number += 1
            made = f"{base[: _MOST_NAME - len(str(number)) - 1]}_{number}"
        chosen[name] = made
        taken.add(made)
    return chosen


def _read_hints(annotations: Any) -> Effect | None:
    if annotations is None:
        return None
    if annotations.read_only_hint is True:
        return "read"
    return "idempotent" if annotations.idempotent_hint is True else None


def _show(name: str) -> str:
    return repr(clean(name, _MOST_SHOWN))
