"""Putting the agents and workflows of a blueprint together: the same objects as in Python, under the blueprint's permissions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.assembling.agents import AgentMaker
from agent_factory.core.blueprints.assembling.context import AssemblyContext, Closing
from agent_factory.core.blueprints.checking import check_blueprint
from agent_factory.core.blueprints.loading import create_blueprint_error
from agent_factory.core.budgets.memory import InMemoryBudget
from agent_factory.core.exceptions import ConfigurationError, OutputError
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_factory.core.agent import Agent
    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.models import Model
    from agent_factory.core.permissions import Denial, Grant
    from agent_factory.core.tools import Tool
    from agent_factory.core.toolsets import Toolset
    from agent_factory.core.workflows import Workflow
    from agent_factory.core.workflows.people import Person

__all__ = ["Assembly", "assemble", "create_agent"]

_MAX_PROBLEMS = 5


@dataclass(frozen=True, eq=False)
class Assembly:
    """A blueprint put together: agents and workflows that can run, many at a time.

    Attributes:
        file: The blueprint.
        grant: What it may touch.
        models: Its models, by the names that it uses for them.
        tools: The tools of the registry that it uses, by the name that models call them by.
        toolsets: Its toolsets by name.
        agents: Its agents by name.
        get_model: Returns the model of a name as blueprints use it; raises for one that is not permitted.
        spend: What all model calls of a run together may cost, in millionths of the currency's unit; None for no bound.
        timeout: Seconds that a run may take, questions to people excepted; None for no bound but those of its agents.
    """

    file: BlueprintFile
    grant: Grant
    models: Mapping[str, Model]
    tools: Mapping[str, Tool[object]]
    toolsets: Mapping[str, Toolset[object]]
    agents: Mapping[str, Agent[object, Any]]
    get_model: Callable[[str], Model] = field(repr=False)
    spend: int | None
    timeout: float | None
    _closing: Closing = field(default_factory=Closing, repr=False)

    @property
    def entry(self) -> str:
        """Name of the agent or workflow that runs."""
        return self.file.entry or ""

    def create_options(self, options: RunOptions = DEFAULT_OPTIONS) -> RunOptions:
        """Return the options of one run: those given, with what the blueprint allows it to spend.

        Args:
            options: What the caller brings along.
        """
        if self.spend is None:
            return options
        budget = InMemoryBudget("permissions.spend of the blueprint", max_cost=self.spend)
        return replace(options, budgets=(*options.budgets, budget))

    def check_input(self, value: Any) -> None:
        """Make sure that an input fits what the blueprint says of its inputs.

        Args:
            value: The input: a text, or plain data.

        Raises:
            ConfigurationError: It does not fit; the message says where.
        """
        from agent_factory.core.schemas import create_validator

        blueprint = self.file.blueprint
        if blueprint.inputs is None:
            if not isinstance(value, str):
                raise ConfigurationError(
                    f"the blueprint {blueprint.name!r} takes a text as its input, not {type(value).__name__}"
                )
            return
        problems = create_validator(blueprint.inputs, "inputs")(value, _MAX_PROBLEMS)
        if problems:
            raise ConfigurationError(
                f"the input does not fit 'inputs' of the blueprint {blueprint.name!r}: {'; '.join(problems)}"
            )

    def check_output(self, value: Any) -> None:
        """Make sure that a result fits what the blueprint says of its outputs.

        Args:
            value: The result, as plain data.

        Raises:
            OutputError: It does not fit; the message says where.
        """
        from agent_factory.core.schemas import create_validator

        blueprint = self.file.blueprint
        if blueprint.outputs is None:
            return
        problems = create_validator(blueprint.outputs, "outputs")(value, _MAX_PROBLEMS)
        if problems:
            raise OutputError(
                f"the result of {self.entry!r} does not fit 'outputs' of the blueprint {blueprint.name!r}: "
                f"{'; '.join(problems)}",
                details={"reason": "mismatch"},
            )

    def create_prompt(self, agent: str, value: Any) -> str:
        """Return how an input is put to an agent.

        Args:
            agent: Name of the agent.
            value: The input: a text, or plain data.

        Raises:
            ConfigurationError: The agent's ``prompt`` refers to something that the input does not have.
        """
        from agent_factory.core.blueprints.references import Template, to_text

        section, _ = self.file.agents[agent]
        if section.prompt is None:
            return to_text(value)
        return to_text(Template.parse(section.prompt).render({"input": value}))

    def get_workflow(self, name: str, options: RunOptions = DEFAULT_OPTIONS) -> Workflow[Any, Any]:
        """Return a workflow whose agents run with options.

        Args:
            name: Name of the workflow.
            options: What the agents' runs bring along; `create_options` makes those of one run.

        Raises:
            ConfigurationError: The workflow cannot be put together.
        """
        from agent_factory.core.blueprints.workflows import create_workflow

        return create_workflow(
            name,
            self.file.blueprint.workflows[name],
            agents=self.agents,
            get_tool=self.tools.__getitem__,
            options=options,
        )

    async def run(
        self, value: Any, *, options: RunOptions = DEFAULT_OPTIONS, person: Person | None = None
    ) -> Any:
        """Run what the blueprint runs, within what it may spend and the time that it may take.

        Args:
            value: The input: a text, or plain data that fits ``inputs``.
            options: What the caller brings along.
            person: Answers the questions of a workflow; nobody if None.

        Returns:
            The result as plain data; it fits ``outputs``.

        Raises:
            ConfigurationError: The input does not fit.
            OutputError: The result does not fit.
            RunTimeoutError: The run took too long.
            WorkflowError: A step of the workflow failed.
            CoreError: As `Agent.run`.
        """
        self.check_input(value)
        options = self.create_options(options)
        if self.entry in self.agents:
            prompt = self.create_prompt(self.entry, value)
            result = await self.agents[self.entry].run(prompt, deps=None, options=options)
            return result.output
        from agent_factory.core.blueprints.running import (
            BlueprintEngine,
            PatientApprover,
            RunClock,
        )

        clock = RunClock(self.timeout)
        if options.approver is not None:
            options = replace(options, approver=PatientApprover(options.approver, clock))
        engine = BlueprintEngine(self, person=person, clock=clock)
        return await self.get_workflow(self.entry, options).run(value, engine=engine)

    async def aclose(self) -> None:
        """Close the connections of models and toolsets, those of other blueprints included; each once."""
        await self._closing.aclose()


def assemble(
    file: BlueprintFile,
    adapters: Adapters,
    *,
    on_denied: Callable[[Denial], None] | None = None,
    wrap_model: Callable[[str, Model], Model] | None = None,
    wrap_tool: Callable[[str, Tool[object]], Tool[object]] | None = None,
) -> Assembly:
    """Put a blueprint together.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
        on_denied: Told of everything that is refused while it runs.
        wrap_model: Puts something around each model, such as a cassette; gets its name in the blueprint.
        wrap_tool: Puts something around each tool; gets its name in the registry, or ``toolset/tool``.

    Raises:
        BlueprintError: Something that it names does not exist, an option does not fit, its permissions do not name what it uses,
            or a part cannot be made; it has every problem.
    """
    check_blueprint(file, adapters)
    context = AssemblyContext(file, adapters, on_denied, wrap_model, wrap_tool, Closing())
    maker = AgentMaker(context)
    maker.make_all()
    assembly = Assembly(
        file=file,
        grant=context.grant,
        models=maker.models.made,
        tools=maker.tools.tools,
        toolsets=maker.tools.toolsets,
        agents=maker.agents,
        get_model=maker.models.get,
        spend=context.permissions.spend,
        timeout=context.permissions.timeout,
        _closing=context.closing,
    )
    for name in file.blueprint.workflows:
        context.attempt(("workflows", name), assembly.get_workflow, name)
    if context.problems:
        raise create_blueprint_error(file.document.file, context.problems)
    return assembly


def create_agent(file: BlueprintFile, adapters: Adapters) -> Agent[object, Any]:
    """Return the agent that a blueprint runs.

    What bounds a run as a whole, such as what it may spend, `Assembly.create_options` adds; the limits of the agent have it too.

    Args:
        file: The blueprint.
        adapters: What the program brings along.

    Raises:
        BlueprintError: As `assemble`.
        ConfigurationError: What it runs is a workflow.
    """
    assembly = assemble(file, adapters)
    if assembly.entry not in assembly.agents:
        raise ConfigurationError(
            f"{file.document.file} runs a workflow, and no agent: use assemble(...).run(...)"
        )
    return assembly.agents[assembly.entry]
