from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from agent_factory.core import (
    Failure,
    LocalEngine,
    ModelConnectionError,
    ModelRateLimitError,
    ModelServerError,
    Retry,
    ToolError,
    Workflow,
    WorkflowError,
    map_each,
    parallel,
    recover,
    step,
)

REFUSED = ModelConnectionError("refused", model="m")


class Script:
    """A step that raises errors in a row, then returns its number of calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, value: object) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


def run(script: Script, retry: Retry | None = None, chance: float = 1.0) -> tuple[int, list[float]]:
    """Return what a workflow of this one step gives, and how long it waited between tries."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def call(value: object) -> int:
        return await script(value)

    workflow = Workflow("w", step(call, retry=retry))
    engine = LocalEngine(sleep=sleep, chance=lambda: chance)
    return asyncio.run(workflow.run(None, engine=engine)), waits


def test_step_with_a_policy_is_tried_again_with_growing_waits() -> None:
    retry = Retry(attempts=5, first_delay=1.0, max_delay=3.0)

    assert run(Script(REFUSED, REFUSED, REFUSED), retry) == (4, [1.0, 2.0, 3.0])


def test_wait_is_a_random_part_of_the_longest() -> None:
    assert run(Script(REFUSED), Retry(first_delay=2.0), chance=0.25) == (2, [0.5])


def test_last_error_is_raised_when_no_try_is_left() -> None:
    script = Script(REFUSED, REFUSED, REFUSED, REFUSED)

    with pytest.raises(WorkflowError, match="step 'call' failed: refused"):
        run(script, Retry(attempts=3))
    assert script.calls == 3


@pytest.mark.parametrize("error", [ValueError("odd"), ToolError("closed")])
def test_error_that_does_not_go_away_is_not_tried_again(error: Exception) -> None:
    script = Script(error)

    with pytest.raises(WorkflowError):
        run(script, Retry())
    assert script.calls == 1


def test_step_without_a_policy_is_not_tried_again() -> None:
    script = Script(REFUSED)

    with pytest.raises(WorkflowError):
        run(script)
    assert script.calls == 1


def test_further_classes_are_tried_again_when_the_policy_names_them() -> None:
    assert run(Script(KeyError("k")), Retry(also=(LookupError,)))[0] == 2


def test_wait_is_at_least_what_the_server_asks_for() -> None:
    error = ModelRateLimitError("slow down", model="m", retry_after=7.5)

    assert run(Script(error), Retry(first_delay=0.1)) == (2, [7.5])


def test_server_that_asks_for_too_long_a_wait_ends_the_tries() -> None:
    script = Script(ModelRateLimitError("slow down", model="m", retry_after=3600.0))

    with pytest.raises(WorkflowError, match="slow down"):
        run(script, Retry(max_delay=30.0))
    assert script.calls == 1


def test_timeout_is_for_each_try_and_tried_again() -> None:
    tries: list[int] = []

    async def hang_once(value: object) -> int:
        tries.append(1)
        if len(tries) == 1:
            await asyncio.Event().wait()
        return len(tries)

    hanging = step(hang_once, timeout=0.02, retry=Retry(first_delay=0.001))
    assert asyncio.run(Workflow("w", hanging).run(None)) == 2


async def hang(value: object) -> int:
    await asyncio.Event().wait()
    return 0


async def handle(failure: Failure[object]) -> int:
    return -1


def test_timeout_of_a_step_reaches_its_handler() -> None:
    workflow = Workflow(
        "w", recover("safe", step(hang, timeout=0.02), {TimeoutError: step(handle)})
    ).then(step(hang, name="next", timeout=0.02))

    with pytest.raises(WorkflowError) as caught:
        asyncio.run(workflow.run(None))
    # The first timeout was handled: it is the next step, under its own deadline, that fails.
    assert caught.value.message == "workflow 'w': step 'next' did not finish within 0.02 s"


