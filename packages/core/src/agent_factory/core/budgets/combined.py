"""Several budgets at once: a call is reserved in each of them, or in none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.budgets.asking import await_until
from agent_factory.core.budgets.memory import InMemoryReservation, answers_at_once
from agent_factory.core.exceptions import CoreError
from agent_factory.core.usage import Usage
from agent_factory.core.waiting import CLEANUP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from agent_factory.core.budgets.ports import Budget, Reservation
    from agent_factory.core.waiting import Deadline

__all__ = ["CombinedReservation", "reserve_all", "reserve_now"]

T = TypeVar("T")

_settling: set[asyncio.Task[None]] = set()
"""Settlements that nobody waits for any more; an event loop alone would not keep them alive."""


class CombinedReservation:
    """A part of several budgets that is set aside for one call. Made by `reserve_all`.

    Args:
        reservations: One of each budget.
        budgets: The budgets, for errors.
        deadline: Bounds how long a settlement is waited for; None for no bound.
    """

    __slots__ = ("_budgets", "_deadline", "_reservations")

    def __init__(
        self,
        reservations: Iterable[Reservation],
        budgets: Sequence[Budget] = (),
        deadline: Deadline | None = None,
    ) -> None:
        self._reservations = tuple(reservations)
        self._budgets = budgets
        self._deadline = deadline

    async def settle(self, used: Usage) -> None:
        """Give back to every budget what was not used. A second settlement changes nothing.

        A failure of one budget keeps none of the others from being settled, and neither does a cancellation. A budget
        that does not answer is waited for until the deadline, and `CLEANUP_SECONDS` at least; its settlement goes on
        by itself then.

        Args:
            used: What was really used; never refused, also where it is more than was reserved.

        Raises:
            CoreError: A budget did not answer in time.
            Exception: What the first budget that failed raised.
        """
        tasks: dict[asyncio.Task[None], int] = {}
        for index, reservation in enumerate(self._reservations):
            if isinstance(reservation, InMemoryReservation):
                reservation.settle_now(used)
            else:
                task = asyncio.create_task(_settle(reservation, used))
                tasks[task] = index
                _settling.add(task)
                task.add_done_callback(_finish)
        if not tasks:
            return
        timeout = None
        if self._deadline is not None:
            timeout = max(CLEANUP_SECONDS, self._deadline.left())
        try:
            await asyncio.wait(tasks, timeout=timeout)
        except asyncio.CancelledError:
            await asyncio.wait(tasks, timeout=CLEANUP_SECONDS)
            raise
        for task, index in tasks.items():
            if not task.done():
                name = self._budgets[index].name if self._budgets else ""
                raise CoreError(
                    f"budget {name!r} did not answer in time when a call was settled: what was set aside for the call may "
                    "stay so; look at what the budget waits for",
                    details={"budget": name},
                )
            task.result()


async def reserve_all(
    budgets: Sequence[Budget], amount: Usage, deadline: Deadline | None = None
) -> CombinedReservation:
    """Set aside what a call may use at most in each budget, or in none.

    Args:
        budgets: The budgets in the order in which they are asked, such as run, user, tenant. Every run should use
            the same order.
        amount: The most that the call may use; ``cost`` is None where no price is known.
        deadline: When the budgets must have answered; it bounds the settlement as well. None for no bound.

    Returns:
        The reservation in all of them, to be settled however the call ends.

    Raises:
        BudgetExceededError: One of them has not that much left. What the budgets before it had set aside is
            given back, as it is when the caller is cancelled.
        RunTimeoutError: One of them did not answer before the deadline; the same holds then.
    """
    taken: list[Reservation] = []
    try:
        for budget in budgets:
            if deadline is None or answers_at_once(budget):
                taken.append(await budget.reserve(amount))
            else:
                taken.append(await _reserve(budget, amount, deadline))
    except BaseException:
        await _give_back(CombinedReservation(taken, budgets, deadline))
        raise
    return CombinedReservation(taken, budgets, deadline)


def reserve_now(budgets: Iterable[Budget], amount: Usage) -> CombinedReservation:
    """Set aside the same, without being awaited, in those of the budgets that never wait, or in none.

    Args:
        budgets: The budgets; those that may wait are left out.
        amount: The most that a call may use.

    Raises:
        BudgetExceededError: One of them has not that much left.
    """
    taken: list[Reservation] = []
    try:
        for budget in filter(answers_at_once, budgets):
            taken.append(_step(budget.reserve(amount)))
    except BaseException:
        for reservation in taken:
            _step(reservation.settle(Usage()))
        raise
    return CombinedReservation(taken)


async def _reserve(budget: Budget, amount: Usage, deadline: Deadline) -> Reservation:
    """Reserve in a budget that may wait. What it sets aside once nobody waits any more is given back."""
    late = False
    taken: list[Reservation] = []

    async def reserve() -> Reservation:
        reservation = await budget.reserve(amount)
        if late:
            await reservation.settle(Usage())
        else:
            taken.append(reservation)
        return reservation

    try:
        return await await_until(budget, reserve(), deadline)
    except BaseException:
        late = True
        await _give_back(CombinedReservation(taken, (budget,), deadline))
        raise


def _step(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of something that never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    raise RuntimeError("something that must not wait waited")


async def _give_back(reservation: CombinedReservation) -> None:
    # Why the call is not made matters more than what else goes wrong.
    with suppress(Exception):
        await reservation.settle(Usage())


async def _settle(reservation: Reservation, used: Usage) -> None:
    try:
        await reservation.settle(used)
    except SystemExit as error:
        # It must not end the event loop, and all other work with it.
        raise RuntimeError(f"a budget raised SystemExit: {error}") from error


def _finish(task: asyncio.Task[None]) -> None:
    _settling.discard(task)
    # Fetching it keeps asyncio from reporting an exception that nobody can act on any more.
    if not task.cancelled():
        task.exception()
