"""Checks of the permissions of a blueprint: each entry means something, and can mean it here."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from agent_factory.core.blueprints.checks.names import check_repeats
from agent_factory.core.blueprints.leaks import is_secret_name
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Grant, parse_host_rule
from agent_factory.core.suggestions import describe_choices, find_close_name

if TYPE_CHECKING:
    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.limits import LimitsSection

__all__ = ["check_limits", "check_permissions"]

_LISTS: dict[str, tuple[str, ...]] = {
    "models": ("models",),
    "tools": ("tools",),
    "hosts": ("hosts",),
    "private_hosts": ("private_hosts",),
    "secrets": ("secrets",),
    "read": ("files", "read"),
    "write": ("files", "write"),
    "commands": ("commands",),
}


def check_permissions(context: CheckContext) -> None:
    """Check each entry of the permissions; where all mean something, the context has a grant afterwards.

    Args:
        context: The blueprint, and what was found in it.
    """
    section = context.blueprint.permissions
    for kind, keys in _LISTS.items():
        items = getattr(section.files if kind in ("read", "write") else section, keys[-1])
        place: Place = ("permissions", *keys)
        for index, item in enumerate(items):
            message = (
                _find_problem(context, kind, item)
                if item.strip()
                else f"an entry of {'.'.join(map(str, place))} must not be empty"
            )
            if message is not None:
                context.say((*place, index), message)
        if kind != "secrets":  # what is there by mistake is not repeated
            check_repeats(context, items, place)
    try:
        context.grant = Grant(section.create_permissions(), context.file.folder)
    except ConfigurationError:
        context.grant = None  # said above, entry by entry


def check_limits(context: CheckContext) -> None:
    """Find limits above what the permissions allow.

    Args:
        context: The blueprint, and what was found in it.
    """
    from agent_factory.core.blueprints.schema.base import parse_money

    permissions = context.blueprint.permissions
    sections: list[tuple[Place, LimitsSection]] = [(("limits",), context.blueprint.limits)]
    sections += [
        ((*place, "limits"), agent.limits) for agent, place in context.file.agents.values()
    ]
    for place, limits in sections:
        cost = limits.max_cost
        if cost is not None and parse_money(cost) > parse_money(permissions.spend):
            context.say(
                (*place, "max_cost"),
                f"{cost} is more than permissions.spend allows, which is {permissions.spend}: lower it, or raise "
                "permissions.spend",
            )
        most = permissions.timeout
        if most is not None and "timeout" in limits.model_fields_set and limits.timeout > most:
            context.say(
                (*place, "timeout"),
                f"{limits.timeout:g} seconds are more than permissions.timeout allows, which is {most:g}: lower "
                "it, or raise permissions.timeout",
            )


def _find_problem(context: CheckContext, kind: str, item: str) -> str | None:
    if kind == "models":
        return _find_model_problem(context, item)
    if kind == "tools":
        return _find_tool_problem(context, item)
    if kind in ("hosts", "private_hosts"):
        return _find_host_problem(kind, item)
    if kind == "secrets":
        if is_secret_name(item):
            return None
        return (
            "this is no name of a secret: name an environment variable in upper case, such as 'GITHUB_TOKEN', and "
            "never write its value here; a secret that has stood here must be withdrawn"
        )
    if kind == "commands":
        if any(char.isspace() for char in item.strip()) or "\0" in item:
            return f"{item!r} is no program: name the program alone, without its arguments"
        return None
    return _find_path_problem(context, item)


def _find_model_problem(context: CheckContext, item: str) -> str | None:
    models = context.blueprint.models
    uses = {section.use for section in models.values()}
    uses |= {agent.model for agent, _ in context.file.agents.values()} - set(models)
    if item in uses:
        return None
    if item in models:
        context.pass_over("models", models[item].use)
        return f"{item!r} is a name in models, and what is permitted is what stands under 'use' there: write {models[item].use!r}"
    try:
        context.adapters.check_model(item)
    except ConfigurationError as error:
        close = find_close_name(item, uses)
        if close is None:
            return error.message
        context.pass_over("models", close)
        return f"no model is named {item!r}: did you mean {close!r}?"
    return None


def _find_tool_problem(context: CheckContext, item: str) -> str | None:
    blueprint, registry = context.blueprint, context.adapters.tools
    if item in registry:
        return None
    if item in blueprint.tools:
        use = blueprint.tools[item].use
        context.pass_over("tools", use)
        return f"{item!r} is a name in tools, and what is permitted is what stands under 'use' there: write {use!r}"
    if item in blueprint.toolsets:
        return f"{item!r} is a toolset: write '{item}/*' for all of its tools, or '{item}/TOOL' for each that is needed"
    first, slash, rest = item.partition("/")
    if "*" in first:
        return f"{item!r} is no tool, and no sign stands for every tool: name each tool, or 'TOOLSET/*' for those of a toolset"
    if slash:
        known = [*blueprint.toolsets, *blueprint.dependencies]
        if first not in known:
            return f"no toolset is named {first!r}: {describe_choices(first, known)}"
        if not rest or ("*" in rest and rest.rpartition("/")[2] != "*"):
            return f"{item!r} names no tool: write '{first}/*', or '{first}/TOOL'"
        return None
    names = [*(entry.name for entry in registry), *(found.name for found in registry.installed)]
    close = find_close_name(item, names)
    if close is not None:
        context.pass_over("tools", close)
    return f"no tool is named {item!r}: {describe_choices(item, names)}"


def _find_host_problem(kind: str, item: str) -> str | None:
    try:
        rule = parse_host_rule(item)
    except ConfigurationError as error:
        return error.message
    if kind == "private_hosts":
        if rule.is_pattern:
            return f"permissions.private_hosts must be written out, without '*', not {item!r}"
        return None
    try:
        private = not ipaddress.ip_address(rule.host).is_global
    except ValueError:
        private = rule.host == "localhost" or rule.host.endswith(".localhost")
    if private:
        return f"{item!r} is a private address, which permissions.hosts never leads to: move it to permissions.private_hosts"
    return None


def _find_path_problem(context: CheckContext, item: str) -> str | None:
    from agent_factory.core.permissions.roots import resolve_path

    if item.startswith("~"):
        return f"{item!r} begins with '~', which is not replaced here: write a path from the folder of the blueprint, or from '/'"
    if "\\" in item:
        return f"{item!r} has a '\\' in it: write paths with '/'"
    if any(sign in item for sign in "*?"):
        return f"{item!r} is no path: no sign stands for several; name the folder, which permits all that is below it"
    try:
        resolve_path(item, context.file.folder)
    except ConfigurationError as error:
        return error.message
    return None