def test_step_that_ends_in_time_leaves_no_trace_of_a_deadline() -> None:
    async def short(value: object) -> int:
        await asyncio.sleep(0)
        return 1

    async def main() -> tuple[int, int]:
        workflow = Workflow("w", step(short, timeout=0.05)).then(step(short, name="more"))
        result = await workflow.run(None)
        return result, len(asyncio.all_tasks())

    assert asyncio.run(main()) == (1, 1)


def test_step_that_answers_its_cancellation_with_a_result_is_late_all_the_same() -> None:
    async def answer_late(value: object) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 1
        return 2

    with pytest.raises(WorkflowError, match=r"did not finish within 0\.02 s"):
        asyncio.run(Workflow("w", step(answer_late, timeout=0.02)).run(None))


def test_step_that_ignores_its_cancellation_is_left_behind() -> None:
    release = asyncio.Event()

    async def ignore(value: object) -> int:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return 1

    async def main() -> str:
        try:
            await Workflow("w", step(ignore, timeout=0.02)).run(None)
        except WorkflowError as error:
            return error.message
        finally:
            release.set()
        return ""

    assert asyncio.run(main()).endswith("did not finish in time, and ignored its cancellation")


def test_handler_runs_for_a_step_that_ignores_its_cancellation() -> None:
    release = asyncio.Event()

    async def ignore(value: object) -> int:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return 1

    async def main() -> int:
        deaf = step(ignore, timeout=0.02)
        try:
            return await Workflow("w", recover("safe", deaf, {TimeoutError: step(handle)})).run(
                None
            )
        finally:
            release.set()

    assert asyncio.run(main()) == -1


def test_cancellation_reaches_every_step_and_nothing_runs_after_it() -> None:
    started: list[str] = []
    cancelled: list[str] = []
    after: list[object] = []
    all_started = asyncio.Event()

    def create(name: str, retry: Retry | None = None) -> Any:
        async def work(value: object) -> int:
            started.append(name)
            if len(started) == 5:
                all_started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(name)
                if name == "b":
                    return 1  # as if nothing had happened
                raise
            return 0

        return step(work, name=name, retry=retry)

    async def note(value: object) -> int:
        after.append(value)
        return 0

    workflow = Workflow(
        "w",
        parallel(
            "all",
            create("a"),
            Workflow("inner", create("b")).then(step(note, name="after-b")),
            create("c", Retry()),
            recover("safe", create("d"), {Exception: step(note, name="handler")}),
            map_each("items", create("e")),
        ),
    ).then(step(note))

    async def main() -> int:
        task = asyncio.create_task(workflow.run([1]))
        await all_started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert sorted(cancelled) == ["a", "b", "c", "d", "e"]
    assert after == []


def test_step_that_cancels_itself_does_not_pass_for_a_cancelled_caller() -> None:
    async def cancel(value: object) -> int:
        raise asyncio.CancelledError

    with pytest.raises(WorkflowError, match="'cancel' raised RuntimeError: the work was cancelled"):
        asyncio.run(Workflow("w", step(cancel)).run(None))


def test_steps_share_no_deadline() -> None:
    async def wait(value: object) -> int:
        await asyncio.sleep(0.03)
        return 1

    workflow = Workflow("w", step(wait, name="s0", timeout=5))
    for number in range(1, 4):
        workflow = workflow.then(step(wait, name=f"s{number}", timeout=5 if number % 2 else 4))

    assert asyncio.run(workflow.run(None)) == 1


@pytest.mark.parametrize("asked", [math.nan, "5", -1.0, True, None, [1]], ids=repr)
def test_time_to_wait_that_is_none_counts_for_nothing(asked: Any) -> None:
    error = ModelServerError("503", model="m", retry_after=asked)

    assert Retry(first_delay=1.0).wait_after(error, 1, 0.5) == 0.5


@pytest.mark.parametrize("asked", [math.inf, 10**400, 31], ids=["inf", "huge", "31"])
def test_time_to_wait_above_the_longest_is_not_waited_for(asked: Any) -> None:
    error = ModelServerError("503", model="m", retry_after=asked)

    assert Retry().wait_after(error, 1, 0.5) is None
