"""The names of the tools that an agent's model sees, so far as they are known before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.output import ANSWER_TOOL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.schema.tools import ToolUseSection

__all__ = ["check_tool_names", "list_agent_tools", "list_reachable_tools", "name_use"]


def name_use(use: ToolUseSection) -> str | None:
    """Return the name of the tool that a part of an agent's tools becomes; None for a toolset.

    Args:
        use: What the blueprint says of it.
    """
    if use.toolset is not None:
        return None
    given = use.options.get("name") if use.use is not None else None
    return (
        use.name
        or (given if isinstance(given, str) else None)
        or use.use
        or use.agent
        or use.blueprint
    )


def check_tool_names(context: CheckContext, agent: str) -> None:
    """Find names of tools that a model could not tell apart.

    Args:
        context: The blueprint, and what was found in it.
        agent: Name of the agent.
    """
    section, place = context.file.agents[agent]
    reserved = {f"transfer_to_{name}" for name in section.handoffs}
    if section.output_mode == "tool":
        reserved.add(ANSWER_TOOL)
    names: set[str] = set()
    toolsets: set[str] = set()
    for index, use in enumerate(section.tools):
        at = (*place, "tools", index)
        name = name_use(use)
        if use.toolset is not None:
            if use.toolset in toolsets:
                context.say(at, f"the agent has the toolset {use.toolset!r} already: take it out")
            toolsets.add(use.toolset)
        elif name in reserved:
            context.say(
                at, f"the name {name!r} is taken by the agent itself: give the tool another 'name'"
            )
        elif name in names:
            context.say(
                at,
                f"the agent has a tool {name!r} already: give this one another 'name', or take it out",
            )
        elif name is not None:
            names.add(name)


def list_agent_tools(context: CheckContext, agent: str) -> set[str] | None:
    """Return the names of the tools of an agent; None where they are not all known.

    Args:
        context: The blueprint, and what was found in it.
        agent: Name of the agent.
    """
    section, _ = context.file.agents[agent]
    names = {f"transfer_to_{name}" for name in section.handoffs}
    if section.output_mode == "tool":
        names.add(ANSWER_TOOL)
    for use in section.tools:
        name = name_use(use)
        if name is not None:
            names.add(name)
            continue
        toolset = context.blueprint.toolsets.get(use.toolset or "")
        permitted = [
            item.partition("/")[2]
            for item in context.blueprint.permissions.tools
            if item.startswith(f"{use.toolset}/")
        ]
        if toolset is None or "*" in permitted:
            return None
        names |= {toolset.prefix + item for item in permitted}
    return names


def list_reachable_tools(context: CheckContext, agents: Iterable[str]) -> set[str] | None:
    """Return the names of the tools that may be called while agents run; None where they are not all known.

    Args:
        context: The blueprint, and what was found in it.
        agents: Names of the agents.
    """
    names: set[str] = set()
    waiting = list(agents)
    seen: set[str] = set()
    while waiting:
        agent = waiting.pop()
        if agent in seen or agent not in context.file.agents:
            continue
        seen.add(agent)
        own = list_agent_tools(context, agent)
        section, _ = context.file.agents[agent]
        if own is None or any(use.blueprint is not None for use in section.tools):
            return None
        names |= own
        waiting += [*section.handoffs, *(use.agent for use in section.tools if use.agent)]
    return names
