"""Checks of the tools and toolsets of a blueprint, and of what agents may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.blueprints.problems import create_problems
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Need
from agent_factory.core.registry import ToolEntry
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.tools import ToolUseSection

__all__ = ["check_step_tool", "check_tools", "check_use"]


def check_tools(context: CheckContext) -> None:
    """Check the tools and the toolsets.

    Args:
        context: The blueprint, and what was found in it.
    """
    for name, tool in context.blueprint.tools.items():
        _check_tool(context, tool.use, tool.options, ("tools", name))
    for name in context.blueprint.toolsets:
        _check_toolset(context, name)


def check_step_tool(context: CheckContext, use: str, place: Place) -> None:
    """Check a tool of the registry that a step of a workflow calls, where it can have no options.

    Args:
        context: The blueprint, and what was found in it.
        use: Name of the tool.
        place: The step.
    """
    entry = context.adapters.tools.check(use)
    if isinstance(entry, ToolEntry):
        try:
            entry.options.model_validate({})
        except ValidationError:
            context.check_need(Need("tools", use), (*place, "tool"))
            message = f"the tool {use!r} needs options: describe it under 'tools' with a name of its own, and name that here"
            context.say((*place, "tool"), message)
            return
    _check_tool(context, use, {}, place, key="tool")


def check_use(context: CheckContext, use: ToolUseSection, place: Place) -> None:
    """Check one thing that an agent may call.

    Args:
        context: The blueprint, and what was found in it.
        use: What the blueprint says of it.
        place: Where it is.
    """
    blueprint = context.blueprint
    if use.use is not None:
        if use.use in blueprint.tools:
            if use.options:
                message = (
                    f"the tool {use.use!r} of this blueprint has its options under tools already"
                )
                context.say((*place, "with"), message, at_key=True)
        elif use.use in context.adapters.tools:
            _check_tool(context, use.use, use.options, place)
        else:
            known = [*blueprint.tools, *_list_registry(context)]
            hint = _find_other_kind(context, use.use) or describe_choices(use.use, known)
            context.say((*place, "use"), f"no tool is named {use.use!r}: {hint}")
        return
    for key, name, known_names in (
        ("toolset", use.toolset, blueprint.toolsets),
        ("agent", use.agent, context.file.agents),
        ("blueprint", use.blueprint, blueprint.dependencies),
    ):
        if name is not None and name not in known_names:
            kind = "blueprint in dependencies" if key == "blueprint" else key
            hint = _find_other_kind(context, name) or describe_choices(name, known_names)
            context.say((*place, key), f"no {kind} is named {name!r}: {hint}")


def _find_other_kind(context: CheckContext, name: str) -> str | None:
    """Return how a name is written that means a part of another kind."""
    blueprint = context.blueprint
    for key, what, names in (
        ("agent", "an agent", context.file.agents),
        ("toolset", "a toolset", blueprint.toolsets),
        ("blueprint", "a dependency", blueprint.dependencies),
        ("use", "a tool", blueprint.tools),
    ):
        if name in names:
            return f"it is {what}: write '{key}: {name}'"
    if name in context.adapters.tools:
        return f"it is a tool: write 'use: {name}'"
    for section, what in (
        ("guardrails", "a guardrail"),
        ("workflows", "a workflow"),
        ("models", "a model"),
    ):
        if name in getattr(blueprint, section):
            return f"it is {what}, which an agent cannot call"
    return None


def _list_registry(context: CheckContext) -> list[str]:
    registry = context.adapters.tools
    return [*(item.name for item in registry), *(item.name for item in registry.installed)]


def _check_tool(
    context: CheckContext, use: str, options: dict[str, Any], place: Place, *, key: str = "use"
) -> None:
    try:
        entry = context.adapters.tools.check(use)
    except ConfigurationError as error:
        context.say((*place, key), error.message)
        return
    context.check_need(Need("tools", use), (*place, key))
    if not isinstance(entry, ToolEntry):
        return  # of an installed package, which is not imported here
    try:
        given = entry.options.model_validate(options)
    except ValidationError as error:
        context.problems += create_problems(
            context.file.document, error, entry.options, (*place, "with")
        )
        return
    try:
        needs = entry.needs(given)
    except ConfigurationError as error:
        context.say((*place, "with"), error.message)
        return
    for need in needs:
        context.check_need(need, (*place, "with", *need.path), why=f" for tool {use!r}")


def _check_toolset(context: CheckContext, name: str) -> None:
    place: Place = ("toolsets", name)
    section = context.blueprint.toolsets[name]
    if section.approval and section.approval_for:
        message = "'approval' asks for every tool already: take 'approval_for' out, or 'approval'"
        context.say((*place, "approval_for"), message, at_key=True)
    permitted = [
        item.partition("/")[2]
        for item in context.blueprint.permissions.tools
        if item.startswith(f"{name}/")
    ]
    if permitted and "*" not in permitted:
        named = [(("approval_for", index), item) for index, item in enumerate(section.approval_for)]
        effects = {} if section.mcp is None else section.mcp.effects
        named += [(("mcp", "effects", item), item) for item in effects]  # type: ignore[misc]
        for path, item in named:
            if item not in permitted:
                message = f"permissions.tools permits no tool '{name}/{item}': {describe_choices(item, permitted)}"
                context.say((*place, *path), message, at_key="effects" in path)
    try:
        needs = context.adapters.get_toolsets().find_needs(section, context.file)
    except ConfigurationError as error:
        context.say(place, error.message)
        return
    for need in needs:
        context.check_need(need, (*place, *need.path), why=f" for toolset {name!r}")
    if not permitted and name not in context.blueprint.permissions.tools:
        context.say(
            place,
            f"none of its tools is permitted: add '{name}/*', or '{name}/TOOL' for each tool that is needed, to "
            "permissions.tools",
            at_key=True,
        )
