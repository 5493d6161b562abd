from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agent_factory.core.budgets import (
    Budget,
    InMemoryBudget,
    Reservation,
    get_least_left,
    reserve_all,
)
from agent_factory.core.exceptions import BudgetExceededError, CoreError, RunTimeoutError
from agent_factory.core.testing import run_virtual
from agent_factory.core.usage import UNBOUNDED, Usage
from agent_factory.core.waiting import Deadline

CALL = Usage(requests=1, input_tokens=30, output_tokens=20, cost=400)


class Gate:
    """A budget behind something slow, such as a database: it waits at each step until it is let through."""

    def __init__(self, inner: InMemoryBudget, *, wait_at: str = "", fail_at: str = "") -> None:
        self.inner = inner
        self.wait_at = wait_at
        self.fail_at = fail_at
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    @property
    def name(self) -> str:
        return self.inner.name

    async def reserve(self, amount: Usage) -> Reservation:
        await self.pass_through("reserve")
        return _GatedReservation(self, await self.inner.reserve(amount))

    async def get_left(self) -> Usage | None:
        await self.pass_through("left")
        return await self.inner.get_left()

    async def pass_through(self, step: str) -> None:
        if self.fail_at == step:
            raise ConnectionError(f"{self.name} is away")
        if self.wait_at == step:
            self.reached.set()
            await self.open.wait()


class _GatedReservation:
    def __init__(self, gate: Gate, inner: Reservation) -> None:
        self._gate = gate
        self._inner = inner

    async def settle(self, used: Usage) -> None:
        await self._gate.pass_through("settle")
        await self._inner.settle(used)


def create_budgets() -> tuple[InMemoryBudget, InMemoryBudget, InMemoryBudget]:
    return (
        InMemoryBudget("run:1", max_tokens=1_000),
        InMemoryBudget("user:ada", max_requests=5, max_cost=5_000),
        InMemoryBudget("tenant:acme", max_tokens=100),
    )


def test_every_budget_reserves_and_settles_the_same() -> None:
    async def check() -> None:
        budgets = create_budgets()
        reservation = await reserve_all(budgets, CALL)
        assert [budget.reserved for budget in budgets] == [CALL] * 3
        used = Usage(requests=1, input_tokens=25, output_tokens=2, cost=120)
        await reservation.settle(used)
        await reservation.settle(CALL)
        assert [budget.reserved for budget in budgets] == [Usage()] * 3
        assert [budget.used for budget in budgets] == [used] * 3

    asyncio.run(check())


def test_refusal_of_the_last_budget_gives_back_what_the_first_ones_reserved() -> None:
    async def check() -> None:
        budgets = create_budgets()
        kept = await reserve_all(budgets, CALL)
        with pytest.raises(BudgetExceededError, match="'tenant:acme' has 50 of 100 tokens"):
            await reserve_all(budgets, Usage(requests=1, input_tokens=60))
        assert [budget.reserved for budget in budgets] == [CALL] * 3
        await kept.settle(CALL)
        assert [budget.used for budget in budgets] == [CALL] * 3

    asyncio.run(check())


def test_cancellation_while_the_last_budget_is_asked_gives_everything_back() -> None:
    async def check() -> None:
        run, user, tenant = create_budgets()
        slow = Gate(tenant, wait_at="reserve")
        task = asyncio.create_task(reserve_all((run, user, slow), CALL))
        await slow.reached.wait()
        assert run.reserved == user.reserved == CALL
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert run.reserved == user.reserved == tenant.reserved == Usage()
        assert run.used == user.used == tenant.used == Usage()

    asyncio.run(check())


def test_cancellation_while_it_is_settled_settles_every_budget_first() -> None:
    async def check() -> None:
        run, user, tenant = create_budgets()
        slow = Gate(user, wait_at="settle")
        reservation = await reserve_all((run, slow, tenant), CALL)
        task = asyncio.create_task(reservation.settle(CALL))
        await slow.reached.wait()
        task.cancel()
        await asyncio.sleep(0)
        slow.open.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert run.reserved == user.reserved == tenant.reserved == Usage()
        assert run.used == user.used == tenant.used == CALL

    asyncio.run(check())


def test_budget_that_cannot_be_reached_gives_back_what_the_others_reserved() -> None:
    async def check() -> None:
        run, user, tenant = create_budgets()
        with pytest.raises(ConnectionError):
            await reserve_all((run, user, Gate(tenant, fail_at="reserve")), CALL)
        assert run.reserved == user.reserved == Usage()

    asyncio.run(check())


