"""What every adapter of core's `Budget` port promises; each adapter's tests run it.

```python
class TestMyBudget(BudgetContract):
    @asynccontextmanager
    async def opened(self, name: str, **bounds: int) -> AsyncIterator[Budget]:
        yield MyBudget(name, **bounds)
```
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from agent_factory.core.budgets import Budget, Reservation
from agent_factory.core.exceptions import BudgetExceededError
from agent_factory.core.usage import UNBOUNDED, Usage

__all__ = ["BudgetContract"]

BOUNDS = [
    ("requests", Usage(requests=3), Usage(requests=8)),
    ("tokens", Usage(input_tokens=1, output_tokens=2), Usage(input_tokens=8)),
    ("tool_calls", Usage(tool_calls=3), Usage(tool_calls=8)),
    ("cost", Usage(cost=3), Usage(cost=8)),
]
"""A quantity, three of it, and eight of it."""

each_bound = pytest.mark.parametrize(
    ("field", "three", "eight"), BOUNDS, ids=[row[0] for row in BOUNDS]
)


class BudgetContract(ABC):
    """The contract. A subclass says how to open a budget."""

    @abstractmethod
    def opened(self, name: str, **bounds: int) -> AbstractAsyncContextManager[Budget]:
        """Open a budget that is used by nobody else.

        Args:
            name: Its name.
            bounds: Some of ``max_requests``, ``max_tokens``, ``max_tool_calls`` and ``max_cost``.
        """

    def test_it_is_a_budget_with_its_name(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_requests=1) as budget:
                assert isinstance(budget, Budget)
                assert budget.name == "user:ada"
                assert isinstance(await budget.reserve(Usage(requests=1)), Reservation)

        _run(check())

    @each_bound
    def test_what_is_reserved_is_not_left(self, field: str, three: Usage, eight: Usage) -> None:
        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 10}) as budget:
                await budget.reserve(three)
                assert await _left(budget, field) == 7
                await budget.reserve(three)
                assert await _left(budget, field) == 4

        _run(check())

    @each_bound
    def test_the_last_bit_can_be_reserved_and_nothing_more(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 3}) as budget:
                await budget.reserve(three)
                assert await _left(budget, field) == 0
                with pytest.raises(BudgetExceededError):
                    await budget.reserve(three)

        _run(check())

    @each_bound
    def test_refusal_says_which_budget_what_it_lacks_and_how_much_is_left(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        async def check() -> BudgetExceededError:
            async with self.opened("user:ada", **{f"max_{field}": 10}) as budget:
                await budget.reserve(three)
                with pytest.raises(BudgetExceededError) as caught:
                    await budget.reserve(eight)
                return caught.value

        error = _run(check())

        assert (error.budget, error.limit) == ("user:ada", field)
        assert (error.allowed, error.wanted, error.left) == (10, 8, 7)
        assert "'user:ada'" in error.message
        assert "7 of 10" in error.message

    def test_refusal_reserves_nothing_of_the_other_quantities(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_requests=5, max_tokens=5, max_cost=5) as budget:
                with pytest.raises(BudgetExceededError):
                    await budget.reserve(Usage(requests=1, input_tokens=1, cost=6))
                left = await budget.get_left()
            assert left is not None
            assert (left.requests, left.tokens, left.cost) == (5, 5, 5)

        _run(check())

    @each_bound
    def test_settlement_gives_back_what_was_not_used(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 10}) as budget:
                reservation = await budget.reserve(eight)
                await reservation.settle(three)
                assert await _left(budget, field) == 7

        _run(check())

    def test_settlement_with_nothing_gives_everything_back(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_requests=5, max_tokens=50) as budget:
                before = await budget.get_left()
                reservation = await budget.reserve(Usage(requests=2, output_tokens=7))
                await reservation.settle(Usage())
                assert await budget.get_left() == before

        _run(check())

    def test_second_settlement_changes_nothing(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_tokens=10) as budget:
                reservation = await budget.reserve(Usage(input_tokens=8))
                await reservation.settle(Usage(input_tokens=3))
                await reservation.settle(Usage(input_tokens=5))
                await reservation.settle(Usage())
                assert await _left(budget, "tokens") == 7

        _run(check())

    @each_bound
    def test_use_beyond_the_reservation_is_recorded(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 10}) as budget:
                reservation = await budget.reserve(three)
                await reservation.settle(eight)
                assert await _left(budget, field) == 2

        _run(check())

    @each_bound
    def test_nothing_is_left_after_use_beyond_the_bound(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 5}) as budget:
                reservation = await budget.reserve(three)
                await reservation.settle(eight)
                assert await _left(budget, field) == 0
                with pytest.raises(BudgetExceededError):
                    await budget.reserve(three)

        _run(check())

    def test_call_that_needs_nothing_of_a_quantity_is_not_refused_for_it(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_tool_calls=5, max_cost=0) as budget:
                await budget.reserve(Usage(tool_calls=1))
                assert await _left(budget, "tool_calls") == 4

        _run(check())

    def test_unknown_price_is_refused_where_the_cost_is_bounded(self) -> None:
        async def check() -> BudgetExceededError:
            async with self.opened("user:ada", max_cost=10) as budget:
                with pytest.raises(BudgetExceededError) as caught:
                    await budget.reserve(Usage(requests=1, cost=None))
                assert await _left(budget, "cost") == 10
                return caught.value

        error = _run(check())

        assert (error.budget, error.limit) == ("user:ada", "cost")
        assert (error.wanted, error.left) == (None, 10)
        assert "'user:ada'" in error.message
        assert "price" in error.message

    def test_unknown_price_is_accepted_where_the_cost_is_not_bounded(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_requests=2) as budget:
                reservation = await budget.reserve(Usage(requests=1, cost=None))
                await reservation.settle(Usage(requests=1, cost=None))
                assert await _left(budget, "requests") == 1

        _run(check())

    def test_cost_that_is_not_known_afterwards_counts_as_much_as_was_reserved(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_cost=10) as budget:
                reservation = await budget.reserve(Usage(requests=1, cost=8))
                await reservation.settle(Usage(requests=1, cost=None))
                assert await _left(budget, "cost") == 2

        _run(check())

    @each_bound
    def test_negative_use_gives_nobody_more_than_there_was(
        self, field: str, three: Usage, eight: Usage
    ) -> None:
        nonsense = Usage(-9, -9, -9, -9, -9, -9, -9)

        async def check() -> None:
            async with self.opened("user:ada", **{f"max_{field}": 10}) as budget:
                reservation = await budget.reserve(three)
                await reservation.settle(nonsense)
                assert await _left(budget, field) == 10

        _run(check())

    def test_what_is_not_bounded_is_said_to_be_unbounded(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_tokens=10) as budget:
                left = await budget.get_left()
            assert left is not None
            assert left.tokens == 10
            assert left.requests == left.tool_calls == left.cost == UNBOUNDED

        _run(check())

    def test_tokens_are_said_to_be_unbounded_where_only_money_is_bounded(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_cost=10) as budget:
                left = await budget.get_left()
            assert left is not None
            assert left.cost == 10
            assert left.tokens >= UNBOUNDED

        _run(check())

    def test_nothing_is_said_where_nothing_is_bounded(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada") as budget:
                await budget.reserve(Usage(10**9, 10**9, 10**9, 10**9, cost=10**9))
                assert await budget.get_left() is None

        _run(check())

    def test_reservation_that_is_cancelled_sets_nothing_aside(self) -> None:
        async def check(turns: int) -> None:
            async with self.opened("user:ada", max_tokens=10) as budget:
                task = asyncio.ensure_future(budget.reserve(Usage(input_tokens=8)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    reservation = await task
                except asyncio.CancelledError:
                    pass
                else:  # it was quicker
                    await reservation.settle(Usage())
                assert await _left(budget, "tokens") == 10

        for turns in range(6):
            _run(check(turns))

    def test_runs_at_the_same_time_never_get_more_than_there_is(self) -> None:
        async def check() -> None:
            async with self.opened("user:ada", max_tokens=10) as budget:
                results = await asyncio.gather(
                    *(budget.reserve(Usage(input_tokens=3)) for _ in range(8)),
                    return_exceptions=True,
                )
                refused = [item for item in results if isinstance(item, BudgetExceededError)]
                granted = [item for item in results if isinstance(item, Reservation)]
                assert (len(refused), len(granted)) == (5, 3)
                assert await _left(budget, "tokens") == 1
                await asyncio.gather(*(item.settle(Usage(input_tokens=2)) for item in granted))
                assert await _left(budget, "tokens") == 4

        _run(check())


async def _left(budget: Budget, field: str) -> int | None:
    left = await budget.get_left()
    assert left is not None
    value: int | None = getattr(left, field)
    return value


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)
