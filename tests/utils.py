"""Makers of small agents, tools and workflows, for tests that need one and care about little of it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, overload

from agent_factory.core import Agent, Limits, Tool, Workflow, step, tool
from agent_factory.core.testing import ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent_factory.core import (
        AssistantMessage,
        Effect,
        Model,
        ModelError,
        ModelResponse,
        ToolCall,
    )

__all__ = ["create_test_agent", "create_test_tool", "create_test_workflow"]

OutT = TypeVar("OutT")

DEFAULT_LIMITS = Limits(timeout=10.0)


@overload
def create_test_agent(
    answers: Iterable[str | ToolCall | AssistantMessage | ModelResponse | ModelError] = ...,
    *,
    model: Model | None = ...,
    tools: Sequence[Tool[Any]] = ...,
    name: str = ...,
    instructions: str = ...,
    limits: Limits = ...,
) -> Agent[Any, str]: ...


@overload
def create_test_agent(
    answers: Iterable[str | ToolCall | AssistantMessage | ModelResponse | ModelError] = ...,
    *,
    model: Model | None = ...,
    tools: Sequence[Tool[Any]] = ...,
    output_type: type[OutT],
    name: str = ...,
    instructions: str = ...,
    limits: Limits = ...,
) -> Agent[Any, OutT]: ...


def create_test_agent(
    answers: Iterable[str | ToolCall | AssistantMessage | ModelResponse | ModelError] = ("done",),
    *,
    model: Model | None = None,
    tools: Sequence[Tool[Any]] = (),
    output_type: type[Any] = str,
    name: str = "tester",
    instructions: str = "",
    limits: Limits = DEFAULT_LIMITS,
) -> Agent[Any, Any]:
    """Make an agent whose model follows a script.

    Args:
        answers: What the model answers, one item for each request. By default it says "done" once.
        model: The model itself, in place of the scripted one.
        tools: The agent's tools.
        output_type: Type of the agent's answer.
        name: Name of the agent.
        instructions: The agent's instructions; none if empty.
        limits: What a run may use; by default the usual limits with a timeout of 10 s, so that a
            test that hangs fails soon.

    Returns:
        The agent; it can run once for each "final" answer in the script.
    """
    return Agent(
        name=name,
        model=ScriptedModel(answers) if model is None else model,
        instructions=instructions,
        tools=tools,
        output_type=output_type,
        limits=limits,
    )


def create_test_tool(
    name: str = "echo",
    *,
    result: object = None,
    error: Exception | None = None,
    calls: list[str] | None = None,
    effect: Effect = "read",
    timeout: float = 5.0,
) -> Tool[object]:
    """Make a tool with one optional parameter, ``text``.

    Args:
        name: Name of the tool.
        result: What it returns; None returns the ``text`` that it was called with.
        error: What it raises in place of returning.
        calls: A list that receives the ``text`` of every call, oldest first.
        effect: The tool's effect.
        timeout: Seconds that a call may take.

    Returns:
        The tool.
    """

    async def call(text: str = "") -> object:
        if calls is not None:
            calls.append(text)
        if error is not None:
            raise error
        return text if result is None else result

    return tool(call, name=name, description=f"Test tool {name}.", effect=effect, timeout=timeout)


def create_test_workflow(
    *functions: Callable[[Any], Any], name: str = "test-workflow", timeout: float = 5.0
) -> Workflow[Any, Any]:
    """Make a workflow from functions, one step for each.

    Args:
        functions: What the steps do, coroutine functions or plain ones. Without any, there is one step,
            which returns what it gets.
        name: Name of the workflow; its steps are named ``step-1``, ``step-2`` and so on.
        timeout: Seconds that each step may take.

    Returns:
        The workflow.
    """

    def make(index: int, function: Callable[[Any], Any]) -> Any:
        async def run(value: Any) -> Any:
            result = function(value)
            return await result if inspect.isawaitable(result) else result

        return step(run, name=f"step-{index}", timeout=timeout)

    first, *others = functions or (lambda value: value,)
    workflow: Workflow[Any, Any] = Workflow(name, make(1, first))
    for index, function in enumerate(others, start=2):
        workflow = workflow.then(make(index, function))
    return workflow