def test_budget_that_cannot_be_settled_keeps_no_other_one_from_it() -> None:
    async def check() -> None:
        run, user, tenant = create_budgets()
        reservation = await reserve_all((run, Gate(user, fail_at="settle"), tenant), CALL)
        with pytest.raises(ConnectionError, match="user:ada is away"):
            await reservation.settle(CALL)
        assert run.used == tenant.used == CALL
        assert user.reserved == CALL

    asyncio.run(check())


def test_no_budgets_reserve_nothing() -> None:
    async def check() -> None:
        reservation = await reserve_all((), Usage(cost=None))
        await reservation.settle(Usage(cost=None))
        assert await get_least_left(()) is None

    asyncio.run(check())


@pytest.mark.parametrize(
    ("create", "expected"),
    [
        (lambda: [InMemoryBudget("a")], None),
        (
            lambda: [InMemoryBudget("a"), InMemoryBudget("b", max_tokens=7)],
            Usage(UNBOUNDED, 0, 7, UNBOUNDED, cost=UNBOUNDED),
        ),
        (
            lambda: [
                InMemoryBudget("a", max_tokens=7, max_requests=3),
                InMemoryBudget("b", max_tokens=5, max_cost=90, max_tool_calls=2),
                InMemoryBudget("c", max_cost=80, max_requests=4),
            ],
            Usage(3, 0, 5, 2, cost=80),
        ),
    ],
    ids=["nothing", "tokens", "everything"],
)
def test_least_left_is_the_least_of_each_quantity(
    create: Callable[[], list[Budget]], expected: Usage | None
) -> None:
    assert asyncio.run(get_least_left(create())) == expected


def test_tokens_left_are_the_same_however_an_adapter_tells_them() -> None:
    class Split(InMemoryBudget):
        async def get_left(self) -> Usage | None:
            return Usage(UNBOUNDED, 4, 5, UNBOUNDED, cost=None)

    async def check() -> None:
        left = await get_least_left([InMemoryBudget("a", max_tokens=20, max_cost=8), Split("b")])
        assert left is not None
        assert left.tokens == left.output_tokens == 9
        assert left.cost == 0

    asyncio.run(check())


@pytest.mark.parametrize("step", ["left", "reserve"])
def test_budget_that_does_not_answer_is_given_up_at_the_deadline(step: str) -> None:
    async def check() -> None:
        run, user, _ = create_budgets()
        slow = Gate(user, wait_at=step)
        deadline = Deadline(asyncio.get_running_loop(), 5)
        with pytest.raises(RunTimeoutError, match="budget 'user:ada' did not answer") as caught:
            if step == "left":
                await get_least_left((run, slow), deadline)
            else:
                await reserve_all((run, slow), CALL, deadline)
        assert caught.value.details == {"budget": "user:ada"}
        assert run.reserved == user.reserved == Usage()

    run_virtual(check)


def test_reservation_that_comes_after_the_deadline_is_given_back() -> None:
    class Stubborn(Gate):
        async def pass_through(self, step: str) -> None:
            try:
                await super().pass_through(step)
            except asyncio.CancelledError:
                await self.open.wait()

    async def check() -> None:
        run, user, _ = create_budgets()
        slow = Stubborn(user, wait_at="reserve")
        with pytest.raises(RunTimeoutError):
            await reserve_all((run, slow), CALL, Deadline(asyncio.get_running_loop(), 5))
        slow.open.set()
        await asyncio.sleep(1)
        assert run.reserved == user.reserved == Usage()
        assert run.used == user.used == Usage()

    run_virtual(check)


def test_settlement_that_does_not_end_is_given_up_once_the_others_are_settled() -> None:
    async def check() -> None:
        run, user, tenant = create_budgets()
        slow = Gate(user, wait_at="settle")
        loop = asyncio.get_running_loop()
        reservation = await reserve_all((run, slow, tenant), CALL, Deadline(loop, 5))
        before = loop.time()
        with pytest.raises(CoreError, match="budget 'user:ada' did not answer in time") as caught:
            await reservation.settle(CALL)
        assert 1 <= loop.time() - before <= 5
        assert caught.value.details == {"budget": "user:ada"}
        assert run.used == tenant.used == CALL
        # Its settlement goes on by itself.
        slow.open.set()
        await asyncio.sleep(1)
        assert user.used == CALL

    run_virtual(check)
