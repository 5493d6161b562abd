from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    ConfigurationError,
    Step,
    ToolError,
    Workflow,
    WorkflowError,
    step,
)
from tests.utils import create_test_workflow

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def increase(value: int) -> int:
    return value + 1


async def describe(value: int) -> str:
    return f"<{value}>"


def test_each_step_gets_what_the_one_before_returned() -> None:
    workflow = Workflow("w", step(increase)).then(step(describe))

    assert asyncio.run(workflow.run(1)) == "<2>"


def test_step_is_named_after_its_function_unless_a_name_is_given() -> None:
    assert (step(increase).name, step(increase, name="up").name) == ("increase", "up")


def test_longer_workflow_leaves_the_shorter_one_as_it_was() -> None:
    shorter = Workflow("w", step(increase))
    longer = shorter.then(step(describe))

    assert [item.name for item in shorter.steps] == ["increase"]
    assert [item.name for item in longer.steps] == ["increase", "describe"]
    assert asyncio.run(shorter.run(1)) == 2


def test_plain_function_runs_in_a_thread() -> None:
    def where(value: int) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert asyncio.run(Workflow("w", Step("where", where)).run(1)) is False


def test_plain_function_may_return_an_awaitable() -> None:
    def start(value: int) -> Awaitable[int]:
        return increase(value)

    workflow: Workflow[int, int] = Workflow("w", Step("start", start))

    assert asyncio.run(workflow.run(1)) == 2


def test_workflow_runs_many_times_at_once() -> None:
    async def main() -> list[str]:
        workflow = Workflow("w", step(increase)).then(step(describe))
        return list(await asyncio.gather(*map(workflow.run, range(3))))

    assert asyncio.run(main()) == ["<1>", "<2>", "<3>"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("odd"), "workflow 'w': step 'step-2' raised ValueError: odd"),
        (ToolError("closed"), "workflow 'w': step 'step-2' failed: closed"),
        (TimeoutError("own"), "workflow 'w': step 'step-2' raised TimeoutError: own"),
    ],
)
def test_error_names_workflow_and_step_and_keeps_its_cause(error: Exception, said: str) -> None:
    async def fail(value: object) -> None:
        raise error

    with pytest.raises(WorkflowError) as caught:
        asyncio.run(create_test_workflow(increase, fail, increase, name="w").run(1))

    assert caught.value.message == said
    assert (caught.value.workflow, caught.value.step) == ("w", "step-2")
    assert caught.value.__cause__ is error


def test_steps_after_a_failing_one_do_not_run() -> None:
    ran: list[int] = []

    async def fail(value: int) -> None:
        raise ValueError

    with pytest.raises(WorkflowError):
        asyncio.run(create_test_workflow(fail, ran.append).run(1))
    assert ran == []


def test_slow_step_is_stopped_at_its_timeout() -> None:
    async def wait(value: object) -> None:
        await asyncio.Event().wait()

    with pytest.raises(WorkflowError, match=r"'step-1' did not finish within 0\.02 s"):
        asyncio.run(create_test_workflow(wait, timeout=0.02).run(1))


def test_two_steps_of_one_name_are_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigurationError, match=r"'w'.*'increase' already.*step\(name="):
        Workflow("w", step(increase)).then(step(increase))


@pytest.mark.parametrize("name", ["", " "])
def test_workflow_and_step_need_a_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a workflow needs a name"):
        Workflow(name, step(increase))
    with pytest.raises(ConfigurationError, match="a step needs a name"):
        step(increase, name=name)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "5", None])
def test_timeout_that_is_no_duration_is_refused(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="'increase': timeout must be a finite number"):
        step(increase, timeout=timeout)
