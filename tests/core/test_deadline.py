from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.testing import VirtualClock, run_virtual
from agent_factory.core.waiting import Deadline, DeadlineError, run_until

T = TypeVar("T")


async def wait_for_ever() -> None:
    """Wait for something that never happens."""
    await asyncio.Event().wait()


def run(main: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, T]]) -> T:
    """Return what a coroutine returns that knows its loop, whose time is virtual."""

    async def start() -> T:
        return await main(asyncio.get_running_loop())

    return run_virtual(start())


def test_time_that_is_left_becomes_less() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> list[float]:
        deadline = Deadline(loop, 10)
        seen = [deadline.left()]
        await asyncio.sleep(4)
        seen.append(deadline.left())
        await asyncio.sleep(8)
        return [*seen, deadline.left()]

    assert run(main) == pytest.approx([10, 6, -2])


def test_less_is_left_than_around() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> tuple[float, float]:
        around = Deadline(loop, 5)
        return Deadline(loop, 10, around).left(), Deadline(loop, 1, around).left()

    assert run(main) == pytest.approx((5, 1))


def test_paused_deadline_stands_still_and_goes_on() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> list[float]:
        deadline = Deadline(loop, 10)
        await asyncio.sleep(1)
        deadline.pause()
        await asyncio.sleep(100)
        seen = [deadline.left()]
        deadline.resume()
        seen.append(deadline.left())
        await asyncio.sleep(2)
        return [*seen, deadline.left()]

    assert run(main) == pytest.approx([9, 9, 7])


def test_deadline_goes_on_when_the_last_pause_ends() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> list[float]:
        deadline = Deadline(loop, 10)
        deadline.pause()
        await asyncio.sleep(1)
        deadline.pause()
        await asyncio.sleep(1)
        deadline.resume()
        await asyncio.sleep(1)
        seen = [deadline.left()]
        deadline.resume()
        await asyncio.sleep(1)
        return [*seen, deadline.left()]

    assert run(main) == pytest.approx([10, 9])


def test_pause_reaches_what_is_around_but_not_what_stands_beside() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> tuple[float, float, float]:
        around = Deadline(loop, 10)
        one, other = Deadline(loop, 8, around), Deadline(loop, 8, around)
        one.pause()
        await asyncio.sleep(5)
        one.resume()
        return one.left(), other.left(), around.left()

    assert run(main) == pytest.approx((8, 3, 10))


def test_work_in_time_returns_and_raises_as_it_is() -> None:
    async def three() -> int:
        return 3

    async def fail() -> None:
        raise KeyError("k")

    async def main(loop: asyncio.AbstractEventLoop) -> int:
        with pytest.raises(KeyError):
            await run_until(fail(), Deadline(loop, 1))
        return await run_until(three(), Deadline(loop, 1))

    assert run(main) == 3


def test_work_that_is_done_at_once_is_in_time_for_a_deadline_that_is_over() -> None:
    async def three() -> int:
        return 3

    async def main(loop: asyncio.AbstractEventLoop) -> int:
        deadline = Deadline(loop, 1)
        await asyncio.sleep(2)
        return await run_until(three(), deadline)

    assert run(main) == 3


def test_late_work_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("cancelled")

    async def main(loop: asyncio.AbstractEventLoop) -> list[str]:
        with pytest.raises(DeadlineError):
            await run_until(work(), Deadline(loop, 1))
        return list(ended)

    assert run(main) == ["cancelled"]


def test_work_that_ignores_its_cancellation_is_left_to_itself() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> bool:
        released = asyncio.Event()

        async def stubborn() -> None:
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    continue
            raise KeyError("too late")

        reported: list[object] = []
        loop.set_exception_handler(lambda _, said: reported.append(said))
        with pytest.raises(DeadlineError):
            await run_until(stubborn(), Deadline(loop, 1))
        released.set()
        await asyncio.sleep(1)
        return not reported

    assert run(main)


def test_work_goes_on_while_its_deadline_is_paused() -> None:
    async def work(deadline: Deadline) -> str:
        deadline.pause()
        await asyncio.sleep(100)
        deadline.resume()
        await asyncio.sleep(0.5)
        return "done"

    async def main(loop: asyncio.AbstractEventLoop) -> str:
        deadline = Deadline(loop, 1)
        return await run_until(work(deadline), deadline)

    assert run(main) == "done"


def test_work_is_late_when_the_rest_of_the_time_is_over_after_a_pause() -> None:
    async def work(deadline: Deadline) -> None:
        deadline.pause()
        await asyncio.sleep(100)
        deadline.resume()
        await wait_for_ever()

    async def main(loop: asyncio.AbstractEventLoop) -> float:
        deadline = Deadline(loop, 1)
        with pytest.raises(DeadlineError):
            await run_until(work(deadline), deadline)
        return loop.time()

    assert run(main) == pytest.approx(101, abs=0.1)


def test_cancelling_the_caller_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("cancelled")

    async def main(loop: asyncio.AbstractEventLoop) -> list[str]:
        caller = asyncio.create_task(run_until(work(), Deadline(loop, 30)))
        await asyncio.sleep(1)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return list(ended)

    assert run(main) == ["cancelled"]


def test_work_cancelled_from_inside_does_not_look_like_a_cancelled_caller() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        with pytest.raises(RuntimeError, match="cancelled from inside"):
            await run_until(work(), Deadline(loop, 1))

    run(main)


def test_timeout_error_of_the_work_is_not_one_of_the_deadline() -> None:
    async def work() -> None:
        raise TimeoutError("its own")

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        with pytest.raises(TimeoutError, match="its own") as caught:
            await run_until(work(), Deadline(loop, 1))
        assert not isinstance(caught.value, DeadlineError)

    run(main)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6),
    st.integers(0, 2**32),
)
def test_time_under_any_pause_is_not_counted(pauses: list[tuple[int, int]], seed: int) -> None:
    async def hold(deadline: Deadline, after: int, seconds: int) -> None:
        await asyncio.sleep(after)
        deadline.pause()
        await asyncio.sleep(seconds)
        deadline.resume()

    async def main(loop: asyncio.AbstractEventLoop) -> float:
        deadline = Deadline(loop, 1000)
        order = list(pauses)
        random.Random(seed).shuffle(order)  # noqa: S311 - no secret
        await asyncio.gather(asyncio.sleep(101), *(hold(deadline, *item) for item in order))
        return deadline.left()

    stood = {second for after, length in pauses for second in range(after, after + length)}
    assert run(main) == pytest.approx(1000 - 101 + len(stood))


def test_clock_is_the_one_of_the_loop() -> None:
    clock = VirtualClock()

    async def main() -> float:
        deadline = Deadline(asyncio.get_running_loop(), 10)
        clock.advance(4)
        return deadline.left()

    assert run_virtual(main(), clock=clock) == pytest.approx(6)
