from __future__ import annotations

import asyncio
import gc
import logging
import math
import socket
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.clock import Clock
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.testing import DeadlockError, VirtualClock, run_virtual
from agent_factory.core.waiting import DeadlineError, run_bounded, run_in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START = datetime(2025, 1, 1, tzinfo=UTC)


def test_sleep_of_a_year_costs_no_time_and_moves_the_clock() -> None:
    clock = VirtualClock()

    async def scenario() -> str:
        await asyncio.sleep(365 * 86400)
        return "done"

    assert run_virtual(scenario, clock=clock) == "done"
    assert clock.now() == START + timedelta(days=365)


def test_time_of_the_loop_is_that_of_the_clock() -> None:
    clock = VirtualClock()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert loop.time() == clock.elapsed == 0
        await asyncio.sleep(90)
        assert loop.time() == clock.elapsed == 90
        assert clock.now() == START + timedelta(seconds=90)

    run_virtual(scenario(), clock=clock)


def test_virtual_clock_is_a_clock_that_begins_where_it_is_told_to() -> None:
    local = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    clock = VirtualClock(local)

    assert isinstance(clock, Clock)
    assert clock.now() == local
    assert clock.now().tzinfo is UTC


def test_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="time zone"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake


@pytest.mark.parametrize("patience", [0.0, -1.0, math.nan])
def test_clock_without_patience_is_refused(patience: float) -> None:
    with pytest.raises(ConfigurationError, match="patience"):
        VirtualClock(patience=patience)


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_clock_goes_forward_only(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="forward"):
        VirtualClock().advance(seconds)


def test_timeout_of_an_hour_ends_what_never_ends() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_virtual(scenario)


@given(delays=st.lists(st.floats(0, 1e8), max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_timers_ring_in_the_order_of_their_times(delays: list[float]) -> None:
    rang: list[tuple[float, float]] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def ring(at: float) -> None:
            rang.append((at, loop.time()))

        for delay in delays:
            loop.call_later(delay, ring, delay)
        await asyncio.sleep(2e8)

    run_virtual(scenario)

    assert [at for at, _ in rang] == sorted(delays)
    assert all(abs(now - at) < 1e-5 for at, now in rang)


def test_function_in_a_thread_comes_before_every_timer() -> None:
    def work() -> str:
        time.sleep(0.05)
        return "done"

    async def scenario() -> tuple[str, float]:
        async with asyncio.timeout(0.001):
            result = await run_in_thread(work)
        return result, asyncio.get_running_loop().time()

    assert run_virtual(scenario) == ("done", 0)


def test_asyncio_to_thread_comes_before_every_timer() -> None:
    async def scenario() -> float:
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(time.sleep, 0.05)
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario) == 0


def test_function_that_is_stuck_in_a_thread_does_not_stop_the_clock_for_ever() -> None:
    released = threading.Event()

    async def scenario() -> float:
        with pytest.raises(DeadlineError):
            await run_bounded(run_in_thread(released.wait), 600)
        return asyncio.get_running_loop().time()

    try:
        assert run_virtual(scenario, clock=VirtualClock(patience=0.05)) == 600
    finally:
        released.set()


def test_held_clock_stands_still_for_a_thread_of_ones_own() -> None:
    clock = VirtualClock()

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def work() -> None:
            time.sleep(0.05)
            loop.call_soon_threadsafe(done.set)

        thread = threading.Thread(target=work)
        thread.start()
        with clock.hold():
            async with asyncio.timeout(0.001):
                await done.wait()
        thread.join()
        assert not clock.held
        return loop.time()

    assert run_virtual(scenario, clock=clock) == 0


def test_connection_that_has_something_to_say_comes_before_every_timer() -> None:
    async def scenario() -> tuple[bytes, float]:
        here, there = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=here)
        with there:
            there.sendall(b"hello\n")
            async with asyncio.timeout(1):
                line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line, asyncio.get_running_loop().time()

    assert run_virtual(scenario) == (b"hello\n", 0)


def test_waiting_for_what_cannot_happen_says_where() -> None:
    async def scenario() -> None:
        asyncio.current_task().set_name("main")  # type: ignore[union-attr]  # there is one
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"everything waits.*main in Event\.wait at .*:\d+"):
        run_virtual(scenario)


def test_sleep_without_end_is_a_deadlock_too() -> None:
    with pytest.raises(DeadlockError, match="hundred years"):
        run_virtual(lambda: asyncio.sleep(math.inf))


def test_tasks_left_over_are_cancelled() -> None:
    ended: list[str] = []

    async def leftover() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def scenario() -> asyncio.Task[None]:
        task = asyncio.create_task(leftover())
        await asyncio.sleep(0)
        return task

    assert run_virtual(scenario).cancelled()
    assert ended == ["cancelled"]


def test_tasks_are_cancelled_after_a_deadlock() -> None:
    ended: list[str] = []

    async def scenario() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with pytest.raises(DeadlockError):
        run_virtual(scenario)
    assert ended == ["cancelled"]


def test_deadlock_while_cancelling_is_told_as_well(caplog: pytest.LogCaptureFixture) -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()

    with caplog.at_level(logging.CRITICAL + 1, "asyncio"):
        with pytest.raises(DeadlockError):
            run_virtual(stubborn)
        gc.collect()  # the task that was given up complains now


def test_async_generators_are_closed() -> None:
    closed: list[bool] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(60)
            closed.append(True)

    source = numbers()

    async def scenario() -> int:
        return await anext(source)

    assert run_virtual(scenario) == 1
    assert closed == [True]


def test_exception_of_the_coroutine_is_raised() -> None:
    async def scenario() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtual(scenario)


def test_ordinary_loops_have_their_ordinary_time_afterwards() -> None:
    run_virtual(lambda: asyncio.sleep(1e6))

    async def scenario() -> float:
        return asyncio.get_running_loop().time() - time.monotonic()

    assert abs(asyncio.run(scenario())) < 1e5


def test_virtual_loop_inside_of_a_loop_is_refused() -> None:
    async def scenario() -> None:
        with pytest.raises(RuntimeError, match="running event loop"):
            run_virtual(asyncio.sleep(0))

    asyncio.run(scenario())
