"""The port through which a run reserves what it may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from agent_factory.core.usage import Usage

__all__ = ["Budget", "Reservation"]


@runtime_checkable
class Reservation(Protocol):
    """A part of a budget that is set aside for one model call or tool call. Settled exactly once."""

    async def settle(self, used: Usage) -> None:
        """Give back what was not used. A second settlement changes nothing.

        Args:
            used: What was really used; never refused, also where it is more than was reserved.
        """
        ...


@runtime_checkable
class Budget(Protocol):
    """What several runs together may use. Safe to use by many runs at a time."""

    @property
    def name(self) -> str:
        """Name for people and errors, such as ``user:ada``."""
        ...

    async def reserve(self, amount: Usage) -> Reservation:
        """Set aside what a call may use at most, or refuse. Where it raises, also when cancelled, it sets nothing aside.

        Args:
            amount: The most that it may use; ``cost`` is None where no price is known.

        Returns:
            The reservation, to be settled however the call ends.

        Raises:
            BudgetExceededError: There is not that much left; it says which budget, what it lacks and how much is left.
        """
        ...

    async def get_left(self) -> Usage | None:
        """Return what is left, for deciding how long an answer may be; None where nothing is bounded.

        A field that is not bounded is `UNBOUNDED`. Tokens are bounded together: `Usage.tokens` is how many are left.
        """
        ...
