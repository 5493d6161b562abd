from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.waiting import (
    DeadlineError,
    is_duration,
    run_blocking,
    run_bounded,
    run_in_thread,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def wait_for_ever() -> None:
    """Wait for something that never happens."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("value", [1, 0.001, 1e300])
def test_finite_positive_numbers_are_durations(value: float) -> None:
    assert is_duration(value)


@pytest.mark.parametrize(
    "value",
    [0, -1, 0.0, float("inf"), float("nan"), True, "1", None, pytest.param(10**400, id="big")],
)
def test_anything_else_is_no_duration(value: object) -> None:
    assert not is_duration(value)


def test_result_in_time_is_returned() -> None:
    async def work() -> int:
        return 3

    assert asyncio.run(run_bounded(work(), 5)) == 3


def test_error_in_time_is_raised_as_it_is() -> None:
    async def work() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        asyncio.run(run_bounded(work(), 5))


def test_late_work_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("cancelled")

    async def main() -> list[str]:
        with pytest.raises(DeadlineError, match=r"within 0\.01 s"):
            await run_bounded(work(), 0.01)
        return list(ended)

    assert asyncio.run(main()) == ["cancelled"]


def test_work_that_fails_while_it_is_cancelled_is_still_late() -> None:
    async def work() -> None:
        try:
            await wait_for_ever()
        finally:
            raise KeyError("while cleaning up")

    with pytest.raises(DeadlineError):
        asyncio.run(run_bounded(work(), 0.01))


def test_cancelling_the_caller_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("cancelled")

    async def main() -> list[str]:
        caller = asyncio.create_task(run_bounded(work(), 30))
        await asyncio.sleep(0.01)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return list(ended)

    assert asyncio.run(main()) == ["cancelled"]


def test_failure_after_being_left_alone_is_not_reported_by_the_loop() -> None:
    async def main() -> list[object]:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, said: reported.append(said))
        released = asyncio.Event()

        async def stubborn() -> None:
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    continue
            raise KeyError("too late")

        with pytest.raises(DeadlineError):
            await run_bounded(stubborn(), 0.01)
        released.set()
        await asyncio.sleep(0.01)
        return reported

    assert asyncio.run(main()) == []


def test_function_in_a_thread_returns_and_raises_as_usual() -> None:
    def fail() -> None:
        raise KeyError("k")

    assert asyncio.run(run_in_thread(lambda: 3)) == 3
    with pytest.raises(KeyError):
        asyncio.run(run_in_thread(fail))


def test_function_of_the_default_executor_that_hangs_is_not_waited_for() -> None:
    released = threading.Event()
    ended = threading.Event()

    def hang() -> None:
        released.wait(30)
        ended.set()

    async def main() -> str:
        work = asyncio.create_task(asyncio.to_thread(hang))
        await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait([work])
        return "done"

    assert run_blocking(main()) == "done"
    assert not ended.is_set()
    released.set()
    assert ended.wait(30)


def test_generator_that_does_not_let_itself_be_closed_does_not_hide_the_result() -> None:
    begun: list[AsyncGenerator[int, None]] = []

    async def stubborn() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.Event().wait()

    async def main() -> int:
        begun.append(stubborn())
        return await anext(begun[0])

    assert run_blocking(main()) == 1


def test_generators_that_were_not_read_to_their_end_are_closed() -> None:
    ended: list[str] = []
    begun: list[AsyncGenerator[int, None]] = []

    async def count() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    async def main() -> int:
        begun.append(count())
        return await anext(begun[0])

    assert (run_blocking(main()), ended) == (1, ["closed"])


def test_work_inside_an_event_loop_is_refused_and_does_not_begin() -> None:
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="runs in this thread already"):
            run_blocking(work())

    asyncio.run(main())

    assert begun == []


def test_thread_has_no_event_loop_afterwards() -> None:
    async def main() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loop = run_blocking(main())

    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="no current event loop"):
        asyncio.get_event_loop()
