"""Waiting with a deadline, for work that may ignore being cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import math
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

__all__ = ["DeadlineError", "is_duration", "run_bounded", "run_in_thread", "stream_bounded"]

T = TypeVar("T")

CLEANUP_SECONDS = 1.0


class DeadlineError(TimeoutError):
    """The time given to some work ran out; unlike a `TimeoutError` that the work raised itself."""


def is_duration(value: object) -> bool:
    """Return whether a value is a finite number of seconds above 0.

    Args:
        value: Anything.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return value > 0 and math.isfinite(value)
    except OverflowError:  # a whole number that no float, and so no clock, can hold
        return False


async def run_bounded(work: Awaitable[T], seconds: float) -> T:
    """Await something for a bounded time, its clean-up included.

    `asyncio.wait_for` waits without end for work that catches its cancellation; this does not: after
    `CLEANUP_SECONDS` the work is left to itself.

    Args:
        work: What to await; it runs as a task of its own.
        seconds: How long it may take.

    Returns:
        What the work returned.

    Raises:
        DeadlineError: The time ran out.
        BaseException: Whatever the work raised; a `RuntimeError` where it was cancelled by something else
            than the caller of this function.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await _abandon(task)
        raise
    if not done:
        await _abandon(task)
        raise DeadlineError(f"not finished within {seconds:g} s")
    return _outcome(task)


async def stream_bounded(source: AsyncIterator[T], seconds: float) -> AsyncGenerator[T, None]:
    """Yield what a source yields, all of it within a bounded time, its clean-up included.

    The source runs in one task of its own from its first item to its clean-up, so it may hold timeouts
    and cancel scopes across items. It is read at most one item ahead.

    Args:
        source: What to read; it is closed at the end, however that comes about.
        seconds: How long the whole of it may take.

    Yields:
        The items of the source.

    Raises:
        DeadlineError: The time ran out.
        BaseException: Whatever the source raised.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    items: asyncio.Queue[tuple[T] | None] = asyncio.Queue()
    wanted = asyncio.Semaphore(1)

    async def read() -> None:
        try:
            async for item in source:
                await wanted.acquire()
                items.put_nowait((item,))
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    task = asyncio.create_task(read())
    task.add_done_callback(lambda _: items.put_nowait(None))
    try:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    received = await items.get()
            except TimeoutError:
                raise DeadlineError(f"not finished within {seconds:g} s") from None
            if received is None:
                break
            yield received[0]
            wanted.release()
        _outcome(task)
    finally:
        await _abandon(task)


def _outcome(task: asyncio.Future[T]) -> T:
    """Return a finished task's result. Its cancellation must not pass for one of the caller."""
    if task.cancelled():
        raise RuntimeError("the work was cancelled from inside")
    return task.result()


async def _abandon(task: asyncio.Future[T]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=CLEANUP_SECONDS)
    # Fetching the outcome keeps asyncio from reporting an exception that nobody can act on any more.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


async def run_in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a daemon thread.

    Unlike `asyncio.to_thread`, a function that never returns keeps neither the loop nor the process
    from ending.

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
    context = contextvars.copy_context()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)  # type: ignore[arg-type]  # None only where T is None
        elif isinstance(error, (StopIteration, SystemExit)):
            # A future refuses StopIteration; SystemExit in a task would end the whole event loop.
            wrapped = RuntimeError(f"the function raised {type(error).__name__}: {error}")
            wrapped.__cause__ = error
            future.set_exception(wrapped)
        else:
            future.set_exception(error)

    def work() -> None:
        value: T | None = None
        error: BaseException | None = None
        try:
            value = context.run(function)
        # It is raised again where the result is awaited.
        except BaseException as raised:  # noqa: BLE001
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            # The loop is closed: whoever waited has gone, and the result with them.
            return

    threading.Thread(target=work, name="agent-factory-tool", daemon=True).start()
    return await future
