"""One tool call that more takes part in than the tool: guardrails, a person, the journal, retries."""

from __future__ import annotations

import asyncio
import random
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
from agent_factory.core.tools import DEFAULT_RESULT_CHARS
from agent_factory.core.waiting import (
    CLEANUP_SECONDS,
    Deadline,
    DeadlineError,
    is_duration,
    run_until,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from agent_factory.core.journal import Journal
    from agent_factory.core.runs.tool_calls import ToolCaller
    from agent_factory.core.tools import Tool

__all__ = ["ToolPipeline", "create_cancelled", "create_refusal", "create_unknown"]

T = TypeVar("T")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_NOT_KNOWN = "whether it took effect is not known: find out before anything is repeated"
# What a model has to know of a call whose result it must not see.
_AFTER = {"ok": "the call took effect: do not repeat it", "unknown": _NOT_KNOWN}


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
        tool, call, guardrails = self._tool, self._call, self._caller.guardrails
        known: JournalEntry | None = None
        arguments = call.arguments
        if tool.needs_approval:
            # From here on what was approved is what runs, to the letter.
            arguments = tool.normalise(arguments)
            # Nobody is asked about what happened already: a denial would contradict it.
            known = await self._look_up()
            if known is None:
                await decide(self._caller.scope, tool, self._context, arguments)
        if not guardrails.has("tool_result"):
            return await self._carry_out(arguments, known)
        try:
            message = await self._carry_out(arguments, known)
        except ToolError as error:  # which may quote what a server said
            message = create_refusal(call, error, tool.max_result_chars)
        content, verdict = await guardrails.check(
            "tool_result", message.content, tool=tool.name, outcome=message.outcome
        )
        if verdict is not None:
            content = f"Error: the result is withheld: {verdict.reason}"
            if tool.effect == "once" and message.outcome in _AFTER:
                content = f"{content}\n{_AFTER[message.outcome]}"
        outcome = message.outcome if verdict is None or message.outcome != "ok" else "error"
        return ToolMessage(call.id, call.name, content, outcome)

    @property
    def _journal(self) -> Journal | None:
        return self._caller.scope.options.journal if self._tool.effect == "once" else None

    async def _look_up(self) -> JournalEntry | None:
        """Return what the journal has on the call, before anybody is asked about it."""
        journal = self._journal
        if journal is None:
            return None
        return await self._wait(
            journal.get(self._context.idempotency_key), self._caller.scope.deadline
        )

    async def _carry_out(self, arguments: str, known: JournalEntry | None) -> ToolMessage:
        """Carry out the call; where it must take effect once, not without a word about it before and after.

        What is known of it already is the answer, so that a call that nobody was asked about can never run.
        """
        tool, scope, journal = self._tool, self._caller.scope, self._journal
        if journal is None:
            return await self._attempt(arguments)
        key = self._context.idempotency_key
        entry = JournalEntry(key, scope.run_id, tool.name, tool.normalise(arguments))
        if known is None:
            known = await self._wait(journal.begin(entry), scope.deadline)
        if known is not None:
            return self._recall(entry, known)
        try:
            message = await self._attempt(arguments)
        except ToolError as error:
            message = create_refusal(self._call, error, tool.max_result_chars)
            await self._end(journal, message)
            raise
        await self._end(journal, message)
        return message

    def _recall(self, entry: JournalEntry, known: JournalEntry) -> ToolMessage:
        """Return how the call ended that was made before under its key."""
        if (known.tool, known.arguments) != (entry.tool, entry.arguments):
            raise ConfigurationError(
                f"the journal has another call under the key {entry.key!r}, of tool {known.tool!r}: a run that is begun "
                "again under its run_id has to make the same calls; find out what took effect, and begin with "
                "another run_id",
                details={"key": entry.key, "tool": entry.tool, "known_tool": known.tool},
            )
        if known.outcome is None:
            raise create_unknown(self._tool, None)
        return ToolMessage(self._call.id, self._call.name, known.content, known.outcome)

    async def _end(self, journal: Journal, message: ToolMessage) -> None:
        scope = self._caller.scope
        # What happened is to be known also where the run's time is just out.
        limit = Deadline(scope.loop, max(scope.deadline.left(), CLEANUP_SECONDS))
        key = self._context.idempotency_key
        await self._wait(journal.end(key, message.outcome, message.content), limit)

    async def _wait(self, work: Coroutine[Any, Any, T], limit: Deadline) -> T:
        try:
            return await run_until(work, limit)
        except DeadlineError as error:
            raise self._caller.scope.timed_out() from error

    async def _attempt(self, arguments: str) -> ToolMessage:
        tool, call, scope = self._tool, self._call, self._caller.scope
        attempt = 1
        self.running = True
        if tool.effect == "once":
            scope.note_effect()
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
            pause = _choose_pause(failure, attempt)
            if pause >= min(max(_LONGEST_PAUSE, tool.timeout), scope.deadline.left()):
                raise failure  # a server asks for too much, or there is no time for another attempt
            reason = _cut(_say(failure), tool.max_result_chars)
            if self._caller.guardrails.has("tool_result"):
                reason = type(failure).__name__  # its words were not looked at
            scope.emit(ToolRetried, call, attempt, reason)
            await asyncio.sleep(pause)
            attempt += 1


def create_refusal(
    call: ToolCall, error: ToolError, most: int = DEFAULT_RESULT_CHARS
) -> ToolMessage:
    """Return what the model is told of a call without a result.

    Args:
        call: The call.
        error: Why.
        most: Characters of the reason that the model gets; at least 1.
    """
    outcome: ToolOutcome = "error"
    if isinstance(error, ToolDeniedError):
        outcome = "denied"
    elif isinstance(error, ToolOutcomeUnknownError):
        outcome = "unknown"
    said = _cut(error.message, most)
    if outcome == "unknown" and len(error.message) > most:  # which has to be said in any case
        said = f"{said}\n{_NOT_KNOWN}"
    return ToolMessage(call.id, call.name, f"Error: {said}", outcome)


def create_unknown(tool: Tool[Any], error: Exception | None) -> ToolOutcomeUnknownError:
    """Return the error of a call of which nobody knows whether it took effect.

    Args:
        tool: The tool, whose effect is ``once``.
        error: What cut the call off; None for an earlier attempt of it that has no end on record.
    """
    why = "an earlier attempt of this call has no end on record" if error is None else _say(error)
    return ToolOutcomeUnknownError(f"{why}, and {_NOT_KNOWN}", tool=tool.name)


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


def _choose_pause(error: Exception, attempt: int) -> float:
    """Return the seconds to wait before a call is made again: longer each time, and at least what a server asks for.

    Args:
        error: What the call failed with.
        attempt: Number of the attempt that failed, from 1.
    """
    # An exponent without a bound would overflow a float.
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
    # Of differing length, so that many runs do not come back at the same moment.
    pause = longest * random.uniform(0.5, 1.0)  # noqa: S311  # nosec B311
    asked: Any = getattr(error.__cause__, "retry_after", None) or getattr(
        error, "retry_after", None
    )
    return max(pause, float(asked)) if is_duration(asked) else pause


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[... {len(text) - most:,} more characters left out]"


def _say(error: Exception) -> str:
    return error.message if isinstance(error, AgentFactoryError) else str(error)
