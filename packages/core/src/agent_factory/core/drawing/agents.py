"""What pictures of agents show: their tools and toolsets, whom they ask, and whom they hand over to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.tools import Tool
from agent_factory.core.workflows.graph import Graph, GraphBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.agent import Agent

__all__ = ["agents_to_mermaid", "create_agents_graph"]

_MAX_TOOLS = 200


def agents_to_mermaid(agents: Iterable[Agent[Any, Any]], *, title: str = "agents") -> str:
    """Draw agents as the text of a Mermaid flowchart.

    Args:
        agents: The agents; those that they hand over to are drawn too.
        title: What it is a picture of.

    Returns:
        The text; the same agents always give the same text.

    Raises:
        ConfigurationError: There are no agents.
    """
    from agent_factory.core.workflows.mermaid import write_mermaid

    return write_mermaid(create_agents_graph(agents, title=title))


def create_agents_graph(agents: Iterable[Agent[Any, Any]], *, title: str = "agents") -> Graph:
    """Return what a picture of agents shows.

    Args:
        agents: The agents; those that they hand over to are shown too. A tool in which one of them answers is shown as an
            arrow to that agent.
        title: What it is a picture of.

    Returns:
        The graph; the same agents always give the same one.

    Raises:
        ConfigurationError: There are no agents.
    """
    found = _collect(agents)
    if not found:
        raise ConfigurationError("there are no agents to draw: pass at least one")
    picture = GraphBuilder()
    keys = [picture.add(agent.name, "agent", agent.model.name) for agent in found]
    called = {_slug(agent.name): key for agent, key in zip(found, keys, strict=True)}
    shared: dict[int, str] = {}
    for agent, key in zip(found, keys, strict=True):
        for part in agent.tools[:_MAX_TOOLS]:
            if isinstance(part, Tool) and _is_agent(part) and part.name in called:
                picture.connect([key], called[part.name], "asks")
                continue
            if id(part) not in shared:
                shared[id(part)] = _add_tool(picture, part)
            picture.connect([key], shared[id(part)])
        if len(agent.tools) > _MAX_TOOLS:
            more = picture.add(f"{len(agent.tools) - _MAX_TOOLS} more", "toolset")
            picture.connect([key], more)
        for other in agent.handoffs:
            target = next(k for item, k in zip(found, keys, strict=True) if item is other)
            picture.connect([key], target, "hands over", dashed=True)
    return Graph(title, picture.parts, tuple(picture.edges), sideways=True)


def _collect(agents: Iterable[Agent[Any, Any]]) -> list[Agent[Any, Any]]:
    """Return the agents and all that they may hand over to, each once."""
    found: list[Agent[Any, Any]] = []
    seen: set[int] = set()
    waiting = list(agents)[::-1]
    while waiting:
        agent = waiting.pop()
        if id(agent) not in seen:
            seen.add(id(agent))
            found.append(agent)
            waiting += agent.handoffs[::-1]
    return found


def _add_tool(picture: GraphBuilder, part: object) -> str:
    if not isinstance(part, Tool):
        name = getattr(part, "name", "")
        label = name if isinstance(name, str) and name else "tools chosen in each run"
        return picture.add(label, "toolset")
    return picture.add(part.name, "tool", "needs approval" if part.needs_approval else "")


def _is_agent(part: Tool[Any]) -> bool:
    """Return whether a tool may be one in which an agent answers, as far as what it takes tells."""
    return list(part.spec.parameters.get("properties", {})) == ["prompt"]


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
