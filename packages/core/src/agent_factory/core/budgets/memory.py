"""A budget that lives in the memory of this process."""

from __future__ import annotations

import threading
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from agent_factory.core.exceptions import BudgetExceededError, ConfigurationError
from agent_factory.core.usage import UNBOUNDED, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.budgets.ports import Budget
    from agent_factory.core.usage import Limits

__all__ = ["InMemoryBudget", "InMemoryReservation", "answers_at_once", "create_run_budget"]

_UNITS = {
    "requests": "model calls",
    "tokens": "tokens",
    "tool_calls": "tool calls",
    "cost": "millionths of the currency's unit",
}
_PARTS = attrgetter(
    "requests",
    "input_tokens",
    "output_tokens",
    "tool_calls",
    "cached_input_tokens",
    "reasoning_tokens",
)


class InMemoryBudget:
    """A budget that lives in the memory of this process, for tasks and threads that share it.

    A reservation is taken whole or not at all, so what is used and what is reserved never exceed a bound
    together when something is reserved. Only a call that used more than it had reserved can exceed one
    afterwards: that is recorded, and nothing is left then.

    ```python
    tenant = InMemoryBudget("tenant:acme", max_cost=5_000_000)
    await agent.run(prompt, options=RunOptions(budgets=(tenant,)))
    ```

    Args:
        name: Name for people and errors, such as ``user:ada``; not empty.
        max_requests: Model calls, or None for no bound; 0 forbids them.
        max_tokens: Tokens read and written, or None for no bound.
        max_tool_calls: Tool calls, or None for no bound.
        max_cost: Cost in millionths of the unit of the price table's currency, or None for no bound. A call
            whose price is not known is then refused. One whose cost is not known afterwards counts as much
            as was reserved for it.

    Raises:
        ConfigurationError: The name is empty, or a bound is not a whole number of at least 0.
    """

    _owner: ClassVar[str] = "the budget"

    __slots__ = ("_bounds", "_lock", "_name", "_open", "_taken", "_used")

    def __init__(
        self,
        name: str,
        *,
        max_requests: int | None = None,
        max_tokens: int | None = None,
        max_tool_calls: int | None = None,
        max_cost: int | None = None,
    ) -> None:
        if not name.strip():
            raise ConfigurationError("a budget needs a name that is not empty, such as 'user:ada'")
        bounds: dict[str, Any] = {
            "requests": max_requests,
            "tokens": max_tokens,
            "tool_calls": max_tool_calls,
            "cost": max_cost,
        }
        for field, value in bounds.items():
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 0
            ):
                raise ConfigurationError(
                    f"budget {name!r}: max_{field} must be a whole number of at least 0 or None, not {value!r}"
                )
        self._name = name
        self._bounds = {field: value for field, value in bounds.items() if value is not None}
        self._used = Usage()
        self._open: dict[InMemoryReservation, Usage] = {}
        # Used and reserved together, so that a reservation costs the same however many there are.
        self._taken = dict.fromkeys(self._bounds, 0)
        # Held for a moment and never across an await, so no task or thread waits for another one's call.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        bounds = "".join(f", max_{field}={value}" for field, value in self._bounds.items())
        return f"InMemoryBudget({self._name!r}{bounds})"

    @property
    def name(self) -> str:
        """Name for people and errors."""
        return self._name

    @property
    def used(self) -> Usage:
        """What settled calls used. Its cost is None if that of one of them is not known, and no bound needs it."""
        with self._lock:
            return self._used

    @property
    def reserved(self) -> Usage:
        """What is set aside for calls that are not settled yet; its cost is None if that of one is not known."""
        with self._lock:
            return _add_up(self._open.values())

    async def reserve(self, amount: Usage) -> InMemoryReservation:
        """Set aside what a call may use at most, or refuse.

        A quantity of which the call uses nothing is not looked at: tools without a cost still run where no
        money is left.

        Args:
            amount: The most that it may use; ``cost`` is None where no price is known.

        Returns:
            The reservation, to be settled however the call ends.

        Raises:
            BudgetExceededError: There is not that much left, or the cost is bounded and no price is known.
            ConfigurationError: A part of the amount is less than 0.
        """
        if _is_negative(amount):
            raise ConfigurationError(
                f"budget {self._name!r} cannot reserve less than 0: {amount!r}"
            )
        reservation = InMemoryReservation(self)
        with self._lock:
            for field, allowed in self._bounds.items():
                self._check(field, allowed, getattr(amount, field))
            self._count(amount, 1)
            self._open[reservation] = amount
        return reservation

    async def get_left(self) -> Usage | None:
        """Return what is left, for deciding how long an answer may be; None where nothing is bounded.

        A field that is not bounded is `UNBOUNDED`. Tokens are bounded together: `Usage.tokens` is how many are
        left, all of them as ``output_tokens``.
        """
        if not self._bounds:
            return None
        with self._lock:
            left = {
                field: max(0, allowed - self._taken[field])
                for field, allowed in self._bounds.items()
            }
        return Usage(
            requests=left.get("requests", UNBOUNDED),
            output_tokens=left.get("tokens", UNBOUNDED),
            tool_calls=left.get("tool_calls", UNBOUNDED),
            cost=left.get("cost", UNBOUNDED),
        )

    def _settle(self, reservation: InMemoryReservation, used: Usage) -> None:
        with self._lock:
            amount = self._open.pop(reservation, None)
            if amount is None:
                return
            if _is_negative(used):
                # A server's nonsense must not give anybody more than there was.
                cost = None if used.cost is None else max(0, used.cost)
                used = replace(Usage(*(max(0, part) for part in _PARTS(used))), cost=cost)
            if used.cost is None and "cost" in self._bounds:
                used = replace(used, cost=amount.cost)
            self._count(amount, -1)
            self._count(used, 1)
            self._used += used

    def _count(self, usage: Usage, sign: int) -> None:
        for field in self._bounds:
            self._taken[field] += sign * getattr(usage, field)

    def _check(self, field: str, allowed: int, wanted: int | None) -> None:
        left = max(0, allowed - self._taken[field])
        if wanted is not None and wanted <= left:
            return
        if wanted is None:
            message = (
                f"budget {self._name!r} bounds the cost, and no price is known for this call: add one with "
                "RunOptions(prices=PRICES.override({...})), or ask a model that has one"
            )
        else:
            message = (
                f"budget {self._name!r} has {left} of {allowed} {_UNITS[field]} left, and this call may use {wanted}: "
                f"raise max_{field} of {self._owner}, or ask for less"
            )
            held = sum(getattr(amount, field) for amount in self._open.values())
            if held:
                message += f"; calls that still run hold {held} and give back what they do not use"
        raise BudgetExceededError(
            message, budget=self._name, limit=field, allowed=allowed, wanted=wanted, left=left
        )


