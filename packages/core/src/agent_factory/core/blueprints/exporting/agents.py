"""The agents of Python as a blueprint has them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from agent_factory.core.blueprints.exporting.guards import GuardrailWriter, MemoryWriter
from agent_factory.core.blueprints.exporting.models import ModelWriter
from agent_factory.core.blueprints.exporting.names import is_name
from agent_factory.core.blueprints.exporting.needs import write_money
from agent_factory.core.blueprints.exporting.tool_uses import (
    ToolShape,
    ToolWriter,
    describe_tool,
)
from agent_factory.core.output_schemas import get_output_schema
from agent_factory.core.tools import Tool
from agent_factory.core.usage import DEFAULT_LIMITS

if TYPE_CHECKING:
    from agent_factory.core.agent import Agent

__all__ = ["AgentWriter"]


class AgentWriter:
    """Writes agents, with what they share.

    Args:
        description: What the blueprint says of itself, which holds for agents that say nothing.
        problems: What cannot be written is put here.

    Attributes:
        models: Writes their models.
        guardrails: Writes their guardrails.
        memory: Writes their memory.
    """

    def __init__(self, description: str, problems: list[str]) -> None:
        self.models = ModelWriter(problems)
        self.guardrails = GuardrailWriter(self.models, problems)
        self.memory = MemoryWriter(self.models, problems)
        self._description = description
        self._problems = problems
        # By identity, since a tool of an agent is looked at twice.
        self._shapes: dict[int, ToolShape] = {}

    def describe_tool(self, tool: object, owner: str) -> ToolShape | None:
        """Return a tool as a blueprint can describe it; None for an agent, and for what cannot be written.

        Args:
            tool: The tool, which has to stay as long as this writer.
            owner: Who has it, for messages.
        """
        if not isinstance(tool, Tool):
            self._problems.append(
                f"{owner}: it has a toolset ({type(tool).__name__}), which is code: describe its server under toolsets by hand"
            )
            return None
        if tool.origin is not None and tool.origin.agent is not None:
            return None
        if id(tool) not in self._shapes:
            shape = describe_tool(tool, f"{owner}: its tool {tool.name!r}", self._problems)
            if shape is None:
                return None
            self._shapes[id(tool)] = shape
        return self._shapes[id(tool)]

    def write(self, agent: Agent[Any, Any], tools: ToolWriter, spend: int) -> dict[str, Any]:
        """Return an agent as a section. Its tools have to be described before.

        Args:
            agent: The agent.
            tools: Writes its tools.
            spend: What a run of the blueprint may cost, in millionths of the currency's unit.
        """
        owner = f"agent {agent.name!r}"
        if not is_name(agent.name):
            self._problems.append(
                f"{owner}: a name in a blueprint is a letter, then letters, digits, '_' and '-': rename it with "
                "agent.replace(name=...)"
            )
        section: dict[str, Any] = {"instructions": "none"}
        if not isinstance(agent.instructions, str):
            self._problems.append(
                f"{owner}: its instructions are a function, which a blueprint cannot have: write them as a text"
            )
        elif not agent.instructions:
            self._problems.append(f"{owner}: it has no instructions, which a blueprint needs")
        else:
            section["instructions"] = agent.instructions
        if agent.description and agent.description != self._description:
            section["description"] = agent.description
        model = self.models.write(agent.model, owner)
        if model != "default":
            section["model"] = model
        section["tools"] = [
            use for tool in agent.tools if (use := self._write_use(tool, tools, owner))
        ]
        if agent.output_type is not str:
            section["output"] = _get_schema(agent.output_type)
            # Another form of an agent, which keeps nothing back.
            section["output_mode"] = agent._output.mode  # noqa: SLF001
        section["guardrails"] = [
            key
            for item in agent.guardrails
            if (key := self.guardrails.write(item, owner)) is not None
        ]
        if agent.memory is not None:
            section["memory"] = self.memory.write(agent.memory, owner)
        section["limits"] = _write_limits(agent, spend)
        section["handoffs"] = [other.name for other in agent.handoffs]
        return section

    def _write_use(self, tool: Any, tools: ToolWriter, owner: str) -> dict[str, Any] | None:
        if id(tool) in self._shapes:
            return tools.write(self._shapes[id(tool)])
        if not isinstance(tool, Tool) or tool.origin is None or tool.origin.agent is None:
            return None  # said before
        agent, made = tool.origin.agent, tool.origin.made
        use: dict[str, Any] = {"agent": agent.name}
        if tool.name != agent.name:
            use["name"] = tool.name
        said = agent.description or self._description or f"Ask the agent {agent.name!r}."
        if tool.spec.description != said:
            use["description"] = tool.spec.description
        if tool.needs_approval:
            use["approval"] = True
        changed = [
            key
            for key in ("effect", "retries", "max_result_chars")
            if getattr(tool, key) != getattr(made, key)
        ]
        if tool.timeout != agent.limits.timeout:
            changed.append("timeout")
        if changed:
            self._problems.append(
                f"{owner}: its tool {tool.name!r}, an agent, was changed in what a blueprint cannot say: {', '.join(changed)}: "
                "leave that as it was"
            )
        return use


def _get_schema(type_: Any) -> dict[str, Any]:
    own = get_output_schema(type_)
    return TypeAdapter(type_).json_schema() if own is None else own


def _write_limits(agent: Agent[Any, Any], spend: int) -> dict[str, Any]:
    """Return the limits that are not the default, nor what the permissions say anyway."""
    limits: dict[str, Any] = {}
    for field in fields(DEFAULT_LIMITS):
        value = getattr(agent.limits, field.name)
        if field.name == "max_cost":
            if value is not None and value < spend:
                limits["max_cost"] = write_money(value)
        elif value != getattr(DEFAULT_LIMITS, field.name):
            limits[field.name] = value
    return limits
