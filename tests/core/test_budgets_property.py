from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.budgets import InMemoryBudget, Reservation, reserve_all
from agent_factory.core.exceptions import BudgetExceededError
from agent_factory.core.usage import Usage

BOUNDED = ("requests", "tokens", "tool_calls", "cost")


@dataclass(frozen=True)
class Bounds:
    requests: int | None
    tokens: int | None
    tool_calls: int | None
    cost: int | None


@dataclass(frozen=True)
class Call:
    """One call of a task: what it reserves, what it uses, and how long it waits in between.

    Attributes:
        amount: What it reserves.
        used: What it uses, or None if it fails and uses nothing.
        before: Turns of the loop before it reserves.
        during: Turns of the loop while it runs.
    """

    amount: Usage
    used: Usage | None
    before: int
    during: int


@dataclass(frozen=True)
class Work:
    """What one task does.

    Attributes:
        user: Which of the users it belongs to.
        calls: Its calls, one after the other.
        cancel_after: Turns of the loop after which it is cancelled, or None.
    """

    user: int
    calls: tuple[Call, ...]
    cancel_after: int | None


class Checked:
    """A budget that takes its time, and looks at the bounds right when something was reserved."""

    def __init__(self, name: str, bounds: Bounds) -> None:
        self.bounds = bounds
        self.inner = InMemoryBudget(
            name,
            max_requests=bounds.requests,
            max_tokens=bounds.tokens,
            max_tool_calls=bounds.tool_calls,
            max_cost=bounds.cost,
        )
        self.granted: list[Usage] = []
        self.settled: list[Usage] = []

    @property
    def name(self) -> str:
        return self.inner.name

    async def reserve(self, amount: Usage) -> Reservation:
        await asyncio.sleep(0)
        reservation = await self.inner.reserve(amount)
        for field in BOUNDED:
            bound = getattr(self.bounds, field)
            if bound is not None and getattr(amount, field):
                taken = getattr(self.inner.used, field) + getattr(self.inner.reserved, field)
                assert taken <= bound, (self.name, field, taken, bound)
        self.granted.append(amount)
        return _CheckedReservation(self, reservation, amount)

    async def get_left(self) -> Usage | None:
        return await self.inner.get_left()


class _CheckedReservation:
    def __init__(self, budget: Checked, inner: Reservation, amount: Usage) -> None:
        self._budget = budget
        self._inner = inner
        self._amount = amount

    async def settle(self, used: Usage) -> None:
        await asyncio.sleep(0)
        before = self._budget.inner.used
        await self._inner.settle(used)
        if self._budget.inner.used != before:
            cost = used.cost
            if cost is None and self._budget.bounds.cost is not None:
                cost = self._amount.cost
            self._budget.settled.append(
                Usage(
                    used.requests, used.input_tokens, used.output_tokens, used.tool_calls, cost=cost
                )
            )


def amounts(cost: st.SearchStrategy[int | None]) -> st.SearchStrategy[Usage]:
    return st.builds(
        Usage,
        requests=st.integers(0, 2),
        input_tokens=st.integers(0, 60),
        output_tokens=st.integers(0, 60),
        tool_calls=st.integers(0, 2),
        cost=cost,
    )


some_cost = st.one_of(st.integers(0, 100), st.none())
bounds_of = st.builds(
    Bounds,
    requests=st.none() | st.integers(0, 8),
    tokens=st.none() | st.integers(0, 400),
    tool_calls=st.none() | st.integers(0, 8),
    cost=st.none() | st.integers(0, 400),
)
calls = st.builds(
    Call,
    amount=amounts(some_cost),
    # Also more than was reserved.
    used=st.none() | amounts(some_cost),
    before=st.integers(0, 3),
    during=st.integers(0, 4),
)
works = st.builds(
    Work,
    user=st.integers(0, 1),
    calls=st.lists(calls, min_size=1, max_size=4).map(tuple),
    cancel_after=st.none() | st.integers(0, 25),
)


async def turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def carry_out(work: Work, budgets: tuple[Checked, ...]) -> None:
    for call in work.calls:
        await turn(call.before)
        try:
            reservation = await reserve_all(budgets, call.amount)
        except BudgetExceededError:
            continue
        used = Usage()
        try:
            await turn(call.during)
            used = call.used or used
        finally:
            await reservation.settle(used)


@given(
    tenant=bounds_of,
    users=st.tuples(bounds_of, bounds_of),
    runs=st.lists(st.tuples(bounds_of, works), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_bound_is_ever_exceeded_by_reservations_and_nothing_stays_reserved(
    tenant: Bounds, users: tuple[Bounds, Bounds], runs: list[tuple[Bounds, Work]]
) -> None:
    async def check() -> None:
        top = Checked("tenant:acme", tenant)
        middle = [Checked(f"user:{index}", bounds) for index, bounds in enumerate(users)]
        low = [Checked(f"run:{index}", bounds) for index, (bounds, _) in enumerate(runs)]
        everything = [*low, *middle, top]
        tasks = []
        for own, (_, work) in zip(low, runs, strict=True):
            task = asyncio.create_task(carry_out(work, (own, middle[work.user], top)))
            tasks.append(task)
            if work.cancel_after is not None:
                tasks.append(asyncio.create_task(cancel_later(task, work.cancel_after)))
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, asyncio.CancelledError), repr(outcome)

        for budget in everything:
            assert budget.inner.reserved == Usage(), budget.name
            total = Usage()
            for used in budget.settled:
                total += used
            assert budget.inner.used == total, budget.name
        # What one level counted, the level above it counted too.
        for field in ("requests", "input_tokens", "output_tokens", "tool_calls"):
            of_runs = sum(getattr(budget.inner.used, field) for budget in low)
            of_users = sum(getattr(budget.inner.used, field) for budget in middle)
            assert of_runs == of_users == getattr(top.inner.used, field)

    asyncio.run(check())


async def cancel_later(task: asyncio.Task[None], turns: int) -> None:
    await turn(turns)
    task.cancel()
