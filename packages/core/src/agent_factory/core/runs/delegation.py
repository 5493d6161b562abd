"""Agents that run as tools of other agents."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from agent_factory.core.exceptions import (
    AgentFactoryError,
    BudgetExceededError,
    LimitExceededError,
    RunTimeoutError,
    ToolError,
    ToolExecutionError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.messages import UserMessage
from agent_factory.core.models import ToolSpec
from agent_factory.core.runs.loop import RunLoop
from agent_factory.core.runs.scope import RunScope
from agent_factory.core.signatures import validate_arguments
from agent_factory.core.tools import Tool, ToolOrigin

if TYPE_CHECKING:
    from agent_factory.core.agent import Agent
    from agent_factory.core.context import ToolContext
    from agent_factory.core.tools import Effect

__all__ = ["create_agent_tool", "has_only"]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str


_PARAMETERS = {
    "type": "object",
    "properties": {
        "prompt": {
            "type": "string",
            "description": "What the agent is asked, with everything that it has to know.",
        }
    },
    "required": ["prompt"],
    "additionalProperties": False,
}


def create_agent_tool(
    agent: Agent[Any, Any], *, name: str | None, description: str | None, timeout: float | None
) -> Tool[Any]:
    """Return a tool in which an agent answers; see `Agent.as_tool`.

    Its effect is ``read`` where the agent and those that it may hand over to have no other tools than such, so that it can
    be cancelled and its timeout leaves nothing unknown; else ``once``.

    Args:
        agent: The agent.
        name: Name of the tool, or None for the agent's.
        description: Text for the model, or None for the agent's.
        timeout: Seconds that one call may take, or None for those of the agent's limits.

    Raises:
        ToolDefinitionError: The name or the timeout is refused.
    """
    called = re.sub(r"[^A-Za-z0-9_-]", "_", agent.name)[:64] if name is None else name
    said = agent.description if description is None else description

    def validate(arguments: str) -> _Arguments:
        return validate_arguments(called, _Arguments, arguments)

    async def call(context: ToolContext[Any], arguments: str) -> object:
        return await _run(agent, context, validate(arguments).prompt)

    made: Tool[Any] = Tool(
        ToolSpec(called, said or f"Ask the agent {agent.name!r}.", _PARAMETERS),
        call,
        "read" if has_only(agent, "read") else "once",
        agent.limits.timeout if timeout is None else timeout,
        validate=validate,
    )
    return replace(made, origin=ToolOrigin(made, agent=agent))


def has_only(agent: Agent[Any, Any], *effects: Effect) -> bool:
    """Return whether all that an agent, and those that it may hand over to, can do is of certain effects.

    Args:
        agent: The agent; one with a toolset may have tools that are not known yet, and so of any effect.
        effects: The effects.
    """
    return all(isinstance(item, Tool) and item.effect in effects for item in agent.tools) and all(
        has_only(other, *effects) for other in agent.handoffs
    )


async def _run(agent: Agent[Any, Any], context: ToolContext[Any], prompt: str) -> object:
    around = context.scope
    if around is None:  # called by hand, outside any run
        return (await agent.run(prompt, deps=context.deps)).output
    scope = RunScope(
        agent=agent.name,
        deps=context.deps,
        limits=agent.limits,
        options=around.run.options,
        loop=asyncio.get_running_loop(),
        call=around,
    )
    try:
        loop = RunLoop(agent, scope, UserMessage(prompt), (), streaming=False)
        return (await loop.run()).output
    except BudgetExceededError as error:
        if error.budget != scope.budget_name:
            raise
        failure: AgentFactoryError = error
    except LimitExceededError as error:
        if _is_around(scope, error.details.get("run_id")):
            raise
        failure = error
    except RunTimeoutError as error:
        if around.deadline.left() <= 0:
            # The time of the call is over, not that of the agent, whose error would name its own limit.
            raise ToolTimeoutError(
                f"agent {agent.name!r} had no answer in the time of the call"
            ) from error
        failure = error
    except AgentFactoryError as error:
        failure = error
    said = failure.message
    if isinstance(failure, ToolExecutionError):  # what a defect says is not meant for a model
        said = f"its tool {failure.tool!r} has a defect"
    said = f"agent {agent.name!r} failed: {said}"
    if scope.effects:
        raise ToolOutcomeUnknownError(
            f"{said}; some of its effects may have happened, and which is not known: find out before it is asked again",
            details={"code": failure.code},
        ) from failure
    raise ToolError(said, details={"code": failure.code}) from failure


def _is_around(scope: RunScope, run_id: object) -> bool:
    """Return whether an identifier is that of a run around a run."""
    outer = scope.parent
    while outer is not None and outer.run_id != run_id:
        outer = outer.parent
    return outer is not None
