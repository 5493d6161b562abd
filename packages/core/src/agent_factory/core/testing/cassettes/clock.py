"""A clock that says what a cassette says, or records what another one says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_factory.core.clock import Clock
    from agent_factory.core.testing.cassettes.cassette import Cassette

__all__ = ["CassetteClock"]


class CassetteClock:
    """A clock that says what a cassette says, or records what another one says.

    After the last reading on record it stands still: a program that looks at the clock more often than before is
    no other program for that.

    Args:
        cassette: The cassette, whose mode decides.
        clock: The real clock.
    """

    def __init__(self, cassette: Cassette, clock: Clock) -> None:
        self._cassette = cassette
        self._clock = clock

    def now(self) -> datetime:
        """Return the time in UTC, aware.

        Raises:
            CassetteMissError: The clock is not on record.
        """
        if not self._cassette.recording:
            return datetime.fromisoformat(self._cassette.replay_time())
        now = self._clock.now()
        self._cassette.record_time(now.isoformat())
        return now
