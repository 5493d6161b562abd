from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from agent_factory.core import ToolContext, ToolTimeoutError, tool
from agent_factory.core.threads import MAX_THREADS, count_thread_work, run_in_thread

who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_function_runs_in_another_thread_which_keeps_no_process_alive() -> None:
    thread = asyncio.run(run_in_thread(threading.current_thread))

    assert thread is not threading.main_thread()
    assert thread.daemon


def test_function_sees_the_context_of_its_caller_and_does_not_change_it() -> None:
    def look() -> str:
        seen = who.get()
        who.set("thread")
        return seen

    async def main() -> tuple[str, str]:
        who.set("caller")
        return await run_in_thread(look), who.get()

    assert asyncio.run(main()) == ("caller", "caller")


def test_error_is_raised_as_it_is() -> None:
    error = KeyError("k")

    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        asyncio.run(run_in_thread(fail))
    assert caught.value is error


@pytest.mark.parametrize("error", [StopIteration(3), SystemExit(3)])
def test_error_that_a_task_cannot_raise_is_wrapped(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError, match=f"the function raised {type(error).__name__}: 3") as it:
        asyncio.run(run_in_thread(fail))
    assert it.value.__cause__ is error


def test_event_loop_goes_on_while_a_function_blocks() -> None:
    async def main() -> str:
        released = threading.Event()

        def block() -> str:
            # Ends with the patience of the test, where the loop does not go on to set it.
            return "released" if released.wait(10) else "stuck"

        work = asyncio.create_task(run_in_thread(block))
        await asyncio.sleep(0)
        released.set()
        return await work

    assert asyncio.run(main()) == "released"


def test_caller_that_is_cancelled_does_not_wait_for_the_function() -> None:
    async def main() -> None:
        released = threading.Event()
        work = asyncio.create_task(run_in_thread(released.wait))
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert not released.is_set()
        released.set()

    asyncio.run(main())


def test_at_most_so_many_functions_run_and_the_others_have_their_turn() -> None:
    lock = threading.Lock()
    running, most = 0, 0
    full = threading.Event()
    released = threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == MAX_THREADS:
                full.set()
        released.wait(30)
        with lock:
            running -= 1

    async def main() -> int:
        count = MAX_THREADS + 10
        tasks = [asyncio.create_task(run_in_thread(work)) for _ in range(count)]
        await asyncio.sleep(0)
        assert count_thread_work(asyncio.get_running_loop()) == count
        await asyncio.to_thread(full.wait, 30)
        released.set()
        return len(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == MAX_THREADS + 10
    assert most == MAX_THREADS


def test_function_whose_caller_has_gone_before_its_turn_does_not_begin() -> None:
    began: list[str] = []
    released = threading.Event()

    async def main() -> None:
        busy = [
            asyncio.create_task(run_in_thread(lambda: released.wait(30)))
            for _ in range(MAX_THREADS)
        ]
        late = asyncio.create_task(run_in_thread(lambda: began.append("late")))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([late])
        released.set()
        await asyncio.gather(*busy)
        await run_in_thread(lambda: began.append("next"))

    asyncio.run(main())

    assert began == ["next"]


def test_functions_are_counted_as_long_as_they_are_awaited() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        released = threading.Event()
        counts = [count_thread_work(loop)]
        tasks = [asyncio.create_task(run_in_thread(lambda: released.wait(30))) for _ in range(2)]
        await asyncio.sleep(0)
        counts.append(count_thread_work(loop))
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        counts.append(count_thread_work(loop))
        released.set()
        await tasks[1]
        return [*counts, count_thread_work(loop)]

    assert asyncio.run(main()) == [0, 2, 1, 0]


def test_functions_of_two_event_loops_are_counted_apart() -> None:
    async def main() -> int:
        return count_thread_work(asyncio.get_running_loop())

    async def outer() -> tuple[int, int]:
        inside = await run_in_thread(lambda: asyncio.run(main()))
        return inside, count_thread_work(asyncio.get_running_loop())

    assert asyncio.run(outer()) == (0, 0)


def test_result_for_an_event_loop_that_is_closed_is_dropped(
    recwarn: pytest.WarningsRecorder,
) -> None:
    released = threading.Event()
    threads: list[threading.Thread] = []

    def block() -> None:
        threads.append(threading.current_thread())
        released.wait(30)

    async def main() -> None:
        work = asyncio.create_task(run_in_thread(block))
        while not threads:  # noqa: ASYNC110 - a thread sets no asyncio.Event
            await asyncio.sleep(0.001)
        work.cancel()
        await asyncio.wait([work])

    asyncio.run(main())
    released.set()

    # The thread is free for other work, so it did not end with an error.
    assert asyncio.run(run_in_thread(lambda: "next")) == "next"
    assert threads[0].is_alive()
    assert not recwarn.list


def test_function_that_never_returns_keeps_no_process_from_ending() -> None:
    program = """
        import asyncio, threading
        from agent_factory.core.threads import run_in_thread

        async def main():
            work = asyncio.create_task(run_in_thread(threading.Event().wait))
            await asyncio.sleep(0.05)
            work.cancel()
            await asyncio.wait([work])
            print("done", flush=True)

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_functions_that_wait_for_functions_of_their_own_do_not_block_each_other() -> None:
    together = threading.Barrier(MAX_THREADS)

    async def ask() -> str:
        return await run_in_thread(lambda: "leaf")

    def nest() -> str:
        together.wait(30)  # all threads are taken from here on
        return asyncio.run(ask())

    async def main() -> list[str]:
        work = asyncio.gather(*(run_in_thread(nest) for _ in range(MAX_THREADS)))
        async with asyncio.timeout(30):
            return await work

    assert asyncio.run(main()) == ["leaf"] * MAX_THREADS


def test_functions_run_as_few_as_before_once_those_within_others_have_ended() -> None:
    lock = threading.Lock()
    running, most = 0, 0
    together = threading.Barrier(MAX_THREADS)

    def nest() -> None:
        together.wait(30)
        asyncio.run(run_in_thread(lambda: None))

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1

    async def main() -> None:
        await asyncio.gather(*(run_in_thread(nest) for _ in range(MAX_THREADS)))
        await asyncio.gather(*(run_in_thread(work) for _ in range(3 * MAX_THREADS)))

    asyncio.run(main())

    assert 0 < most <= MAX_THREADS


def test_call_that_got_no_thread_in_time_says_so() -> None:
    released = threading.Event()

    @tool(timeout=0.05)
    def look() -> str:
        return "never asked"

    async def main() -> str:
        busy = [
            asyncio.create_task(run_in_thread(lambda: released.wait(30)))
            for _ in range(MAX_THREADS)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ToolTimeoutError) as caught:
            await look.run(ToolContext(None, "run", "call"), "{}")
        released.set()
        await asyncio.gather(*busy)
        return caught.value.message

    assert asyncio.run(main()) == (
        "tool 'look' did not finish within 0.05 s: all 64 threads of plain functions are taken, so it may have waited "
        "for one"
    )
