"""Tool calls that a workflow makes itself, without a model: with the checks that those of an agent go through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import (
    AgentFactoryError,
    ConfigurationError,
    ToolDeniedError,
    ToolError,
    ToolExecutionError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.messages import ToolCall
from agent_factory.core.runs.guardrail_checks import GuardrailRunner
from agent_factory.core.runs.scope import RunScope
from agent_factory.core.runs.tool_calls import ToolCaller
from agent_factory.core.runs.tool_pipeline import ToolPipeline
from agent_factory.core.usage import DEFAULT_LIMITS, Limits, Usage
from agent_factory.core.waiting import Deadline
from agent_factory.core.workflows.context import StepContext
from agent_factory.core.workflows.steps import Step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_factory.core.messages import ToolMessage
    from agent_factory.core.options import RunOptions
    from agent_factory.core.tools import Tool
    from agent_factory.core.workflows.policies import Retry

__all__ = ["create_tool_step"]

_CALL_ID = "workflow"
_PAUSES = 2.0
_MARGIN = 10.0
# The bound is kept before a result is written as JSON, whose form must not be cut.
_WHOLE = 2**31


def create_tool_step(
    name: str,
    tool: Tool[object],
    *,
    workflow: str,
    options: RunOptions,
    retry: Retry | None,
    timeout: float | None,
) -> Step[str, Any]:
    """Make a step that calls a tool. It takes the arguments as JSON text, and returns the result as plain data.

    The arguments are validated, a person is asked where the tool needs that, budgets count the call, and where it must take
    effect once, the journal of the options has it before and after. Observers are told nothing: there is no run of an
    agent that events could be a part of.

    Args:
        name: Name of the step.
        tool: The tool.
        workflow: Name of the workflow, which people see in place of an agent's.
        options: Approver, journal and budgets.
        retry: Whether and how a failed call is made again; not at all if None.
        timeout: Seconds that one call may take, if that is less than the tool's own timeout; None for that.

    Returns:
        The step.

    Raises:
        ConfigurationError: The call would be made again, and the tool must take effect once.
    """
    if retry is not None and tool.effect == "once":
        raise ConfigurationError(
            f"tool {tool.name!r} must take effect once, so it is never called again by itself: leave out retry"
        )
    seconds = tool.timeout if timeout is None else min(timeout, tool.timeout)
    pause = max(_PAUSES, seconds)
    bound = (seconds + pause) * (tool.retries + 1)
    limits = Limits(timeout=bound)
    wrapped = replace(tool, call=_write_result(tool), timeout=seconds, max_result_chars=_WHOLE)
    given = replace(options, observers=(), tools=(), session=None)

    async def call(context: StepContext, arguments: str) -> Any:
        run_id = _create_run_id(context.idempotency_key)
        scope = RunScope(
            agent=workflow,
            deps=None,
            limits=limits,
            options=replace(given, run_id=run_id),
            loop=asyncio.get_running_loop(),
        )
        try:
            message = await _call(scope, wrapped, arguments, context.idempotency_key)
        except (ToolError, ToolExecutionError) as error:
            if _is_passing(error):
                # Only here is known that it may succeed later, which the policy of the step asks for.
                object.__setattr__(error, "retryable", True)
            raise
        return _read_result(message)

    # While a person decides, the time of the call stands still; that of the step does not.
    waiting = DEFAULT_LIMITS.approval_timeout if tool.needs_approval else 0.0
    return Step(name, call, bound + waiting + _MARGIN, retry)


async def _call(scope: RunScope, tool: Tool[Any], arguments: str, key: str) -> ToolMessage:
    caller = ToolCaller(
        scope, scope.agent, {tool.name: tool}, GuardrailRunner(scope, scope.agent, (), _refuse)
    )
    deadline = Deadline(scope.loop, tool.timeout, scope.deadline)
    context: ToolContext[Any] = ToolContext(
        None, scope.run_id, _CALL_ID, key, scope.agent, scope.within(_CALL_ID, deadline)
    )
    pipeline = ToolPipeline(caller, tool, ToolCall(_CALL_ID, tool.name, arguments), context)
    scope.count_tool_calls(1)
    if not scope.budgets:
        return await pipeline.run()
    from agent_factory.core.budgets import reserve_all

    reserved = await reserve_all(scope.budgets, Usage(tool_calls=1), scope.deadline)
    try:
        return await pipeline.run()
    finally:
        await reserved.settle(Usage(tool_calls=1))


async def _refuse(*_: Any, **__: Any) -> str:
    raise ConfigurationError(
        "a workflow's own tool calls have no guardrails that could ask a model"
    )


def _is_passing(error: ToolError | ToolExecutionError) -> bool:
    """Return whether a call may succeed when it is made again."""
    cause = error.__cause__ if isinstance(error, ToolExecutionError) else error
    return isinstance(cause, (ToolTimeoutError, TimeoutError, ConnectionError)) or (
        isinstance(cause, AgentFactoryError) and cause.retryable
    )


def _write_result(tool: Tool[Any]) -> Callable[[ToolContext[Any], str], Awaitable[object]]:
    """Return the tool's function with a result in JSON, so that a text can be told from data by what is on record."""

    async def call(context: ToolContext[Any], arguments: str) -> object:
        result = await tool.call(context, arguments)
        most = tool.max_result_chars
        if isinstance(result, (Iterator, AsyncIterator)):
            raise ToolExecutionError(
                f"tool {tool.name!r} returned {type(result).__name__}, whose items would be made outside of the tool "
                "and of its timeout: return a list of them",
                tool=tool.name,
            )
        if isinstance(result, str) and len(result) > most:
            result = f"{result[:most]}\n[... {len(result) - most:,} more characters left out: ask for less]"
        elif not isinstance(result, str):
            written = to_json(result, inf_nan_mode="strings").decode()
            if len(written) > most:
                raise ToolError(
                    f"the result has {len(written):,} characters, more than the {most:,} that are passed on: ask for less"
                )
            return written
        return to_json(result).decode()

    return call


def _read_result(message: ToolMessage) -> Any:
    if message.outcome == "ok":
        return from_json(message.content)
    # What an earlier attempt came to, as the journal has it.
    kinds: dict[str, type[ToolError]] = {
        "denied": ToolDeniedError,
        "unknown": ToolOutcomeUnknownError,
    }
    kind = kinds.get(message.outcome, ToolError)
    raise kind(message.content.removeprefix("Error: "), tool=message.name)


def _create_run_id(key: str) -> str:
    """Return what `RunOptions` takes as a run_id for the key of a step, which no other step has."""
    if len(key) <= 200 and key.isprintable():
        return key
    return f"sha256-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
