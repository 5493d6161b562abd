"""What to do where a model call may not cost what it would, in the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.cli.exceptions import SpendError
from agent_factory.cli.text import format_cost
from agent_factory.core.exceptions import BudgetExceededError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.blueprints import Assembly
    from agent_factory.core.models import Model
    from agent_factory.core.prices import PriceTable

__all__ = ["explain_spend"]


def explain_spend(
    error: BaseException, assembly: Assembly, prices: PriceTable
) -> SpendError | None:
    """Return what tells a user of the command line why money ended a run; None where something else did.

    Args:
        error: What ended the run, or was raised because of it.
        assembly: The blueprint.
        prices: What models cost.
    """
    found = _find(error)
    if found is None:
        return None
    allowed = int(found.allowed)
    bound = (
        "permissions.spend"
        if assembly.spend is not None and allowed >= assembly.spend
        else "limits.max_cost"
    )
    most = f"{format_cost(allowed, prices.currency)} may be spent ({bound} of the blueprint)"
    if found.wanted is None:
        unknown = list(dict.fromkeys(_find_unpriced(assembly.models.values(), prices)))
        shown = ", ".join(map(repr, unknown)) or "the model"
        name = unknown[0] if unknown else "NAME"
        message = (
            f"no price is known for {shown}, and only {most}: tell what it costs, for a million tokens in and out, with "
            f"agent-factory config set prices.{name} INPUT/OUTPUT"
        )
        if allowed == 0:
            message += f"; and raise {bound}, unless it costs nothing, which is 0/0"
    else:
        left = "" if allowed == 0 else f", {format_cost(found.left, prices.currency)} are left"
        message = (
            f"{most}{left}, and the next model call may cost {format_cost(found.wanted, prices.currency)}: "
            f"raise {bound}, or choose a model that costs less"
        )
    return SpendError(message, details=found.details)


def _find(error: BaseException) -> BudgetExceededError | None:
    """Return the error of a budget of money that an error came from."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BudgetExceededError):
            return cause if cause.limit in ("cost", "max_cost") else None
        cause = cause.__cause__
    return None


def _find_unpriced(models: Iterable[Model], prices: PriceTable) -> Iterable[str]:
    for model in models:
        several: Any = getattr(model, "models", None)
        if isinstance(several, tuple) and several:
            yield from _find_unpriced(several, prices)
        elif prices.get(model.name) is None:
            yield model.name
