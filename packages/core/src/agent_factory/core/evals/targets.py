"""Agents and workflows as targets of a suite."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from agent_factory.core.agent import Agent
from agent_factory.core.evals.observations import Attempt, Observation, ObservedError
from agent_factory.core.evals.recording import RunRecorder
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions
from agent_factory.core.workflows.workflow import Workflow

if TYPE_CHECKING:
    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.running import Target
    from agent_factory.core.messages import UserMessage
    from agent_factory.core.workflows.engine import WorkflowEngine

__all__ = ["create_agent_target", "create_workflow_target"]

DepsT = TypeVar("DepsT")

_CreatePrompt: TypeAlias = "Callable[[Any], str | UserMessage]"


def _write_prompt(value: Any) -> str:
    """Return a text as it is, and other data as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@overload
def create_agent_target(
    agent: Agent[None, Any] | Callable[[Attempt], Agent[None, Any]],
    *,
    deps: None = None,
    options: RunOptions = ...,
    create_prompt: _CreatePrompt = ...,
) -> Target: ...


@overload
def create_agent_target(
    agent: Agent[DepsT, Any] | Callable[[Attempt], Agent[DepsT, Any]],
    *,
    deps: DepsT,
    options: RunOptions = ...,
    create_prompt: _CreatePrompt = ...,
) -> Target: ...


def create_agent_target(
    agent: Agent[Any, Any] | Callable[[Attempt], Agent[Any, Any]],
    *,
    deps: Any = None,
    options: RunOptions = DEFAULT_OPTIONS,
    create_prompt: _CreatePrompt = _write_prompt,
) -> Target:
    """Return a target that runs an agent, each attempt as a run of its own.

    Args:
        agent: The agent; or a plain function of an attempt that makes one, such as one whose model takes the attempt's seed.
        deps: What the tools need of the caller; the same in every attempt.
        options: What else every run brings along. Neither a session nor a ``run_id``, which runs cannot share.
        create_prompt: Makes the prompt of a case's input. By default a text is the prompt, and other data is put as JSON.

    Raises:
        ConfigurationError: It is no agent, or the options have what runs cannot share.
    """
    given: object = agent
    if not isinstance(given, Agent) and (isinstance(given, type) or not callable(given)):
        raise ConfigurationError(
            f"a target needs an agent, or a function of an attempt that makes one, not {given!r:.80}"
        )
    if options.session is not None or options.run_id:
        raise ConfigurationError(
            "the options of a target have a session or a run_id, which attempts would share: leave them out"
        )

    async def run(case: EvalCase, attempt: Attempt) -> Observation:
        recorder = RunRecorder()
        watched = replace(
            options,
            observers=(*options.observers, recorder),
            seed=attempt.seed if options.seed is None else options.seed,
        )
        try:
            chosen = agent if isinstance(agent, Agent) else agent(attempt)
            prompt = create_prompt(case.input)
            result = await chosen.run(prompt, deps=deps, options=watched)
        except Exception as error:  # noqa: BLE001 - what a run ends with is what is tested
            return Observation(
                tool_calls=recorder.tool_calls,
                usage=recorder.usage,
                error=ObservedError.from_exception(error),
            )
        return Observation(result.output, recorder.tool_calls, result.usage)

    return run


def create_workflow_target(
    workflow: Workflow[Any, Any] | Callable[[Attempt, RunRecorder], Workflow[Any, Any]],
    *,
    engine: WorkflowEngine | None = None,
) -> Target:
    """Return a target that runs a workflow, whose first step gets the input of the case.

    Args:
        workflow: The workflow. Nothing is known then of the tool calls and the usage of agents in it. To know them, pass a plain
            function of an attempt and a recorder that makes the workflow; its agents run with
            ``RunOptions(observers=(recorder,))``.
        engine: What runs it; a `LocalEngine` if None.

    Raises:
        ConfigurationError: It is no workflow.
    """
    given: object = workflow
    if not isinstance(given, Workflow) and (isinstance(given, type) or not callable(given)):
        raise ConfigurationError(
            f"a target needs a workflow, or a function that makes one, not {given!r:.80}"
        )

    async def run(case: EvalCase, attempt: Attempt) -> Observation:
        recorder = RunRecorder()
        output: Any = None
        error: ObservedError | None = None
        try:
            chosen = workflow if isinstance(workflow, Workflow) else workflow(attempt, recorder)
            output = await chosen.run(case.input, engine=engine)
        except Exception as raised:  # noqa: BLE001 - what a run ends with is what is tested
            error = ObservedError.from_exception(raised)
        if isinstance(workflow, Workflow):
            return Observation(output, error=error)
        return Observation(output, recorder.tool_calls, recorder.usage, error=error)

    return run
