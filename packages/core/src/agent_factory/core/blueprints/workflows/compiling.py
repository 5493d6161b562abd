"""Making the workflow that a blueprint describes, of the same parts as one that is written in Python."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.references import DataTemplate, Path, Template
from agent_factory.core.blueprints.workflows.answers import create_answer_type
from agent_factory.core.blueprints.workflows.blocks import (
    Attempt,
    ForEach,
    Handler,
    Repeat,
    SideBySide,
    Switch,
    write_case,
)
from agent_factory.core.blueprints.workflows.checking import check_workflow
from agent_factory.core.blueprints.workflows.conditions import TESTS, Condition
from agent_factory.core.blueprints.workflows.known import list_known
from agent_factory.core.blueprints.workflows.rows import BlueprintWorkflow, chain
from agent_factory.core.blueprints.workflows.tasks import AskTask, Task, ValueTask
from agent_factory.core.blueprints.workflows.tool_calls import create_tool_step
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions
from agent_factory.core.workflows.policies import Retry
from agent_factory.core.workflows.questions import DEFAULT_TIMEOUT
from agent_factory.core.workflows.steps import agent_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent_factory.core.agent import Agent
    from agent_factory.core.blueprints.schema.workflows import (
        ConditionSection,
        RetrySection,
        StepSection,
        WorkflowSection,
    )
    from agent_factory.core.blueprints.workflows.scope import Scope
    from agent_factory.core.tools import Tool
    from agent_factory.core.workflows.nodes import Node
    from agent_factory.core.workflows.workflow import Workflow

__all__ = ["create_workflow"]

_MARGIN = 5.0


def create_workflow(
    name: str,
    section: WorkflowSection,
    *,
    agents: Mapping[str, Agent[Any, Any]],
    get_tool: Callable[[str], Tool[object]],
    options: RunOptions = DEFAULT_OPTIONS,
) -> Workflow[Any, Any]:
    """Make the workflow that a blueprint describes.

    Args:
        name: Name of the workflow.
        section: What the blueprint says.
        agents: The agents of the blueprint by name. They need no deps.
        get_tool: Returns the tool of a name, made within the permissions of the blueprint; raises `ConfigurationError` for
            one that there is not, and `PermissionDeniedError` for one that is not granted.
        options: What the runs of agents and the tool calls of the workflow bring along: approver, journal, budgets.

    Returns:
        The workflow. It takes and gives plain data.

    Raises:
        ConfigurationError: Something is wrong with it; ``details["path"]`` has the keys and positions that lead to the first
            problem.
        PermissionDeniedError: A tool is not granted.
    """
    problems = check_workflow(section, agents=agents)
    if problems:
        path, message = problems[0]
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise _refuse(name, path, f"{message}{more}")
    compiler = _Compiler(name, agents, get_tool, options)
    nodes = compiler.row(section.steps, ("steps",))
    given = "output" in section.model_fields_set
    return BlueprintWorkflow(name, nodes, DataTemplate.parse(section.output) if given else None)


class _Compiler:
    def __init__(
        self,
        workflow: str,
        agents: Mapping[str, Agent[Any, Any]],
        get_tool: Callable[[str], Tool[object]],
        options: RunOptions,
    ) -> None:
        self._workflow = workflow
        self._agents = agents
        self._get_tool = get_tool
        self._options = options

    def row(self, steps: Sequence[StepSection], path: Path) -> tuple[Node[Scope, Scope], ...]:
        return tuple(self._step(step, (*path, index)) for index, step in enumerate(steps))

    def _body(
        self, name: str, steps: Sequence[StepSection] | None, path: Path
    ) -> Node[Scope, Scope]:
        """Return steps as one node. A single one needs no box around it in pictures."""
        nodes = self.row(steps or (), path)
        return nodes[0] if len(nodes) == 1 else chain(name, nodes)

    def _step(self, step: StepSection, path: Path) -> Node[Scope, Scope]:
        try:
            match step.kinds[0]:
                case "agent":
                    return self._agent(step)
                case "tool":
                    return self._tool(step)
                case "ask":
                    return _ask(step)
                case "value":
                    return ValueTask(step.name, DataTemplate.parse(step.value))
                case "for_each":
                    return ForEach(
                        name=step.name,
                        body=self._body("steps", step.steps, (*path, "steps")),
                        limit=step.limit,
                        items=DataTemplate.parse(step.for_each),
                        max_items=step.max_items,
                    )
                case "parallel":
                    nodes = self.row(step.parallel or (), (*path, "parallel"))
                    return SideBySide(step.name, nodes, step.limit)
                case "switch":
                    return self._switch(step, path)
                case "repeat":
                    return self._repeat(step, path)
                case _:
                    nodes = self.row(step.on_error or (), (*path, "on_error"))
                    handler = Handler("on error", nodes)
                    return Attempt(
                        step.name,
                        self._body("try", step.attempt, (*path, "try")),
                        MappingProxyType({Exception: handler}),
                    )
        except ConfigurationError as error:
            if "path" in error.details:
                raise
            raise _refuse(self._workflow, path, error.message) from error

    def _agent(self, step: StepSection) -> Task:
        agent = self._agents[step.agent or ""]
        timeout = step.timeout
        if timeout is None:
            limits = agent.limits
            # A little longer than the agent, whose own error says more. A person's time is none of the agent's.
            waiting = 0.0 if self._options.approver is None else limits.approval_timeout
            timeout = limits.timeout + waiting + _MARGIN
        made = agent_step(
            agent,
            deps=None,
            options=self._options,
            name=step.name,
            timeout=timeout,
            retry=_create_retry(step.retry),
        )
        return Task(step.name, made, DataTemplate.parse(step.input), f"agent {step.agent}")

    def _tool(self, step: StepSection) -> Task:
        made = create_tool_step(
            step.name,
            self._get_tool(step.tool or ""),
            workflow=self._workflow,
            options=self._options,
            retry=_create_retry(step.retry),
            timeout=step.timeout,
        )
        return Task(step.name, made, DataTemplate.parse(step.arguments), f"tool {step.tool}")

    def _switch(self, step: StepSection, path: Path) -> Switch:
        template = Template.parse(step.switch or "")
        cases = {
            case: self._body(f"case {number}", steps, (*path, "cases", case))
            for number, (case, steps) in enumerate((step.cases or {}).items(), start=1)
        }
        otherwise = None
        if step.otherwise is not None:
            otherwise = self._body("any other case", step.otherwise, (*path, "otherwise"))
        return Switch(
            step.name,
            lambda scope: write_case(template, scope),
            MappingProxyType(cases),
            otherwise,
        )

    def _repeat(self, step: StepSection, path: Path) -> Repeat:
        steps = step.repeat or ()
        condition = _create_condition(step.until)
        return Repeat(
            name=step.name,
            body=self._body("turn", steps, (*path, "repeat")),
            until=condition.holds,
            max_turns=step.max_turns or 1,
            start=DataTemplate.parse(step.start),
            condition=condition,
            names=tuple(list_known(steps)),
        )


def _ask(step: StepSection) -> AskTask:
    return AskTask(
        step.name,
        str,
        create_answer_type(step.answer, f"answer of step {step.name!r}"),
        DEFAULT_TIMEOUT if step.timeout is None else step.timeout,
        template=Template.parse(step.ask or ""),
    )


def _create_retry(section: RetrySection | None) -> Retry | None:
    if section is None:
        return None
    return Retry(section.max_attempts, section.first_delay, section.max_delay)


def _create_condition(section: ConditionSection | None) -> Condition:
    if section is None:
        raise ConfigurationError("a repeat needs until")
    test = next(test for test in TESTS if test in section.model_fields_set)
    return Condition(Template.parse(section.value), test, getattr(section, test))


def _refuse(workflow: str, path: Path, message: str) -> ConfigurationError:
    place = ".".join(map(str, path))
    return ConfigurationError(
        f"workflow {workflow!r}: {place}: {message}", details={"path": list(path)}
    )
