"""Making the agents of a blueprint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.agent import Agent
from agent_factory.core.blueprints.assembling.models import ModelMaker
from agent_factory.core.blueprints.assembling.tools import ToolMaker, shape_tool
from agent_factory.core.blueprints.checking import check_blueprint
from agent_factory.core.blueprints.loading import create_blueprint_error
from agent_factory.core.output_schemas import create_output_type
from agent_factory.core.tools import Tool

if TYPE_CHECKING:
    from agent_factory.core.blueprints.assembling.context import AssemblyContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.agents import AgentSection
    from agent_factory.core.blueprints.schema.tools import ToolUseSection
    from agent_factory.core.guardrails.guardrail import Guardrail
    from agent_factory.core.memory.ports import MemoryPolicy
    from agent_factory.core.toolsets import Toolset
    from agent_factory.core.usage import Limits

__all__ = ["AgentMaker"]


class AgentMaker:
    """Makes the agents of a blueprint with all that they have.

    Args:
        context: What makers share. The blueprint has passed its checks: agents call each other in no circle.

    Attributes:
        agents: The agents by name.
        models: Makes the models.
        tools: Makes the tools.
    """

    def __init__(self, context: AssemblyContext) -> None:
        self.agents: dict[str, Agent[object, Any]] = {}
        self.models = ModelMaker(context)
        self.tools = ToolMaker(context)
        self._context = context
        self._failed: set[str] = set()
        self._others: dict[str, Agent[object, Any]] = {}

    def make_all(self) -> None:
        """Make every part of the blueprint but its workflows.

        Raises:
            BlueprintError: A part cannot be made; it has every problem.
        """
        context = self._context
        self.tools.make_all()
        for name in context.file.agents:
            self._get_agent(name)
        if context.problems:
            raise create_blueprint_error(context.file.document.file, context.problems)

    def _get_agent(self, name: str) -> Agent[object, Any] | None:
        """Return an agent; None where it cannot be made, which is told once."""
        if name not in self.agents and name not in self._failed:
            section, place = self._context.file.agents[name]
            made = self._context.attempt(place, self._create_agent, name, section, place)
            if made is None:
                self._failed.add(name)
            else:
                self.agents[name] = made
        return self.agents.get(name)

    def _create_agent(
        self, name: str, section: AgentSection, place: Place
    ) -> Agent[object, Any] | None:
        context = self._context
        tools = self._create_tools(section, place)
        handoffs = [self._get_agent(other) for other in section.handoffs]
        settings = ("models", section.model) if section.model in context.blueprint.models else None
        model = context.attempt(settings or (*place, "model"), self.models.get, section.model)
        guardrails = [
            context.attempt((*place, "guardrails", index), self._create_guardrail, key)
            for index, key in enumerate(section.guardrails)
        ]
        memory = (
            None
            if section.memory is None
            else context.attempt((*place, "memory"), self._create_memory, section.memory)
        )
        if model is None or None in handoffs or None in guardrails or context.problems:
            return None
        schema = context.file.get_output(name)
        return Agent(
            name=name,
            model=model,
            instructions=context.file.get_text(section.instructions),
            tools=tools,
            output_type=str if schema is None else create_output_type(schema),
            output_mode=section.output_mode,
            guardrails=[item for item in guardrails if item is not None],
            memory=memory,
            limits=self._create_limits(section),
            handoffs=[other for other in handoffs if other is not None],
            description=section.description or context.blueprint.description,
        )

    def _create_limits(self, section: AgentSection) -> Limits:
        """Return the limits of an agent, within the permissions of the blueprint."""
        permissions = self._context.permissions
        limits = section.limits.create_limits(self._context.blueprint.limits.create_limits())
        most = permissions.spend
        cost = most if limits.max_cost is None else min(limits.max_cost, most)
        limits = replace(limits, max_cost=cost)
        if permissions.timeout is None:
            return limits
        return replace(limits, timeout=min(limits.timeout, permissions.timeout))

    def _create_tools(
        self, section: AgentSection, place: Place
    ) -> list[Tool[object] | Toolset[object]]:
        tools: list[Tool[object] | Toolset[object]] = []
        names: set[str] = set()
        for index, use in enumerate(section.tools):
            at = (*place, "tools", index)
            made = self._context.attempt(at, self._create_use, use, at)
            if made is None:
                continue
            if isinstance(made, Tool):
                if made.name in names:
                    # The name that a tool gives itself shows only now.
                    message = f"the agent has a tool {made.name!r} already: give this one another 'name', or take it out"
                    self._context.say(at, message)
                names.add(made.name)
            tools.append(made)
        return tools

    def _create_use(
        self, use: ToolUseSection, place: Place
    ) -> Tool[object] | Toolset[object] | None:
        if use.use is not None:
            made = self.tools.tools.get(use.use)
            if use.use not in self._context.blueprint.tools:
                made = self.tools.create(use.use, use.options, place)
            if made is None:
                return None
            return shape_tool(made, use.name, use.description, use.approval)
        if use.toolset is not None:
            toolset = self.tools.toolsets.get(use.toolset)
            return toolset.require_approval() if toolset is not None and use.approval else toolset
        if use.agent is not None:
            agent = self._get_agent(use.agent)
        else:
            agent = self._get_other(use.blueprint or "")
        if agent is None:
            return None
        tool = agent.as_tool(
            name=use.name or use.agent or use.blueprint, description=use.description
        )
        return replace(tool, needs_approval=True) if use.approval else tool

    def _get_other(self, name: str) -> Agent[object, Any]:
        """Return the agent that another blueprint runs."""
        if name not in self._others:
            from agent_factory.core.blueprints.dependencies import load_dependency

            other = load_dependency(self._context.file, name, self._context.grant)
            # A file may change from one reading to the next.
            check_blueprint(other, self._context.adapters)
            maker = AgentMaker(self._context.enter(other))
            maker.make_all()
            self._others[name] = maker.agents[other.entry or ""]
        return self._others[name]

    def _create_guardrail(self, name: str) -> Guardrail[Any]:
        from agent_factory.core.blueprints.guardrails import GUARDRAILS, create_guardrail
        from agent_factory.core.blueprints.schema.agents import GuardrailSection

        section = self._context.blueprint.guardrails.get(name)
        if section is None:
            section = GuardrailSection.model_validate({"use": name})
        options = GUARDRAILS[section.use].options.model_validate(section.options)
        return create_guardrail(name, section.use, options, section.tools, self.models.get)

    def _create_memory(self, name: str) -> MemoryPolicy:
        from agent_factory.core.memory import compose, keep_last, keep_window, summarise

        policies: list[MemoryPolicy] = []
        for part in self._context.blueprint.memory[name]:
            if part.keep_last is not None:
                policies.append(keep_last(part.keep_last))
            elif part.keep_window is not None:
                policies.append(keep_window(max_tokens=part.keep_window))
            elif part.summarise is not None:
                policies.append(
                    summarise(
                        self.models.get(part.summarise.model),
                        max_tokens=part.summarise.max_tokens,
                        keep_tokens=part.summarise.keep_tokens,
                    )
                )
        return policies[0] if len(policies) == 1 else compose(*policies)