class _RunBudget(InMemoryBudget):
    """What one run may use by itself; who is refused is told where its bounds come from."""

    __slots__ = ()

    _owner = "Limits"


def _is_negative(usage: Usage) -> bool:
    return min(_PARTS(usage)) < 0 or (usage.cost or 0) < 0


def _add_up(amounts: Iterable[Usage]) -> Usage:
    total = Usage()
    for amount in amounts:
        total += amount
    return total


class InMemoryReservation:
    """A part of a budget in memory. Compared by identity."""

    __slots__ = ("_budget",)

    def __init__(self, budget: InMemoryBudget) -> None:
        self._budget = budget

    async def settle(self, used: Usage) -> None:
        """Give back what was not used. A second settlement changes nothing.

        Args:
            used: What was really used; never refused, also where it is more than was reserved.
        """
        self.settle_now(used)

    def settle_now(self, used: Usage) -> None:
        """Do the same without being awaited.

        Args:
            used: What was really used.
        """
        self._budget._settle(self, used)  # noqa: SLF001 - two halves of one thing


def create_run_budget(limits: Limits, *, name: str) -> InMemoryBudget:
    """Return the budget that one run has of its own.

    Args:
        limits: The run's limits, of which it holds ``max_tokens`` and ``max_cost``; the loop itself counts
            model calls and tool calls.
        name: Name for people and errors, such as ``run:`` and the identifier of the run; not empty.

    Raises:
        ConfigurationError: The name is empty.
    """
    return _RunBudget(name, max_tokens=limits.max_tokens, max_cost=limits.max_cost)


def answers_at_once(budget: Budget) -> bool:
    """Return whether a budget never waits. One of a subclass may, so it counts as one that does.

    Args:
        budget: Any budget.
    """
    return type(budget) in (InMemoryBudget, _RunBudget)
