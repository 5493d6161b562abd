"""What several budgets have left together, and how long they are waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.budgets.memory import answers_at_once
from agent_factory.core.exceptions import RunTimeoutError
from agent_factory.core.usage import UNBOUNDED, Usage
from agent_factory.core.waiting import DeadlineError, run_until

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from agent_factory.core.budgets.ports import Budget
    from agent_factory.core.waiting import Deadline

__all__ = ["ask_left", "await_until", "find_least", "get_least_left"]

T = TypeVar("T")


async def get_least_left(
    budgets: Iterable[Budget], deadline: Deadline | None = None
) -> Usage | None:
    """Return what is left where several budgets hold at once: the least of each quantity.

    Args:
        budgets: The budgets.
        deadline: When they must have answered; None for no bound.

    Returns:
        What is left; a quantity that no budget bounds is `UNBOUNDED`. Tokens are bounded together: `Usage.tokens`
        is how many are left, all of them as ``output_tokens``. None where nothing is bounded.

    Raises:
        RunTimeoutError: One of them did not answer before the deadline.
    """
    return find_least([left for _, left in await ask_left(budgets, deadline)])


async def ask_left(
    budgets: Iterable[Budget], deadline: Deadline | None = None
) -> list[tuple[Budget, Usage]]:
    """Return what is left in each budget that bounds something.

    Args:
        budgets: The budgets.
        deadline: When they must have answered; None for no bound.

    Raises:
        RunTimeoutError: One of them did not answer before the deadline.
    """
    known: list[tuple[Budget, Usage]] = []
    for budget in budgets:
        if deadline is None or answers_at_once(budget):
            left = await budget.get_left()
        else:
            left = await await_until(budget, budget.get_left(), deadline)
        if left is not None:
            known.append((budget, left))
    return known


def find_least(known: Sequence[Usage]) -> Usage | None:
    """Return the least of each quantity of what is left in several budgets; None where there are none.

    Args:
        known: What is left in each of them.
    """
    if not known:
        return None
    return Usage(
        requests=min(left.requests for left in known),
        output_tokens=min(UNBOUNDED, *(left.tokens for left in known)),
        tool_calls=min(left.tool_calls for left in known),
        # A budget that cannot say how much money is left has none to give.
        cost=min(left.cost or 0 for left in known),
    )


async def await_until(budget: Budget, work: Coroutine[Any, Any, T], deadline: Deadline) -> T:
    """Await what a budget answers, until a deadline.

    Args:
        budget: The budget.
        work: What it does; it runs as a task of its own.
        deadline: When it must have answered.

    Raises:
        RunTimeoutError: It did not answer in time.
    """
    try:
        return await run_until(work, deadline)
    except DeadlineError as error:
        raise RunTimeoutError(
            f"budget {budget.name!r} did not answer before the run had to end: look at what it waits for, or raise "
            "Limits(timeout=...)",
            details={"budget": budget.name},
        ) from error
