"""Carries out the tool calls of one answer: side by side, bounded, each with exactly one result."""

from __future__ import annotations

import asyncio
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agent_factory.core.context import ToolContext
from agent_factory.core.events import ToolFinished, ToolStarted
from agent_factory.core.exceptions import (
    ToolDeniedError,
    ToolError,
    ToolNotFoundError,
    ToolTimeoutError,
)
from agent_factory.core.messages import ToolCall, ToolMessage
from agent_factory.core.runs.tool_pipeline import (
    ToolPipeline,
    create_cancelled,
    create_refusal,
    create_unknown,
)
from agent_factory.core.waiting import CLEANUP_SECONDS, Deadline, abandon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.runs.guardrail_checks import GuardrailRunner
    from agent_factory.core.runs.scope import RunScope
    from agent_factory.core.tools import Tool

__all__ = ["ToolCaller"]

_MOST_NAME = 100


class ToolCaller:
    """Carries out tool calls of one run with the tools of one agent.

    Args:
        scope: The run.
        agent: Name of the agent.
        tools: Its tools by name.
        guardrails: Its guardrails.
        refused: Why calls are not carried out, by their identifiers: guardrails have looked at them already.
    """

    __slots__ = ("agent", "guardrails", "refused", "scope", "tools")

    def __init__(
        self,
        scope: RunScope,
        agent: str,
        tools: Mapping[str, Tool[Any]],
        guardrails: GuardrailRunner,
        refused: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.refused = refused
        self.scope = scope
        self.agent = agent
        self.tools = tools
        self.guardrails = guardrails

    async def call_all(self, calls: Sequence[ToolCall]) -> list[ToolMessage]:
        """Carry out the calls of one answer.

        A call that fails keeps none of its neighbours from ending. What is not to be told to the model ends the run: what
        had not begun by then does not begin, what may be repeated is cancelled, and a tool that must take effect once
        is waited for.

        Args:
            calls: The calls, their identifiers differing.

        Returns:
            One message for each call, in their order.

        Raises:
            CoreError: A tool has a defect, a limit or a budget was reached, a guardrail blocked, or the run had to end.
        """
        scope = self.scope
        scope.left()
        refused = self.refused
        count = sum(call.name in self.tools and call.id not in refused for call in calls)
        scope.count_tool_calls(count)
        batch = _Batch(self, calls)
        if not scope.budgets:
            return await batch.run()
        from agent_factory.core.budgets import reserve_all
        from agent_factory.core.usage import Usage

        reserved = await reserve_all(scope.budgets, Usage(tool_calls=count), scope.deadline)
        try:
            return await batch.run()
        finally:
            await reserved.settle(Usage(tool_calls=batch.started))


class _Batch:
    """The calls of one answer while they are carried out."""

    __slots__ = (
        "_active",
        "_dropped",
        "_ended",
        "_failure",
        "_waiting",
        "caller",
        "calls",
        "results",
        "started",
    )

    def __init__(self, caller: ToolCaller, calls: Sequence[ToolCall]) -> None:
        self.caller = caller
        self.calls = calls
        self.results: list[ToolMessage | None] = [None] * len(calls)
        self.started = 0
        self._active: set[_Call] = set()
        self._dropped: list[asyncio.Task[Any]] = []
        self._waiting = deque(range(len(calls)))
        self._failure: BaseException | None = None
        self._ended: asyncio.Future[None] = caller.scope.loop.create_future()

    async def run(self) -> list[ToolMessage]:
        self._start()
        try:
            await self._ended
        except asyncio.CancelledError:
            left = [*self._dropped, *(call.task for call in self._active)]
            for call in self._active:
                call.leave()
            self._waiting.clear()
            if left:
                await abandon(*left)
            raise
        if self._failure is not None:
            if self._dropped:
                await abandon(*self._dropped)
            raise self._failure
        return [message for message in self.results if message is not None]

    def finish(self, call: _Call, result: ToolMessage | BaseException) -> None:
        """Take the result of a call, and start the next ones."""
        self._active.discard(call)
        if isinstance(result, ToolMessage):
            self.results[call.index] = result
            try:
                self.caller.scope.emit(ToolFinished, call.call, result.content, result.outcome)
            # A callback of the event loop raises for nobody, and the run would wait for ever.
            except BaseException as error:  # noqa: BLE001
                self._fail(error)
        else:
            self._fail(result)
        self._start()

    def _fail(self, error: BaseException) -> None:
        """Let the batch end with an error: what had not begun does not begin, and what may be repeated is cancelled."""
        self._failure = self._failure or error
        self._waiting.clear()
        for other in [item for item in self._active if not item.in_effect]:
            self._active.discard(other)
            self._dropped.append(other.task)
            other.leave()
            other.task.cancel()

    def _start(self) -> None:
        most = self.caller.scope.limits.max_parallel_tools
        while self._waiting and len(self._active) < most:
            call = _Call(self, self._waiting.popleft())
            try:
                call.start()
            except BaseException as error:  # noqa: BLE001 - as in `finish`
                self._fail(error)
                break
            self._active.add(call)
            self.started += call.tool is not None
        if not self._active and not self._ended.done():
            self._ended.set_result(None)


class _Call:
    """One tool call in its task, with a timer that watches over it.

    A call that nothing but the tool itself takes part in runs in one task. Where guardrails, approvals, the journal or
    retries do, that task waits for them, and for the tool in a task of its own.
    """

    __slots__ = (
        "_batch",
        "_deadline",
        "_expired",
        "_left",
        "_pipeline",
        "_timer",
        "call",
        "index",
        "task",
        "tool",
    )

    task: asyncio.Task[Any]

    def __init__(self, batch: _Batch, index: int) -> None:
        self._batch = batch
        self._deadline: Deadline | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self._left = False
        self._pipeline: ToolPipeline | None = None
        self.tool: Tool[Any] | None = None
        self.index = index
        self.call = batch.calls[index]

    def start(self) -> None:
        caller = self._batch.caller
        scope, call = caller.scope, self.call
        tool = None if call.id in caller.refused else caller.tools.get(call.name)
        if tool is not None:
            scope.emit(ToolStarted, call)
        if tool is None:
            self.task = scope.loop.create_task(_refuse(call, caller))
        else:
            self.tool = tool
            once = tool.effect == "once"
            journalled = once and scope.options.journal is not None
            number = scope.calls.get(tool.name, 0) + 1
            if not journalled or _is_valid(tool, call.arguments):
                # What cannot run is on no record, and must not move the number of what can.
                scope.calls[tool.name] = number
            deadline = Deadline(scope.loop, tool.timeout, scope.deadline)
            context: ToolContext[Any] = ToolContext(
                scope.deps,
                scope.run_id,
                call.id,
                f"{scope.run_id}:{tool.name}:{number}",
                caller.agent,
                scope.within(call.id, deadline),
            )
            guarded = caller.guardrails.has("tool_result")
            if tool.needs_approval or tool.retries or journalled or guarded:
                self._pipeline = ToolPipeline(caller, tool, call, context)
                self.task = scope.loop.create_task(self._pipeline.run())
            else:
                if once:
                    scope.note_effect()
                self._deadline = deadline
                self.task = scope.loop.create_task(tool.invoke(context, call.arguments))
                self._timer = scope.loop.call_later(deadline.left(), self._look)
        self.task.add_done_callback(self._end)

    @property
    def in_effect(self) -> bool:
        """Whether its tool must take effect once, and has begun."""
        if self.tool is None or self.tool.effect != "once":
            return False
        return self._pipeline is None or self._pipeline.running

    def leave(self) -> None:
        """Take no further notice of it."""
        self._left = True
        if self._timer is not None:
            self._timer.cancel()

    def _end(self, task: asyncio.Task[Any]) -> None:
        if self._left:
            return
        self.leave()
        if self._expired and not task.cancelled():
            task.exception()  # fetched, so that asyncio does not report it as lost
        self._finish()

    def _look(self) -> None:
        deadline, loop = self._deadline, self._batch.caller.scope.loop
        left = 0.0 if deadline is None else deadline.left()
        if left > 0:
            self._timer = loop.call_later(max(left, 0.01), self._look)
            return
        self._expired = True
        self.task.cancel()
        self._timer = loop.call_later(CLEANUP_SECONDS, self._abandon)

    def _abandon(self) -> None:
        """Go on without a tool that ignores its cancellation."""
        self._left = True
        # Fetching the outcome keeps asyncio from reporting an exception that nobody can act on any more.
        self.task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._finish()

    def _finish(self) -> None:
        try:
            result = self._read()
        except BaseException as error:  # noqa: BLE001 - as in `_Batch.finish`
            result = error
        self._batch.finish(self, result)

    def _read(self) -> ToolMessage | BaseException:
        """Return the result of the call, or what ends the run."""
        call, tool, task = self.call, self.tool, self.task
        error: BaseException | None
        if self._expired:
            error = self._time_out()
        elif task.cancelled():
            error = create_cancelled(call.name)
        else:
            error = task.exception()
        if error is None:
            outcome: str | ToolMessage = task.result()
            return ToolMessage(call.id, call.name, outcome) if isinstance(outcome, str) else outcome
        if isinstance(error, ToolTimeoutError) and tool is not None and tool.effect == "once":
            error = create_unknown(tool, error)
        if not isinstance(error, ToolError):
            return error
        if tool is None:
            return create_refusal(call, error)
        return create_refusal(call, error, tool.max_result_chars)

    def _time_out(self) -> BaseException:
        scope = self._batch.caller.scope
        if scope.deadline.left() <= 0 or self.tool is None:
            return scope.timed_out()
        return self.tool.timed_out(self.tool.timeout)


def _is_valid(tool: Tool[Any], arguments: str) -> bool:
    try:
        tool.normalise(arguments)
    except Exception:  # noqa: BLE001 - the call itself meets it, and says what is wrong
        return False
    return True


async def _refuse(call: ToolCall, caller: ToolCaller) -> str:
    reason = caller.refused.get(call.id)
    if reason is not None:
        raise ToolDeniedError(f"not carried out: {reason}", tool=call.name)
    known = ", ".join(sorted(caller.tools)) or "none"
    # A name that is none may be of any length.
    name = call.name if len(call.name) <= _MOST_NAME else f"{call.name[:_MOST_NAME]}..."
    raise ToolNotFoundError(f"there is no tool named {name!r}; the tools are: {known}", tool=name)
