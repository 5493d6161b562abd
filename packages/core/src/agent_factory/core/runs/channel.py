"""The way of a run's events to whoever reads them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator

    from agent_factory.core.events import RunEvent

__all__ = ["EventChannel"]


class EventChannel:
    """Carries the events of a run to whoever reads them, and lets the run wait for the reader.

    Args:
        loop: The event loop of both.
    """

    __slots__ = ("_drained", "_events", "_loop", "_wanted")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: deque[RunEvent[Any]] = deque()
        self._wanted: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: RunEvent[Any]) -> None:
        """Add an event.

        Args:
            event: What happened.
        """
        self._events.append(event)
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not wanted.done():
            wanted.set_result(None)

    async def drained(self) -> None:
        """Wait until the reader has taken every event and wants more."""
        if self._events or self._wanted is None:
            self._drained = self._loop.create_future()
            await self._drained

    async def read(self, run: asyncio.Task[Any]) -> AsyncGenerator[RunEvent[Any], None]:
        """Yield the events until the run has ended.

        Args:
            run: The task of the run.
        """
        events = self._events
        run.add_done_callback(self._wake)
        while True:
            while events:
                yield events.popleft()
            if run.done():
                return
            self._wanted = wanted = self._loop.create_future()
            drained, self._drained = self._drained, None
            if drained is not None and not drained.done():
                drained.set_result(None)
            await wanted

    def _wake(self, _: object) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)
