"""Writing agents that were put together in Python down as a blueprint."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.agent import Agent
from agent_factory.core.blueprints.exporting.agents import AgentWriter
from agent_factory.core.blueprints.exporting.exceptions import ExportError
from agent_factory.core.blueprints.exporting.needs import (
    find_least_permissions,
    find_spend,
    write_money,
    write_permissions,
)
from agent_factory.core.blueprints.exporting.tool_uses import ToolShape, ToolWriter
from agent_factory.core.blueprints.schema.blueprint import SCHEMA_VERSION, Blueprint
from agent_factory.core.blueprints.schema.evals import SuiteSection
from agent_factory.core.blueprints.schema.workflows import WorkflowSection
from agent_factory.core.blueprints.workflow_tools import find_tools
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent_factory.core.evals.cases import EvalSuite
    from agent_factory.core.permissions import Permissions
    from agent_factory.core.registry import ToolRegistry
    from agent_factory.core.workflows.workflow import Workflow

__all__ = ["create_blueprint"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def create_blueprint(
    agents: Agent[Any, Any] | Sequence[Agent[Any, Any]],
    *,
    name: str,
    version: str,
    description: str = "",
    entry: str | None = None,
    tools: Mapping[str, Tool[Any]] = _NOTHING,
    workflows: Mapping[str, WorkflowSection | Workflow[Any, Any]] = _NOTHING,
    evals: Mapping[str, EvalSuite | SuiteSection] = _NOTHING,
    permissions: Permissions | None = None,
    registry: ToolRegistry | None = None,
) -> Blueprint:
    """Return agents as a blueprint, which `write_blueprint` writes as a file.

    ```python
    blueprint = create_blueprint(agent, name="ask-docs", version="0.1.0", registry=registry)
    Path("ask-docs.yaml").write_text(write_blueprint(blueprint), encoding="utf-8")
    ```

    With the agents go those that they hand over to and those that they call as tools, of other blueprints too. Tools are
    known by the registry that made them, guardrails and memory by the functions of core that made them. Models are known by
    `Model.name` alone: settings and addresses that a model was given in Python stay behind, as do the validators of an
    output type, of which the JSON Schema is written.

    Args:
        agents: The agent, or several, the one that runs first; at least one.
        name: Name of the blueprint: lower-case letters, digits and ``-``.
        version: Its version.
        description: One line for people.
        entry: Name of the agent or workflow that runs. If None, the only workflow; without workflows the first agent.
        tools: Tools to put under ``tools`` by name, such as those that workflows call.
        workflows: The workflows by name, as sections of a blueprint; those that are written in Python are refused.
        evals: The suites by name.
        permissions: What the blueprint may touch. If None, the least that is needed: the models and the tools, with what
            the tools need by their options; and the largest ``max_cost`` of the agents' limits as what may be spent.
        registry: Says what tools need. Without it, and without `permissions`, tools are permitted by name alone, and
            hosts, files, secrets and commands have to be added by hand.

    Raises:
        ExportError: A part cannot stand in a blueprint, such as a function; it has all of them.
    """
    given = (agents,) if isinstance(agents, Agent) else tuple(agents)
    creator = _Creator(name, description)
    creator.add_agents(given)
    creator.add_tools(tools)
    creator.add_workflows(workflows)
    creator.add_evals(evals)
    if entry is None and not workflows and len(creator.agents) > 1:
        entry = given[0].name
    return creator.create(version, entry, permissions, registry)


class _Creator:
    def __init__(self, name: str, description: str) -> None:
        self.agents: dict[str, Agent[Any, Any]] = {}
        self._name = name
        self._description = description
        self._problems: list[str] = []
        self._writer = AgentWriter(description, self._problems)
        # The tools of the agents, and those that have a name in the blueprint in any case.
        self._shapes: list[ToolShape] = []
        self._tools: dict[str, ToolShape] = {}
        self._workflows: dict[str, WorkflowSection] = {}
        self._evals: dict[str, SuiteSection] = {}

    def add_agents(self, agents: Sequence[Agent[Any, Any]]) -> None:
        waiting, seen = list(agents), set[int]()
        if not waiting:
            self._problems.append("agents: there is none: pass at least one")
        while waiting:
            agent = waiting.pop(0)
            if id(agent) in seen:
                continue
            seen.add(id(agent))
            if self.agents.setdefault(agent.name, agent) is agent:
                waiting += _list_others(agent)
            else:
                self._problems.append(
                    f"agent {agent.name!r}: another agent has the same name: rename one with agent.replace(name=...)"
                )
        for agent in self.agents.values():
            for tool in agent.tools:
                shape = self._writer.describe_tool(tool, f"agent {agent.name!r}")
                self._shapes += [] if shape is None else [shape]

    def add_tools(self, tools: Mapping[str, Tool[Any]]) -> None:
        for name, tool in tools.items():
            shape = self._writer.describe_tool(tool, "tools")
            if shape is not None and name != shape.name:
                self._problems.append(
                    f"tools: the tool {shape.name!r} is to be named {name!r}: models call it by one name, so rename it with "
                    "rename_tool(...)"
                )
            elif shape is not None:
                self._tools[name] = shape

    def add_workflows(self, workflows: Mapping[str, WorkflowSection | Workflow[Any, Any]]) -> None:
        for name, workflow in workflows.items():
            if isinstance(workflow, WorkflowSection):
                self._workflows[name] = workflow
            else:
                self._problems.append(
                    f"workflow {name!r} is code, which a blueprint cannot have: pass the section of a blueprint in its place"
                )

    def add_evals(self, suites: Mapping[str, EvalSuite | SuiteSection]) -> None:
        from agent_factory.core.evals.sections import suite_to_section

        for name, suite in suites.items():
            try:
                section = suite if isinstance(suite, SuiteSection) else suite_to_section(suite)
            except ConfigurationError as error:
                self._problems.append(f"evals: {error.message}")
                continue
            self._evals[name] = section

    def create(
        self,
        version: str,
        entry: str | None,
        permissions: Permissions | None,
        registry: ToolRegistry | None,
    ) -> Blueprint:
        if entry is None and len(self._workflows) > 1:
            self._problems.append(
                "entry: there are several workflows: say which of them, or which agent, runs"
            )
        called = [tool for section in self._workflows.values() for _, tool in find_tools(section)]
        named = {*called} - self._tools.keys()
        tools = ToolWriter(self._tools, self._shapes, frozenset(named))
        spend = permissions.spend if permissions is not None else None
        if spend is None:
            spend = find_spend(self.agents.values(), self._problems)
        agents = {
            name: self._writer.write(agent, tools, spend) for name, agent in self.agents.items()
        }
        alone = len(agents) == 1 and self._name in agents
        data: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "name": self._name,
            "version": version,
            "description": self._description,
            "entry": entry,
            "models": self._writer.models.sections,
            "tools": tools.sections,
            **({"agent": agents[self._name]} if alone else {"agents": agents}),
            "workflows": self._workflows,
            "guardrails": self._writer.guardrails.sections,
            "memory": self._writer.memory.sections,
            "evals": self._evals,
        }
        if permissions is None:
            shapes = (*self._shapes, *self._tools.values())
            uses = [(shape.use, shape.options) for shape in shapes]
            uses += [(tool, _NOTHING) for tool in called if tool in named]
            models = [*self._writer.models.uses, *self._list_judges()]
            section = find_least_permissions(uses, models, registry, self._problems)
            data["permissions"] = {**section, "spend": write_money(spend)} if spend else section
        else:
            data["permissions"] = write_permissions(permissions)
        return self._validate(data)

    def _validate(self, data: dict[str, Any]) -> Blueprint:
        for name in set(self._writer.models.sections) & set(self._writer.models.uses):
            self._problems.append(
                f"models: a model is named {name!r}, as a chain of models of the blueprint is: give it another name"
            )
        try:
            blueprint = Blueprint.model_validate(data)
        except ValidationError as error:
            self._problems += [
                f"{'.'.join(str(key) for key in item['loc']) or 'the blueprint'}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False)
                if item["loc"][-1:] != ("[key]",) or item["loc"][0] != "agents"  # said before
            ]
            raise ExportError(self._name, self._problems) from None
        if self._problems:
            raise ExportError(self._name, self._problems)
        return blueprint

    def _list_judges(self) -> Iterator[str]:
        for suite in self._evals.values():
            for case in suite.cases:
                for item in case.expect:
                    if (
                        item.judge is not None
                        and item.judge.model not in self._writer.models.sections
                    ):
                        yield item.judge.model


def _list_others(agent: Agent[Any, Any]) -> list[Agent[Any, Any]]:
    """Return the agents that an agent hands over to, or has as tools."""
    others = list(agent.handoffs)
    for tool in agent.tools:
        if isinstance(tool, Tool) and tool.origin is not None and tool.origin.agent is not None:
            others.append(tool.origin.agent)
    return others
