"""Waiting with a deadline, for work that may ignore being cancelled."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.threads import count_thread_work, run_in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

__all__ = [
    "Deadline",
    "DeadlineError",
    "abandon",
    "count_thread_work",
    "is_duration",
    "run_blocking",
    "run_bounded",
    "run_in_thread",
    "run_until",
]

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


class Deadline:
    """A moment by which something has to end. It stands still while it is paused, for a person who has to decide.

    Args:
        loop: The event loop whose time counts.
        seconds: Seconds from now.
        around: The deadline of what this is a part of, or None.
    """

    __slots__ = ("_around", "_at", "_loop", "_pauses", "_since")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, around: Deadline | None = None
    ) -> None:
        self._loop = loop
        self._at = loop.time() + seconds
        self._around = around
        self._pauses = 0
        self._since = 0.0

    def left(self) -> float:
        """Return the seconds that are left here and around, 0 or less if there are none."""
        now = self._since if self._pauses else self._loop.time()
        left = self._at - now
        return left if self._around is None else min(left, self._around.left())

    def pause(self) -> None:
        """Let it stand still, here and around, until `resume` was called as often."""
        if not self._pauses:
            self._since = self._loop.time()
        self._pauses += 1
        if self._around is not None:
            self._around.pause()

    def resume(self) -> None:
        """Let it go on, once for each `pause`."""
        self._pauses -= 1
        if not self._pauses:
            self._at += self._loop.time() - self._since
        if self._around is not None:
            self._around.resume()


class _Wait:
    """Waits for a task until a deadline, in the task that awaits `ended`."""

    __slots__ = ("_deadline", "_loop", "_timer", "ended")

    def __init__(self, deadline: Deadline, loop: asyncio.AbstractEventLoop) -> None:
        self._deadline = deadline
        self._loop = loop
        self.ended: asyncio.Future[None] = loop.create_future()
        self._timer = loop.call_later(deadline.left(), self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def end(self, _: object = None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    async def run(self, work: Awaitable[T]) -> T:
        """Do the work, and wake whoever waits in the same turn of the loop in which it ends."""
        try:
            return await _contain(work)
        finally:
            self.end()

    def _look(self) -> None:
        left = self._deadline.left()
        if left <= 0:
            self.end()
        else:  # it was paused meanwhile, or still is
            self._timer = self._loop.call_later(max(left, 0.01), self._look)


async def run_until(work: Coroutine[Any, Any, T], deadline: Deadline) -> T:
    """Await something until a deadline, its clean-up bounded too.

    `asyncio.wait_for` waits without end for work that catches its cancellation; this does not: after
    `CLEANUP_SECONDS` the work is left to itself.

    Args:
        work: What to await; it runs as a task of its own.
        deadline: When it has to end.

    Returns:
        What the work returned.

    Raises:
        DeadlineError: The time ran out.
        BaseException: Whatever the work raised; a `RuntimeError` where it was cancelled by something else
            than the caller of this function.
    """
    loop = asyncio.get_running_loop()
    wait = _Wait(deadline, loop)
    task = loop.create_task(wait.run(work))
    # For a task that is cancelled before it begins.
    task.add_done_callback(wait.end)
    try:
        await wait.ended
    except asyncio.CancelledError:
        await abandon(task)
        raise
    finally:
        wait.stop()
    if not task.done():
        await abandon(task)
        raise DeadlineError("not finished in the time given to it")
    return _outcome(task)


async def run_bounded(work: Awaitable[T], seconds: float) -> T:
    """Await something for a bounded time, its clean-up included, as `run_until` does.

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
    task = asyncio.ensure_future(_contain(work))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await abandon(task)
        raise
    if not done:
        await abandon(task)
        raise DeadlineError(f"not finished within {seconds:g} s")
    return _outcome(task)


async def _contain(work: Awaitable[T]) -> T:
    """Await something; a call of `sys.exit` in it must not end the event loop, and all other work with it."""
    try:
        return await work
    except SystemExit as error:
        raise RuntimeError(f"the work raised SystemExit: {error}") from error


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run something on an event loop of its own, as `asyncio.run` does, but with a bounded end.

    `asyncio.run` waits without end for tasks that ignore being cancelled, such as a tool that was left to itself, and for
    functions that `asyncio.to_thread` began. Here neither is waited for longer than `CLEANUP_SECONDS`.

    Args:
        work: What to run.

    Returns:
        What it returned.

    Raises:
        RuntimeError: An event loop runs in this thread already.
        BaseException: Whatever the work raised.
    """
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented, and raises nothing
        work.close()
        raise RuntimeError("an event loop runs in this thread already: await the work there")
    runner = asyncio.Runner()
    try:
        return runner.run(work)
    finally:
        loop = runner.get_loop()
        try:
            loop.run_until_complete(_end_all(loop))
        finally:
            # Not `Runner.close`, which joins the threads of the default executor.
            asyncio.set_event_loop(None)
            loop.close()


async def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel every other task of the loop, and close its asynchronous generators, as far as they let themselves be."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await abandon(*left)
    with suppress(DeadlineError):
        await run_bounded(loop.shutdown_asyncgens(), CLEANUP_SECONDS)


def _outcome(task: asyncio.Future[T]) -> T:
    """Return a finished task's result. Its cancellation must not pass for one of the caller."""
    if task.cancelled():
        raise RuntimeError("the work was cancelled from inside")
    return task.result()


async def abandon(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks, and leave those to themselves that have not ended after `CLEANUP_SECONDS`.

    Args:
        tasks: What nobody waits for any more; at least one.
    """
    for task in tasks:
        task.cancel()
        # Fetching the outcome keeps asyncio from reporting an exception that nobody can act on any more.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait(tasks, timeout=CLEANUP_SECONDS)
