"""The time of day, as a port: what is recorded can be recorded again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

__all__ = ["Clock", "SystemClock"]


@runtime_checkable
class Clock(Protocol):
    """Tells the time of day. How long something takes is the event loop's business (`loop.time()`), not this one's."""

    def now(self) -> datetime:
        """Return the time in UTC, aware."""
        ...


class SystemClock:
    """The clock of this machine."""

    __slots__ = ()

    def now(self) -> datetime:
        """Return the time in UTC, aware."""
        return datetime.now(UTC)
