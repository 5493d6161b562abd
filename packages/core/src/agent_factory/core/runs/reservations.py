"""Sets aside what a model call may use at most, before it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.budgets.asking import ask_left, find_least
from agent_factory.core.budgets.combined import CombinedReservation, reserve_all, reserve_now
from agent_factory.core.budgets.memory import answers_at_once
from agent_factory.core.exceptions import BudgetExceededError
from agent_factory.core.prices.bounds import count_input_bound, goes_on
from agent_factory.core.usage import DEFAULT_OUTPUT_TOKENS, UNBOUNDED, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.budgets import Budget
    from agent_factory.core.models import Model, ModelRequest
    from agent_factory.core.prices import Price
    from agent_factory.core.runs.scope import RunScope

__all__ = ["Settlement", "measure", "reserve"]

_MILLION = 1_000_000


class Settlement:
    """What a model call has set aside, and what is known of its conversation for the next call.

    Attributes:
        amount: What one attempt may use at most.
    """

    __slots__ = (
        "_budgets",
        "_known",
        "_memo",
        "_model",
        "_more",
        "_request",
        "_reservation",
        "_spent",
        "amount",
    )

    def __init__(
        self,
        reservation: CombinedReservation,
        amount: Usage,
        model: Model,
        request: ModelRequest,
        memo: dict[Any, Any],
        known: Sequence[tuple[Budget, Usage]],
        budgets: Sequence[Budget],
    ) -> None:
        self._reservation = reservation
        self.amount = amount
        self._model = model
        self._request = request
        self._memo = memo
        self._known = known
        self._budgets = budgets
        self._more: list[CombinedReservation] = []
        self._spent = Usage()

    def repeat(self) -> None:
        """Take the present attempt for used up, and set as much aside for the next one.

        Budgets in memory set it aside. Another one cannot be waited for here: what it had left when the call began
        must be enough, and it gets the sum of all attempts in the end.

        Raises:
            BudgetExceededError: A budget has no room for another attempt.
        """
        spent = self._spent + self.amount
        for budget, left in self._known:
            if not answers_at_once(budget):
                _check_room(budget, left, spent, self.amount)
        self._more.append(reserve_now(self._budgets, self.amount))
        self._spent = spent

    async def settle(self, used: Usage | None) -> None:
        """Give back what was not used.

        Args:
            used: What the last attempt used. None where nobody knows, such as after a cut connection: all of it counts
                as used then.
        """
        if used is None:
            used = self.amount
        elif not used.tokens and self.amount.tokens and used.requests:
            # The server does not count, so the most that it can be is what it is.
            cost = self.amount.cost if used.cost is None else used.cost
            used = replace(self.amount, cost=cost)
        elif used.input_tokens and not isinstance(getattr(self._model, "models", None), tuple):
            # Of a chain, another model may answer next, whose server counts otherwise.
            request = self._request
            bound = count_input_bound(request, self._memo)
            self._memo[Settlement] = (
                self._model,
                request.tools,
                request.output,
                request.messages,
                bound - used.input_tokens,
            )
        if self._more:
            if used.cost is None:
                # A budget takes an unknown cost for that of one attempt.
                used = replace(used, cost=self.amount.cost)
            used += self._spent
        try:
            await self._reservation.settle(used)
        finally:
            for reservation in self._more:
                await reservation.settle(Usage())


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
        RunTimeoutError: A budget did not answer before the run had to end.
    """
    budgets = scope.budgets
    price = scope.get_worst_price(model)
    bound = _bound_input(scope, model, request)
    known = await ask_left(budgets, scope.deadline)
    left = find_least([item for _, item in known])
    allowed = request.max_output_tokens or DEFAULT_OUTPUT_TOKENS
    if left is not None and (left.tokens < UNBOUNDED or (left.cost or 0) < UNBOUNDED):
        allowed = max(1, min(allowed, _afford(left, bound, price)))
        request = replace(request, max_output_tokens=allowed)
    amount = _price(bound, allowed, price)
    reservation = await reserve_all(budgets, amount, scope.deadline)
    return Settlement(reservation, amount, model, request, scope.memo, known, budgets), request


def measure(scope: RunScope, model: Model, request: ModelRequest) -> Usage:
    """Return the most that one attempt of a model call may use.

    Args:
        scope: The run.
        model: The model.
        request: What it is asked.
    """
    allowed = request.max_output_tokens or DEFAULT_OUTPUT_TOKENS
    return _price(_bound_input(scope, model, request), allowed, scope.get_worst_price(model))


def _price(bound: int, allowed: int, price: Price | None) -> Usage:
    amount = Usage(requests=1, input_tokens=bound, output_tokens=allowed, cost=None)
    return amount if price is None else replace(amount, cost=price.compute(amount))


def _bound_input(scope: RunScope, model: Model, request: ModelRequest) -> int:
    memo = scope.memo
    bound = count_input_bound(request, memo)
    asked, tools, output, before, surplus = memo.get(Settlement, (None, (), None, (), 0))
    # What the server counted holds for what it has read, and for nothing else.
    if (
        asked is model
        and tools == request.tools
        and output == request.output
        and goes_on(request.messages, before, memo)
    ):
        return max(1, bound - int(surplus))
    return bound


def _afford(left: Usage, bound: int, price: Price | None) -> int:
    """Return how many tokens of output what is left allows."""
    tokens = left.tokens - bound
    if price is not None and price.output and left.cost is not None and left.cost < UNBOUNDED:
        money = left.cost - price.compute(Usage(requests=1, input_tokens=bound))
        tokens = min(tokens, money * _MILLION // price.output)
    return tokens


def _check_room(budget: Budget, left: Usage, spent: Usage, amount: Usage) -> None:
    """Refuse another attempt where a budget had too little left when the call began."""
    for field in ("requests", "tokens", "cost"):
        had, wanted = getattr(left, field) or 0, getattr(amount, field)
        room = max(0, had - (getattr(spent, field) or 0))
        if had < UNBOUNDED and (wanted is None or wanted > room):
            raise BudgetExceededError(
                f"budget {budget.name!r} has no room for another attempt of a model call: of the {had} ({field}) that were "
                f"left when the call began, {room} are left after the attempts that failed, and this one may use {wanted}: "
                f"give the budget more, or ask for less",
                budget=budget.name,
                limit=field,
                allowed=had,
                wanted=wanted,
                left=room,
            )
