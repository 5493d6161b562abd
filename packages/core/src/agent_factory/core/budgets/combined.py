"""Several budgets at once: a call is reserved in each of them, or in none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_factory.core.usage import UNBOUNDED, Usage
from agent_factory.core.waiting import CLEANUP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent_factory.core.budgets.ports import Budget, Reservation

__all__ = ["CombinedReservation", "get_least_left", "reserve_all"]

_settling: set[asyncio.Task[None]] = set()
"""Settlements whose run was cancelled meanwhile; an event loop alone would not keep them alive."""


class CombinedReservation:
    """A part of several budgets that is set aside for one call. Made by `reserve_all`.

    Args:
        reservations: One of each budget.
    """

    __slots__ = ("_reservations",)

    def __init__(self, reservations: Iterable[Reservation]) -> None:
        self._reservations = tuple(reservations)

    async def settle(self, used: Usage) -> None:
        """Give back to every budget what was not used. A second settlement changes nothing.

        A failure of one budget keeps none of the others from being settled, and neither does a cancellation.

        Args:
            used: What was really used; never refused, also where it is more than was reserved.

        Raises:
            Exception: What the first budget that failed raised.
        """
        await _settle_each(self._reservations, used)


async def reserve_all(budgets: Sequence[Budget], amount: Usage) -> CombinedReservation:
    """Set aside what a call may use at most in each budget, or in none.

    Args:
        budgets: The budgets in the order in which they are asked, such as run, user, tenant. Every run should use
            the same order.
        amount: The most that the call may use; ``cost`` is None where no price is known.

    Returns:
        The reservation in all of them, to be settled however the call ends.

    Raises:
        BudgetExceededError: One of them has not that much left. What the budgets before it had set aside is
            given back, as it is when the caller is cancelled.
    """
    taken: list[Reservation] = []
    try:
        for budget in budgets:
            taken.append(await budget.reserve(amount))
    except BaseException:
        await _settle_each(taken, Usage())
        raise
    return CombinedReservation(taken)


async def get_least_left(budgets: Iterable[Budget]) -> Usage | None:
    """Return what is left where several budgets hold at once: the least of each quantity.

    Args:
        budgets: The budgets.

    Returns:
        What is left; a quantity that no budget bounds is `UNBOUNDED`. Tokens are bounded together: `Usage.tokens`
        is how many are left, all of them as ``output_tokens``. None where nothing is bounded.
    """
    known = [left for budget in budgets if (left := await budget.get_left()) is not None]
    if not known:
        return None
    return Usage(
        requests=min(left.requests for left in known),
        output_tokens=min(UNBOUNDED, *(left.tokens for left in known)),
        tool_calls=min(left.tool_calls for left in known),
        # A budget that cannot say how much money is left has none to give.
        cost=min(left.cost or 0 for left in known),
    )


async def _settle_each(reservations: Sequence[Reservation], used: Usage) -> None:
    failure: Exception | None = None
    for index, reservation in enumerate(reservations):
        try:
            await reservation.settle(used)
        except asyncio.CancelledError:
            # Also the one that was cut off: settling it again is harmless, not settling it is not.
            task = asyncio.create_task(_settle_each(reservations[index:], used))
            _settling.add(task)
            task.add_done_callback(_finish)
            await asyncio.wait({task}, timeout=CLEANUP_SECONDS)
            raise
        except Exception as error:  # noqa: BLE001 - raised below, once the others are settled
            failure = failure or error
    if failure is not None:
        raise failure


def _finish(task: asyncio.Task[None]) -> None:
    _settling.discard(task)
    # Fetching it keeps asyncio from reporting an exception that nobody can act on any more.
    if not task.cancelled():
        task.exception()
