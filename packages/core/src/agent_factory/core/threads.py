"""Blocking functions beside the event loop, in a bounded number of threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_THREADS", "are_threads_taken", "count_thread_work", "run_in_thread"]

T = TypeVar("T")

MAX_THREADS = 64
"""Blocking functions that run at the same time in this process; more wait for their turn.

One that is called from within another, whose thread waits for it meanwhile, is not counted: it must not wait for threads
that wait for it.
"""

_IDLE_SECONDS = 10.0


class _Job:
    """A function, where it was called, and who waits for it."""

    __slots__ = ("context", "function", "future", "loop")

    def __init__(
        self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: Any
    ) -> None:
        self.function = function
        self.loop = loop
        self.future: asyncio.Future[Any] = future
        self.context = contextvars.copy_context()

    def run(self) -> None:
        if self.future.cancelled():  # nobody waits any more, so it does not begin
            return
        value: Any = None
        error: BaseException | None = None
        try:
            value = self.context.run(self.function)
        # It is raised again where the result is awaited.
        except BaseException as raised:  # noqa: BLE001
            error = raised
        try:
            self.loop.call_soon_threadsafe(self._settle, value, error)
        except RuntimeError:
            # The loop is closed: whoever waited has gone, and the result with them.
            return

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        elif isinstance(error, (StopIteration, SystemExit)):
            # A future refuses StopIteration; SystemExit in a task would end the whole event loop.
            wrapped = RuntimeError(f"the function raised {type(error).__name__}: {error}")
            wrapped.__cause__ = error
            self.future.set_exception(wrapped)
        else:
            self.future.set_exception(error)


class _Pool:
    """Daemon threads that come when they are needed and go when they are not.

    Not a `concurrent.futures.ThreadPoolExecutor`: the interpreter joins its threads at exit, so one function that
    never returns would keep the process alive for ever.
    """

    def __init__(self) -> None:
        self._here = threading.local()
        self._lock = threading.Lock()
        self._wanted = threading.Condition(self._lock)
        self._jobs: deque[_Job] = deque()
        self._threads = 0
        self._idle = 0

    @property
    def taken(self) -> bool:
        """Whether functions wait for a thread."""
        with self._lock:
            return self._threads >= MAX_THREADS and bool(self._jobs)

    def submit(self, job: _Job) -> None:
        first: _Job | None = None
        with self._lock:
            if self._idle > len(self._jobs):
                self._jobs.append(job)
                self._wanted.notify()
                return
            if getattr(self._here, "works", False):
                # The caller's thread waits for it, so it gets one of its own, and waits for no other.
                first = job
            else:
                self._jobs.append(job)
                if self._threads >= MAX_THREADS:
                    return
            self._threads += 1
        threading.Thread(
            target=self._work, args=(first,), name="agent-factory-tool", daemon=True
        ).start()

    def _work(self, job: _Job | None) -> None:
        self._here.works = True
        if job is not None:
            job.run()
            del job
        while True:
            with self._lock:
                if self._threads > MAX_THREADS:
                    self._threads -= 1
                    return
                if not self._jobs:
                    self._idle += 1
                    self._wanted.wait_for(lambda: self._jobs, timeout=_IDLE_SECONDS)
                    self._idle -= 1
                if not self._jobs:
                    self._threads -= 1
                    return
                job = self._jobs.popleft()
            job.run()
            del job  # its result must not live until the next one


_pool = _Pool()
_at_work: dict[asyncio.AbstractEventLoop, int] = {}


def are_threads_taken() -> bool:
    """Return whether all threads are taken and functions wait for one."""
    return _pool.taken


def count_thread_work(loop: asyncio.AbstractEventLoop) -> int:
    """Return how many functions are awaited in threads from an event loop.

    Args:
        loop: The event loop.
    """
    return _at_work.get(loop, 0)


async def run_in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in one of at most `MAX_THREADS` daemon threads.

    Unlike `asyncio.to_thread`, a function that never returns keeps neither the loop nor the process from ending.
    It keeps its thread, though. A function whose caller has gone before its turn does not begin. One that is called from
    a function in such a thread, by an event loop of its own, does not wait for a turn.

    Args:
        function: What to run; it sees the caller's context variables.

    Returns:
        What the function returned.

    Raises:
        RuntimeError: The function raised StopIteration or SystemExit; ``__cause__`` has it.
        BaseException: Whatever else the function raised.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    _at_work[loop] = _at_work.get(loop, 0) + 1
    try:
        _pool.submit(_Job(function, loop, future))
        return await future
    finally:
        left = _at_work[loop] - 1
        if left:
            _at_work[loop] = left
        else:
            del _at_work[loop]
