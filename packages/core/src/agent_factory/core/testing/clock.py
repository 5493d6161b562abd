"""A clock for tests that costs no time: waiting jumps to the next moment at which something happens."""

from __future__ import annotations

import asyncio
import inspect
import math
import selectors
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from agent_factory.core.exceptions import ConfigurationError, CoreError
from agent_factory.core.waiting import count_thread_work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from concurrent.futures import Executor

__all__ = ["DeadlockError", "VirtualClock", "run_virtual"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = datetime(2025, 1, 1, tzinfo=UTC)
_SLICE = 0.02  # seconds between two looks at what threads do
_RESOLUTION = 1e-6  # seconds
_END = 100 * 366 * 86400.0  # seconds; nothing waits for a hundred years, except for nothing


class DeadlockError(CoreError):
    """Everything waits, and nothing is left that could end the waiting."""

    code = "deadlock"


class VirtualClock:
    """A clock that `run_virtual` sets forward.

    Args:
        start: The time that it begins at, aware.
        patience: Seconds of real time that a function in a thread may take, while the clock stands still, before
            it is taken to be stuck and the clock goes on without it; greater than 0.

    Raises:
        ConfigurationError: The start has no time zone, or the patience is not above 0.
    """

    def __init__(self, start: datetime = START, *, patience: float = 5.0) -> None:
        if start.tzinfo is None:
            raise ConfigurationError(
                f"a virtual clock needs a start with a time zone, not {start!r}: add tzinfo=UTC"
            )
        if not patience > 0:
            raise ConfigurationError(
                f"the patience of a virtual clock must be more than 0 s, not {patience!r}"
            )
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0
        self._holds = 0
        self.patience = patience

    def now(self) -> datetime:
        """Return the time in UTC, aware."""
        return self._start + timedelta(seconds=self._elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the start; what ``loop.time()`` returns inside `run_virtual`."""
        return self._elapsed

    @property
    def held(self) -> bool:
        """Whether the clock stands still for real work."""
        return self._holds > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Make the clock stand still while something real is waited for: another process, or a thread of your own."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    def advance(self, seconds: float) -> None:
        """Set the clock forward. `run_virtual` does it whenever everything waits.

        Args:
            seconds: How far; 0 or more, and finite.

        Raises:
            ConfigurationError: The time would go back.
        """
        if not 0 <= seconds < math.inf:
            raise ConfigurationError(f"a clock goes forward by finite seconds, not {seconds!r}")
        self._elapsed += seconds


def run_virtual(
    main: Awaitable[T] | Callable[[], Awaitable[T]], *, clock: VirtualClock | None = None
) -> T:
    """Run a coroutine as `asyncio.run` does, on a loop whose time is virtual.

    `asyncio.sleep`, `asyncio.timeout` and `loop.call_later` work as ever and cost no time: as soon as everything
    waits, the clock jumps to the next timer. Functions in threads (tools that are no coroutine functions,
    `asyncio.to_thread`) take no virtual time. Whatever else is real, such as another process or a connection to
    it, is to be waited for under `VirtualClock.hold`.

    Args:
        main: What to run, or a function that makes it.
        clock: The clock to set forward; a new one if None.

    Returns:
        What it returned.

    Raises:
        DeadlockError: Everything waits for something that cannot happen any more.
        RuntimeError: An event loop runs in this thread already.
        BaseException: Whatever the coroutine raised.
    """
    ticking = VirtualClock() if clock is None else clock
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented, and raises nothing
        if inspect.iscoroutine(main):
            main.close()
        raise RuntimeError("run_virtual() cannot be called from a running event loop: await there")

    async def run() -> T:
        return await (main() if callable(main) else main)

    with asyncio.Runner(loop_factory=lambda: _VirtualLoop(ticking)) as runner:
        return runner.run(run())


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._in_executor = 0
        super().__init__(_VirtualSelector(self, clock))
        # A timer rings when it is due within this time. The usual nanosecond is nothing beside a month of seconds
        # in a float, and the timer would never ring.
        self._clock_resolution = _RESOLUTION

    def time(self) -> float:
        return self._clock.elapsed

    def count_threads(self) -> int:
        return self._in_executor + count_thread_work(self)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._in_executor += 1
        future.add_done_callback(self._leave_executor)
        return future

    def _leave_executor(self, _: object) -> None:
        self._in_executor -= 1

    async def shutdown_default_executor(self) -> None:
        with self._clock.hold():
            await super().shutdown_default_executor()


class _VirtualSelector(selectors.DefaultSelector):
    """Jumps in place of waiting. What is ready by now always comes first."""

    def __init__(self, loop: _VirtualLoop, clock: VirtualClock) -> None:
        super().__init__()
        self._loop = loop
        self._clock = clock
        self._stuck = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        began = time.monotonic()
        while True:
            # In this order: a thread that ends between the two has woken the loop before it is out of the count.
            threads = self._loop.count_threads()
            if events := super().select(0):
                return events
            self._stuck = min(self._stuck, threads)
            if threads > self._stuck and time.monotonic() - began >= self._clock.patience:
                self._stuck = threads
            if self._clock.held or threads > (0 if timeout is None else self._stuck):
                if events := super().select(_SLICE):
                    return events
            elif timeout is None:
                raise DeadlockError(
                    "everything waits, and there is no timer, no thread and no connection that could end it: "
                    + self._describe()
                )
            elif self._clock.elapsed > _END:
                raise DeadlockError(f"nothing happened for a hundred years: {self._describe()}")
            else:
                self._clock.advance(timeout)
                return []

    def _describe(self) -> str:
        return "; ".join(sorted(map(_describe, asyncio.all_tasks(self._loop)))) or "no task is left"


def _describe(task: asyncio.Task[Any]) -> str:
    """Say where a task waits, in the innermost coroutine that can be seen."""
    waiting: Any = task.get_coro()
    while inspect.iscoroutine(waiting.cr_await if inspect.iscoroutine(waiting) else None):
        waiting = waiting.cr_await
    frame = getattr(waiting, "cr_frame", None)
    name = getattr(waiting, "__qualname__", type(waiting).__name__)
    place = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    return f"{task.get_name()} in {name}{place}"
