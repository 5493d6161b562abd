"""Sets aside what a model call may use at most, before it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.budgets import CombinedReservation, get_least_left, reserve_all
from agent_factory.core.prices import Price, count_input_bound
from agent_factory.core.usage import DEFAULT_OUTPUT_TOKENS, UNBOUNDED, Usage

if TYPE_CHECKING:
    from agent_factory.core.models import Model, ModelRequest
    from agent_factory.core.runs.scope import RunScope

__all__ = ["Settlement", "reserve"]

_MILLION = 1_000_000


class Settlement:
    """What a model call has set aside, and what is known of its conversation for the next call."""

    __slots__ = ("_amount", "_memo", "_model", "_request", "_reservation")

    def __init__(
        self,
        reservation: CombinedReservation,
        amount: Usage,
        model: Model,
        request: ModelRequest,
        memo: dict[Any, Any],
    ) -> None:
        self._reservation = reservation
        self._amount = amount
        self._model = model
        self._request = request
        self._memo = memo

    async def settle(self, used: Usage | None) -> None:
        """Give back what was not used.

        Args:
            used: What was used. None where nobody knows, such as after a cut connection: all of it counts as used then.
        """
        if used is None:
            used = self._amount
        elif not used.tokens and self._amount.tokens and used.requests:
            # The server does not count, so the most that it can be is what it is.
            cost = self._amount.cost if used.cost is None else used.cost
            used = replace(self._amount, cost=cost)
        elif used.input_tokens:
            messages = self._request.messages
            bound = count_input_bound(self._request, self._memo)
            self._memo[Settlement] = (
                self._model,
                len(messages),
                messages[-1],
                bound - used.input_tokens,
            )
        await self._reservation.settle(used)


async def reserve(
    scope: RunScope, model: Model, request: ModelRequest
) -> tuple[Settlement, ModelRequest]:
    """Set aside what a model call may use at most, in every budget of the run.

    The input is bounded by its bytes, and by what the server counted for the part that it has read before; the output by
    what the limits allow and by what the budgets have left.

    Args:
        scope: The run.
        model: The model that is to be called.
        request: What it is to be asked.

    Returns:
        What was set aside, and the request with the length that its answer may have.

    Raises:
        BudgetExceededError: A budget has not that much left, or its money is bounded and there is no price.
    """
    budgets = scope.budgets
    price = scope.get_worst_price(model)
    bound = _bound_input(scope, model, request)
    left = await get_least_left(budgets)
    allowed = request.max_output_tokens or DEFAULT_OUTPUT_TOKENS
    if left is not None and (left.tokens < UNBOUNDED or (left.cost or 0) < UNBOUNDED):
        allowed = max(1, min(allowed, _afford(left, bound, price)))
        request = replace(request, max_output_tokens=allowed)
    amount = Usage(requests=1, input_tokens=bound, output_tokens=allowed, cost=None)
    if price is not None:
        amount = replace(amount, cost=price.compute(amount))
    reservation = await reserve_all(budgets, amount)
    return Settlement(reservation, amount, model, request, scope.memo), request


def _bound_input(scope: RunScope, model: Model, request: ModelRequest) -> int:
    bound = count_input_bound(request, scope.memo)
    asked, count, last, surplus = scope.memo.get(Settlement, (None, 0, None, 0))
    messages = request.messages
    if asked is model and 0 < count <= len(messages) and messages[count - 1] is last:
        return max(1, bound - int(surplus))
    return bound


def _afford(left: Usage, bound: int, price: Price | None) -> int:
    """Return how many tokens of output what is left allows."""
    tokens = left.tokens - bound
    if price is not None and price.output and left.cost is not None and left.cost < UNBOUNDED:
        money = left.cost - price.compute(Usage(requests=1, input_tokens=bound))
        tokens = min(tokens, money * _MILLION // price.output)
    return tokens
