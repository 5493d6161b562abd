"""One tool call that more takes part in than the tool: guardrails, a person, the journal, retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.context import ToolContext
from agent_factory.core.events import ToolRetried
from agent_factory.core.exceptions import (
    AgentFactoryError,
    ConfigurationError,
    ToolDeniedError,
    ToolError,
    ToolExecutionError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.journal import JournalEntry
from agent_factory.core.messages import ToolCall, ToolMessage, ToolOutcome
from agent_factory.core.runs.approval_gate import decide
from agent_factory.core.waiting import CLEANUP_SECONDS, Deadline, DeadlineError, run_until

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from agent_factory.core.journal import Journal
    from agent_factory.core.runs.tool_calls import ToolCaller
    from agent_factory.core.tools import Tool

__all__ = ["ToolPipeline", "create_cancelled", "create_refusal", "create_unknown"]

T = TypeVar("T")


class ToolPipeline:
    """One tool call that more takes part in than the tool.

    Args:
        caller: Whose call it is.
        tool: The tool.
        call: The call.
        context: What the tool may know.

    Attributes:
        running: Whether the tool itself has begun.
    """

    __slots__ = ("_call", "_caller", "_context", "_tool", "running")

    def __init__(
        self, caller: ToolCaller, tool: Tool[Any], call: ToolCall, context: ToolContext[Any]
    ) -> None:
        self._caller = caller
        self._tool = tool
        self._call = call
        self._context = context
        self.running = False

    async def run(self) -> ToolMessage:
        """Carry the call out, if all that has a say in it lets it pass.

        Raises:
            ToolError: It was not carried out, or failed; the model is told.
            CoreError: The run cannot go on.
        """
        tool, call, scope = self._tool, self._call, self._caller.scope
        guardrails = self._caller.guardrails
        arguments = call.arguments
        if guardrails.has("tool_call"):
            arguments, verdict = await guardrails.check("tool_call", arguments, tool=tool.name)
            if verdict is not None:
                raise ToolDeniedError(f"not carried out: {verdict.reason}", tool=tool.name)
        if tool.needs_approval:
            # From here on what was approved is what runs, to the letter.
            arguments = tool.normalise(arguments)
            await decide(scope, self._caller.agent, tool, call, arguments)
        if not guardrails.has("tool_result"):
            return await self._journal(arguments)
        try:
            message = await self._journal(arguments)
        except ToolError as error:  # which may quote what a server said
            message = create_refusal(call, error)
        content, verdict = await guardrails.check(
            "tool_result", message.content, tool=tool.name, outcome=message.outcome
        )
        if verdict is not None:
            content = f"Error: the result is withheld: {verdict.reason}"
        outcome = message.outcome if verdict is None or message.outcome != "ok" else "error"
        return ToolMessage(call.id, call.name, content, outcome)

    async def _journal(self, arguments: str) -> ToolMessage:
        """Carry out the call; where it must take effect once, not without a word about it before and after."""
        tool, call, scope = self._tool, self._call, self._caller.scope
        journal = scope.options.journal
        if journal is None or tool.effect != "once":
            return await self._attempt(arguments)
        key = self._context.idempotency_key
        entry = JournalEntry(key, scope.run_id, tool.name, tool.normalise(arguments))
        known = await self._write(journal.begin(entry), scope.deadline)
        if known is not None:
            if (known.tool, known.arguments) != (entry.tool, entry.arguments):
                raise ConfigurationError(
                    f"the journal has another call under the key {key!r}, of tool {known.tool!r}: a run that is begun "
                    "again under its run_id has to make the same calls; find out what took effect, and begin with "
                    "another run_id",
                    details={"key": key, "tool": tool.name, "known_tool": known.tool},
                )
            if known.outcome is not None:
                return ToolMessage(call.id, call.name, known.content, known.outcome)
            raise create_unknown(tool, None)
        try:
            message = await self._attempt(arguments)
        except ToolError as error:
            message = create_refusal(call, error)
            await self._end(journal, message)
            raise
        await self._end(journal, message)
        return message

    async def _end(self, journal: Journal, message: ToolMessage) -> None:
        scope = self._caller.scope
        # What happened is to be known also where the run's time is just out.
        limit = Deadline(scope.loop, max(scope.deadline.left(), CLEANUP_SECONDS))
        key = self._context.idempotency_key
        await self._write(journal.end(key, message.outcome, message.content), limit)

    async def _write(self, work: Coroutine[Any, Any, T], limit: Deadline) -> T:
        try:
            return await run_until(work, limit)
        except DeadlineError as error:
            raise self._caller.scope.timed_out() from error

    async def _attempt(self, arguments: str) -> ToolMessage:
        tool, call, scope = self._tool, self._call, self._caller.scope
        attempt = 1
        self.running = True
        while True:
            limit = Deadline(scope.loop, tool.timeout, scope.deadline)
            context = self._context
            if context.scope is not None:
                context.scope.deadline = limit
            try:
                content = await run_until(tool.invoke(context, arguments), limit)
                return ToolMessage(call.id, call.name, content)
            except DeadlineError as error:
                if scope.deadline.left() <= 0:
                    raise scope.timed_out() from error
                failure: Exception = tool.timed_out(tool.timeout)
                if tool.effect == "once":
                    raise create_unknown(tool, failure) from error
            except ToolTimeoutError as error:
                failure = create_unknown(tool, error) if tool.effect == "once" else error
            except (ToolError, ToolExecutionError) as error:
                failure = error
            except RuntimeError as error:  # of the waiting: `invoke` raises none
                raise create_cancelled(tool.name) from error
            if attempt > tool.retries or not _is_passing(failure):
                raise failure
            scope.emit(ToolRetried, call, attempt, _say(failure))
            attempt += 1


def create_refusal(call: ToolCall, error: ToolError) -> ToolMessage:
    """Return what the model is told of a call without a result.

    Args:
        call: The call.
        error: Why.
    """
    outcome: ToolOutcome = "error"
    if isinstance(error, ToolDeniedError):
        outcome = "denied"
    elif isinstance(error, ToolOutcomeUnknownError):
        outcome = "unknown"
    return ToolMessage(call.id, call.name, f"Error: {error.message}", outcome)


def create_unknown(tool: Tool[Any], error: Exception | None) -> ToolOutcomeUnknownError:
    """Return the error of a call of which nobody knows whether it took effect.

    Args:
        tool: The tool, whose effect is ``once``.
        error: What cut the call off; None for an earlier attempt of it that has no end on record.
    """
    why = "an earlier attempt of this call has no end on record" if error is None else _say(error)
    return ToolOutcomeUnknownError(
        f"{why}, and whether it took effect is not known: find out before anything is repeated",
        tool=tool.name,
    )


def create_cancelled(name: str) -> ToolExecutionError:
    """Return the error of a call that something else than the run's caller cancelled.

    Args:
        name: Name of the tool.
    """
    return ToolExecutionError(f"tool {name!r} was cancelled from inside", tool=name)


def _is_passing(error: Exception) -> bool:
    """Return whether a call may succeed when it is made again."""
    cause = error.__cause__ if isinstance(error, ToolExecutionError) else error
    return isinstance(cause, (ToolTimeoutError, TimeoutError, ConnectionError)) or (
        isinstance(cause, AgentFactoryError) and cause.retryable
    )


def _say(error: Exception) -> str:
    return error.message if isinstance(error, AgentFactoryError) else str(error)
