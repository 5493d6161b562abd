from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from agent_factory.core.budgets import Budget, InMemoryBudget, create_run_budget
from agent_factory.core.exceptions import BudgetExceededError, ConfigurationError
from agent_factory.core.usage import Limits, Usage
from tests.core.budget_contract import BudgetContract


class TestInMemoryBudget(BudgetContract):
    @asynccontextmanager
    async def opened(self, name: str, **bounds: int) -> AsyncIterator[Budget]:
        yield InMemoryBudget(name, **bounds)


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_used_and_reserved_tell_what_happened() -> None:
    async def check() -> tuple[Usage, Usage]:
        budget = InMemoryBudget("user:ada", max_tokens=100)
        first = await budget.reserve(Usage(1, 10, 20, cost=40))
        await budget.reserve(Usage(1, 5, 5, cost=7))
        await first.settle(Usage(1, 8, 9, cached_input_tokens=4, reasoning_tokens=2, cost=30))
        return budget.used, budget.reserved

    used, reserved = asyncio.run(check())

    assert used == Usage(1, 8, 9, cached_input_tokens=4, reasoning_tokens=2, cost=30)
    assert reserved == Usage(1, 5, 5, cost=7)


def test_overshoot_stands_in_what_was_used() -> None:
    async def check() -> Usage:
        budget = InMemoryBudget("user:ada", max_tokens=10)
        reservation = await budget.reserve(Usage(input_tokens=5))
        await reservation.settle(Usage(input_tokens=25))
        return budget.used

    assert asyncio.run(check()).tokens == 25


def test_priced_and_unpriced_calls_together_have_no_cost() -> None:
    # pydantic-ai#7133 adds up the prices that it knows and shows the sum as if it were the whole.
    async def check() -> InMemoryBudget:
        budget = InMemoryBudget("user:ada", max_requests=10)
        priced = await budget.reserve(Usage(requests=1, cost=500))
        await priced.settle(Usage(requests=1, cost=300))
        assert budget.used.cost == 300
        unpriced = await budget.reserve(Usage(requests=1, cost=None))
        assert budget.reserved.cost is None
        await unpriced.settle(Usage(requests=1, cost=None))
        priced = await budget.reserve(Usage(requests=1, cost=500))
        await priced.settle(Usage(requests=1, cost=300))
        return budget

    budget = asyncio.run(check())

    assert budget.used == Usage(requests=3, cost=None)
    assert budget.reserved == Usage()


def test_unpriced_call_after_priced_ones_is_refused_where_the_cost_is_bounded() -> None:
    async def check() -> InMemoryBudget:
        budget = InMemoryBudget("user:ada", max_cost=1_000)
        priced = await budget.reserve(Usage(requests=1, cost=500))
        await priced.settle(Usage(requests=1, cost=300))
        with pytest.raises(BudgetExceededError, match="no price is known"):
            await budget.reserve(Usage(requests=1, cost=None))
        return budget

    assert asyncio.run(check()).used == Usage(requests=1, cost=300)


def test_refusal_tells_what_to_do_and_what_others_hold() -> None:
    async def check() -> str:
        budget = InMemoryBudget("tenant:acme", max_tokens=100)
        await budget.reserve(Usage(input_tokens=90))
        with pytest.raises(BudgetExceededError) as caught:
            await budget.reserve(Usage(input_tokens=10, output_tokens=10))
        return caught.value.message

    assert asyncio.run(check()) == (
        "budget 'tenant:acme' has 10 of 100 tokens left, and this call may use 20: raise max_tokens of the budget, or ask "
        "for less; calls that still run hold 90 and give back what they do not use"
    )


def test_refusal_does_not_promise_what_nobody_holds() -> None:
    async def check() -> str:
        with pytest.raises(BudgetExceededError) as caught:
            await InMemoryBudget("tenant:acme", max_requests=0).reserve(Usage(requests=1))
        return caught.value.message

    assert asyncio.run(check()).endswith("raise max_requests of the budget, or ask for less")


@pytest.mark.parametrize(
    "amount", [Usage(requests=-1), Usage(input_tokens=5, output_tokens=-1), Usage(cost=-1)], ids=str
)
def test_less_than_nothing_cannot_be_reserved(amount: Usage) -> None:
    async def check() -> None:
        budget = InMemoryBudget("user:ada", max_tokens=10)
        with pytest.raises(ConfigurationError, match="'user:ada' cannot reserve less than 0"):
            await budget.reserve(amount)
        assert budget.reserved == Usage()

    asyncio.run(check())


@pytest.mark.parametrize("value", [-1, 1.5, "10", True], ids=repr)
@pytest.mark.parametrize("bound", ["max_requests", "max_tokens", "max_tool_calls", "max_cost"])
def test_bound_that_is_no_whole_number_is_refused(bound: str, value: object) -> None:
    bounds = {bound: value}

    with pytest.raises(ConfigurationError, match=f"budget 'user:ada': {bound} must be a whole"):
        InMemoryBudget("user:ada", **bounds)  # type: ignore[arg-type]  # what a wrong program gives


def test_budget_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a name"):
        InMemoryBudget(" ")


def test_budget_shows_its_bounds() -> None:
    budget = InMemoryBudget("user:ada", max_tokens=10, max_cost=0)

    assert repr(budget) == "InMemoryBudget('user:ada', max_tokens=10, max_cost=0)"


def test_budget_of_a_run_holds_the_tokens_and_the_cost_of_its_limits() -> None:
    limits = Limits(max_requests=1, max_tool_calls=0, max_tokens=10, max_cost=20)

    async def check() -> None:
        budget = create_run_budget(limits, name="run:1")
        await budget.reserve(Usage(requests=5, tool_calls=5, input_tokens=10, cost=20))
        for more, field in ((Usage(output_tokens=1), "tokens"), (Usage(cost=1), "cost")):
            with pytest.raises(BudgetExceededError, match="'run:1'") as caught:
                await budget.reserve(more)
            assert caught.value.limit == field
            assert f"raise max_{field} of Limits" in caught.value.message

    asyncio.run(check())


def test_budget_of_a_run_without_such_limits_bounds_nothing() -> None:
    assert asyncio.run(create_run_budget(Limits(), name="run:1").get_left()) is None


@pytest.mark.usefixtures("frequent_switches")
def test_threads_share_a_budget() -> None:
    budget = InMemoryBudget("tenant:acme", max_tokens=10_000)

    async def use() -> None:
        for _ in range(200):
            reservation = await budget.reserve(Usage(requests=1, input_tokens=7))
            await reservation.settle(Usage(requests=1, input_tokens=3))

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(asyncio.run, use()) for _ in range(8)]:
            done.result()

    assert budget.used == Usage(requests=1_600, input_tokens=4_800)
    assert budget.reserved == Usage()
    left = asyncio.run(budget.get_left())
    assert left is not None
    assert left.tokens == 5_200
