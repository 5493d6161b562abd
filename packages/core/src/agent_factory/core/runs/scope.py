"""What the parts of one run share: its identity, limits, deadline, budgets, usage and record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_factory.core.clock import SystemClock
from agent_factory.core.exceptions import LimitExceededError, RunTimeoutError
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.usage import Usage
from agent_factory.core.waiting import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from agent_factory.core.budgets import Budget
    from agent_factory.core.events import RunEvent
    from agent_factory.core.models import Model
    from agent_factory.core.options import RunOptions
    from agent_factory.core.prices import Price, PriceTable
    from agent_factory.core.runs.channel import EventChannel
    from agent_factory.core.usage import Limits

__all__ = ["CallScope", "RunScope"]

_MAX_BACKLOG = 256


class CallScope:
    """One tool call of a run, for the agents that run in it.

    Attributes:
        run: The run.
        call_id: Identifier of the call within its answer.
        deadline: Bounds the call, and so whatever runs in it.
    """

    __slots__ = ("call_id", "deadline", "run")

    def __init__(self, run: RunScope, call_id: str, deadline: Deadline) -> None:
        self.run = run
        self.call_id = call_id
        self.deadline = deadline


class RunScope:
    """One run: what its parts share, and its place among the runs around it.

    Args:
        agent: Name of the agent that begins the run.
        deps: What the tools need of the caller.
        limits: What the run may use at most.
        options: What the caller brought along.
        loop: The event loop.
        channel: Where events go besides the observers; None if nobody reads them.
        call: The tool call of another run that this run answers, or None.

    Attributes:
        agent: Name of the agent that began the run.
        deps: What the tools need of the caller.
        run_id: Identifier of the run.
        limits: What the run may use at most.
        options: What the caller brought along.
        loop: The event loop.
        channel: Where events go besides the observers; None if nobody reads them.
        parent: The run whose tool call this run answers, or None.
        parent_call_id: Identifier of that call within its answer; empty if there is none.
        deadline: Bounds the run.
        budgets: What every call is reserved in: the run's own budget, those of the runs around it, and the caller's.
        usage: What the run used so far, runs of other agents within it included.
        memo: Where model adapters keep what they made of the run's messages.
        approvals: Identifiers of the approvals that were used.
        calls: How many calls of each tool have been made so far, for idempotency keys.
        effects: Whether a tool that must take effect once has begun in it or in a run within it.
    """

    __slots__ = (
        "_began",
        "_held",
        "_next",
        "_now",
        "_observers",
        "_prices",
        "agent",
        "approvals",
        "budgets",
        "calls",
        "channel",
        "deadline",
        "deps",
        "effects",
        "limits",
        "loop",
        "memo",
        "options",
        "parent",
        "parent_call_id",
        "run_id",
        "usage",
    )

    _began: datetime

    def __init__(
        self,
        *,
        agent: str,
        deps: Any,
        limits: Limits,
        options: RunOptions,
        loop: asyncio.AbstractEventLoop,
        channel: EventChannel | None = None,
        call: CallScope | None = None,
    ) -> None:
        self.agent = agent
        self.deps = deps
        self.run_id = (options.run_id if call is None else "") or create_run_id()
        self.limits = limits
        self.options = options
        self.loop = loop
        self.channel = channel
        self.parent = None if call is None else call.run
        self.parent_call_id = "" if call is None else call.call_id
        self.deadline = Deadline(loop, limits.timeout, None if call is None else call.deadline)
        self.usage = Usage()
        self.memo: dict[Any, Any] = {}
        self.approvals: set[str] = set()
        self.calls: dict[str, int] = {}
        self.effects = False
        self.budgets: tuple[Budget, ...] = options.budgets if call is None else call.run.budgets
        if limits.max_tokens is not None or limits.max_cost is not None:
            from agent_factory.core.budgets import create_run_budget

            self.budgets = (create_run_budget(limits, name=self.budget_name), *self.budgets)
        self._prices: dict[str, Price | None] = {}
        self._held: list[tuple[datetime, Callable[..., RunEvent[Any]], tuple[Any, ...]]] | None
        self._held = None
        self._next = 0
        self._now = options.clock.now
        self._observers = options.observers

    @property
    def budget_name(self) -> str:
        """Name of the run's own budget."""
        return f"run:{self.run_id}"

    def emit(self, kind: Callable[..., RunEvent[Any]], *fields: Any) -> None:
        """Tell observers and reader what happened.

        Args:
            kind: The class of the event.
            fields: Its fields, after those that every event has.
        """
        if self.channel is None and not self._observers:  # nobody listens
            return
        try:
            time = self._now()
        except Exception as error:  # noqa: BLE001 - a clock breaks no run
            time = self._replace_clock(error)
        if self._held is not None:
            self._held.append((time, kind, fields))
            return
        self._emit(time, kind, fields)

    def hold(self) -> None:
        """Keep events back, because what has to come before them is not known yet."""
        self._held = []
        if self.channel is not None or self._observers:
            self._began = self.tell_time()

    def release(self, kind: Callable[..., RunEvent[Any]], *fields: Any) -> None:
        """Tell of one event, as of the time of `hold`, and then of those that were kept back.

        Args:
            kind: The class of the event.
            fields: Its fields, after those that every event has.
        """
        held, self._held = self._held, None
        if self.channel is None and not self._observers:
            return
        self._emit(self._began, kind, fields)
        for time, kept, values in held or ():
            self._emit(time, kept, values)

    def tell_time(self) -> datetime:
        """Return the time of the run's clock; that of this machine once it has failed."""
        try:
            return self._now()
        except Exception as error:  # noqa: BLE001 - a clock breaks no run
            return self._replace_clock(error)

    def _replace_clock(self, error: Exception) -> datetime:
        """Report that the clock raised, and go on with that of this machine."""
        self.loop.call_exception_handler(
            {
                "message": f"the clock of run {self.run_id} failed: its further events have the time of this machine",
                "exception": error,
            }
        )
        self._now = SystemClock().now
        return self._now()

    def _emit(
        self, time: datetime, kind: Callable[..., RunEvent[Any]], fields: tuple[Any, ...]
    ) -> None:
        event = kind(self.run_id, self._next, time, *fields)
        self._next += 1
        for observer in self._observers:
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001 - who watches must not break what is watched
                self.loop.call_exception_handler(
                    {"message": f"an observer of run {self.run_id} failed", "exception": error}
                )
        if self.channel is not None:
            self.channel.put(event)

    async def drained(self) -> None:
        """Wait until whoever reads the events has seen all of them, so that nothing happens behind their back."""
        if self.channel is not None:
            await self.channel.drained()

    async def breathe(self) -> None:
        """Let others have their turn; where the reader of the events is far behind, wait for them."""
        await asyncio.sleep(0)
        if self.channel is not None and len(self.channel) > _MAX_BACKLOG:
            await self.channel.drained()

    def count_request(self) -> None:
        """Count a model call, here and in the runs around.

        Raises:
            LimitExceededError: One of them may make no more.
        """
        for scope in self._around():
            if scope.usage.requests >= scope.limits.max_requests:
                raise scope.exceeded("max_requests", scope.limits.max_requests)
        self._add(Usage(1))

    def count_tool_calls(self, count: int) -> None:
        """Count tool calls, here and in the runs around.

        Args:
            count: How many are to be carried out.

        Raises:
            LimitExceededError: One of them may not make that many more.
        """
        for scope in self._around():
            if scope.usage.tool_calls + count > scope.limits.max_tool_calls:
                raise scope.exceeded("max_tool_calls", scope.limits.max_tool_calls)
        self._add(Usage(tool_calls=count))

    def add_tokens(self, used: Usage) -> None:
        """Add the tokens and the cost of a model call that was counted before, here and in the runs around.

        Args:
            used: What the call used.
        """
        self._add(
            Usage(
                0,
                used.input_tokens,
                used.output_tokens,
                0,
                used.cached_input_tokens,
                used.reasoning_tokens,
                used.cost,
            )
        )

    def _add(self, used: Usage) -> None:
        for scope in self._around():
            scope.usage += used

    def note_effect(self) -> None:
        """Note that a tool that must take effect once has begun, here and in the runs around."""
        for scope in self._around():
            scope.effects = True

    def within(self, call_id: str, deadline: Deadline) -> CallScope:
        """Return what a tool call hands to an agent that runs in it.

        Args:
            call_id: Identifier of the call within its answer.
            deadline: Bounds the call.
        """
        return CallScope(self, call_id, deadline)

    def get_price(self, name: str) -> Price | None:
        """Return what a model costs, or None where that is not known.

        Args:
            name: `Model.name` of the model.
        """
        known = self._prices
        if name not in known:
            known[name] = self._table().get(name)
        return known[name]

    def get_worst_price(self, model: Model) -> Price | None:
        """Return the most that a call of a model can cost, or None where that is not known.

        Args:
            model: The model; one that may ask several counts as the dearest of them.
        """
        from agent_factory.core.prices import get_price

        return get_price(model, self._table())

    def left(self) -> float:
        """Return the seconds until the run has to end.

        Raises:
            RunTimeoutError: There are none.
        """
        left = self.deadline.left()
        if left <= 0:
            raise self.timed_out()
        return left

    def exceeded(self, limit: str, allowed: int) -> LimitExceededError:
        """Return the error of a limit that was reached.

        Args:
            limit: Name of the field of `Limits`.
            allowed: Its value.
        """
        error = LimitExceededError(
            f"agent {self.agent!r} reached its limit {limit} = {allowed} without an answer: "
            f"raise it with Limits({limit}=...), or look at why the model goes on",
            limit=limit,
            allowed=allowed,
        )
        error.details["run_id"] = self.run_id
        return error

    def timed_out(self) -> RunTimeoutError:
        """Return the error of a run that took too long, or of the one around it that did."""
        if self.parent is not None and self.parent.deadline.left() <= 0:
            return self.parent.timed_out()
        return RunTimeoutError(
            f"agent {self.agent!r} had no answer within {self.limits.timeout:g} s: "
            "raise Limits(timeout=...), or look at which call takes so long",
            details={"timeout": self.limits.timeout},
        )

    def _table(self) -> PriceTable:
        if self.options.prices is not None:
            return self.options.prices
        from agent_factory.core.prices import PRICES

        return PRICES

    def _around(self) -> Iterator[RunScope]:
        scope: RunScope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent
