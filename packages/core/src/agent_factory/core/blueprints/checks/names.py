"""Checks of the names in a blueprint: which part runs, and whether names can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place

__all__ = ["check_entry", "check_repeats", "check_spelling"]

_SECTIONS = (
    "models",
    "prompts",
    "tools",
    "toolsets",
    "agents",
    "workflows",
    "guardrails",
    "memory",
    "dependencies",
    "evals",
)


def check_entry(context: CheckContext) -> None:
    """Find out whether it is clear what runs.

    Args:
        context: The blueprint, and what was found in it.
    """
    blueprint = context.blueprint
    agents = context.file.agents
    names = [*agents, *blueprint.workflows]
    for name in blueprint.workflows:
        if name in agents:
            message = f"an agent is named {name!r} too: give one of them another name"
            context.say(("workflows", name), message, at_key=True)
    if blueprint.entry is not None and blueprint.entry not in names:
        hint = describe_choices(blueprint.entry, names)
        message = f"no agent and no workflow is named {blueprint.entry!r}: {hint}"
        context.say(("entry",), message)
    elif context.file.entry is None:
        kind = "workflows" if blueprint.workflows else "agents"
        message = f"it is not clear which of the {kind} runs: add 'entry: NAME'"
        context.say((kind,), message, at_key=True)


def check_spelling(context: CheckContext) -> None:
    """Find names of one section that people cannot tell apart.

    Args:
        context: The blueprint, and what was found in it.
    """
    for section in _SECTIONS:
        seen: dict[str, str] = {}
        for name in getattr(context.blueprint, section):
            other = seen.setdefault(name.lower(), name)
            if other != name:
                message = f"{name!r} differs from {other!r} in upper and lower case only: give one of them another name"
                context.say((section, name), message, at_key=True)


def check_repeats(context: CheckContext, names: Iterable[str], place: Place) -> None:
    """Find names that a list has twice.

    Args:
        context: The blueprint, and what was found in it.
        names: The names.
        place: Where the list is.
    """
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            context.say((*place, index), f"{name!r} is in the list already: take it out")
        seen.add(name)
