from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import pytest

from agent_factory.core import (
    Agent,
    Failure,
    ModelConnectionError,
    ToolContext,
    Workflow,
    WorkflowError,
    agent_step,
    branch,
    loop,
    map_each,
    parallel,
    recover,
    step,
    tool,
)
from agent_factory.core.options import RunOptions
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.core.workflow_engine import RecordingEngine

if TYPE_CHECKING:
    from agent_factory.core import Node


async def increase(value: int) -> int:
    return value + 1


async def double(value: int) -> int:
    return value * 2


async def add_up(values: list[int]) -> int:
    return sum(values)


async def fail(value: int) -> int:
    raise ValueError(f"odd: {value}")


def is_even(value: int) -> bool:
    return value % 2 == 0


def is_large(value: int) -> bool:
    return value >= 10


def run(node: Node[Any, Any], value: object) -> Any:
    return asyncio.run(Workflow("w", node).run(value))


def test_branch_runs_the_case_of_the_value_only() -> None:
    node = branch("parity", is_even, {True: step(increase), False: step(fail)})

    assert run(node, 2) == 3


def test_branch_runs_the_other_node_for_a_key_without_a_case() -> None:
    node = branch("by-value", lambda value: value, {1: step(double)}, otherwise=step(increase))

    assert (run(node, 1), run(node, 5)) == (2, 6)


def test_key_without_a_case_is_named_with_the_known_ones() -> None:
    with pytest.raises(WorkflowError, match=r"'by-value' has no case for 3; it has 1: add it"):
        run(branch("by-value", lambda value: value, {1: step(double)}), 3)


def test_loop_runs_until_its_condition_holds() -> None:
    assert run(loop("grow", step(double), until=is_large, max_turns=9), 3) == 12


def test_loop_that_is_done_from_the_start_gives_what_it_got() -> None:
    assert run(loop("grow", step(fail), until=is_large, max_turns=1), 10) == 10


def test_last_turn_of_a_loop_counts() -> None:
    assert run(loop("grow", step(double), until=is_large, max_turns=1), 5) == 10


def test_loop_that_is_not_done_at_its_bound_fails() -> None:
    with pytest.raises(WorkflowError, match="'grow' was not done after 2 turns"):
        run(loop("grow", step(increase), until=is_large, max_turns=2), 1)


def test_map_keeps_the_order_of_the_items_whichever_ends_first() -> None:
    ended: list[int] = []
    last = asyncio.Event()

    async def wait_for_the_last(value: int) -> int:
        if value == 2:
            last.set()
        await last.wait()
        ended.append(value)
        return -value

    assert run(map_each("all", step(wait_for_the_last)), (0, 1, 2)) == [0, -1, -2]
    assert ended[0] == 2


@pytest.mark.parametrize(("limit", "most"), [(1, 1), (3, 3), (50, 10)])
def test_map_works_on_no_more_items_at_a_time_than_its_limit(limit: int, most: int) -> None:
    now, seen = 0, 0

    async def count(value: int) -> int:
        nonlocal now, seen
        now += 1
        seen = max(seen, now)
        await asyncio.sleep(0)
        now -= 1
        return value

    assert run(map_each("all", step(count), limit=limit), list(range(10))) == list(range(10))
    assert seen == most


@pytest.mark.parametrize("value", ["text", {1}, 7, None])
def test_map_of_something_else_than_a_sequence_fails(value: object) -> None:
    node = map_each("all", step(increase))

    with pytest.raises(WorkflowError, match=rf"'all' needs a list.* not {type(value).__name__}"):
        run(node, value)


def test_map_of_nothing_is_empty() -> None:
    assert run(map_each("all", step(fail)), []) == []


def test_parallel_gives_the_same_value_to_all_and_joins_their_results() -> None:
    assert run(parallel("both", step(increase), step(double)), 5) == (6, 10)


def test_first_failure_of_a_map_cancels_the_other_items_and_surfaces_once() -> None:
    cancelled: list[int] = []

    async def work(value: int) -> int:
        if value == 2:
            raise ValueError("two")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        return value

    with pytest.raises(WorkflowError) as caught:
        run(map_each("all", step(work), limit=3), list(range(9)))

    assert caught.value.message == "workflow 'w': step 'all/2/work' raised ValueError: two"
    assert (caught.value.workflow, caught.value.step) == ("w", "all/2/work")
    assert isinstance(caught.value.__cause__, ValueError)
    assert cancelled == [0, 1]


def test_workflow_is_a_step_of_another() -> None:
    inner = Workflow("inner", step(increase)).then(step(double))

    assert asyncio.run(Workflow("outer", step(increase)).then(inner).run(1)) == 6


def test_step_of_an_inner_workflow_fails_with_its_path_in_the_outer_one() -> None:
    inner = Workflow("inner", step(increase)).then(step(fail))

    with pytest.raises(WorkflowError) as caught:
        asyncio.run(Workflow("outer", inner).run(1))
    assert (caught.value.workflow, caught.value.step) == ("outer", "inner/fail")


@pytest.mark.parametrize(
    "node",
    [
        branch("ask", lambda value: 1 // 0, {1: step(increase)}),
        loop("ask", step(increase), until=lambda value: 1 // 0 == 1, max_turns=3),
    ],
    ids=["branch", "loop"],
)
def test_choice_or_condition_that_raises_fails_the_run_with_its_path(
    node: Node[int, int],
) -> None:
    with pytest.raises(WorkflowError, match="'ask' raised ZeroDivisionError"):
        run(node, 1)


async def report(failure: Failure[int]) -> str:
    return f"{failure.error} {failure.message} at {failure.step} for {failure.value}"


def test_handler_gets_what_failed_with_the_value() -> None:
    assert run(recover("safe", step(fail), {ValueError: step(report)}), 3) == (
        "ValueError odd: 3 at safe/fail for 3"
    )


def test_handler_is_told_whether_the_error_may_go_away() -> None:
    async def fail_to_connect(value: int) -> bool:
        raise ModelConnectionError("refused", model="m")

    async def tell(failure: Failure[int]) -> bool:
        return failure.retryable

    node = recover("safe", step(fail_to_connect), {ModelConnectionError: step(tell)})
    assert run(node, 3) is True


def test_handler_does_not_run_when_nothing_fails() -> None:
    assert run(recover("safe", step(increase), {Exception: step(report)}), 3) == 4


def test_first_handler_that_fits_runs() -> None:
    async def first(failure: Failure[int]) -> int:
        return 1

    async def second(failure: Failure[int]) -> int:
        return 2

    handlers = {KeyError: step(first), ValueError: step(second)}
    assert run(recover("safe", step(fail), handlers), 3) == 2


def test_error_without_a_handler_fails_the_run_as_if_there_were_none() -> None:
    async def handle(failure: Failure[int]) -> int:
        return 0

    with pytest.raises(WorkflowError) as caught:
        run(recover("safe", step(fail), {KeyError: step(handle)}), 3)
    assert caught.value.step == "safe/fail"


def test_handler_of_each_item_keeps_the_others_running() -> None:
    async def fail_on_two(value: int) -> int:
        return await fail(value) if value == 2 else value

    async def handle(failure: Failure[int]) -> int:
        return -1

    safe = recover("safe", step(fail_on_two), {ValueError: step(handle)})
    assert run(map_each("all", safe), [1, 2, 3]) == [1, -1, 3]


def test_agent_answers_as_a_step() -> None:
    agent = Agent(name="counter", model=ScriptedModel(["41"]), output_type=int)

    assert asyncio.run(Workflow("w", agent_step(agent)).then(step(increase)).run("Hi.")) == 42


def test_prompt_of_an_agent_is_made_from_the_value() -> None:
    agent = Agent(
        name="echo", model=FunctionModel(lambda request: getattr(request.messages[-1], "text", ""))
    )
    asked: Node[int, str] = agent_step(agent, lambda value: f"What is {value}?", name="ask")

    assert run(asked, 7) == "What is 7?"


def test_agent_gets_its_deps() -> None:
    @tool(effect="read")
    async def read_owner(context: ToolContext[str]) -> str:
        return context.deps

    seen: list[str] = []

    def answer(request: Any) -> Any:
        seen.append(getattr(request.messages[-1], "content", ""))
        return "done" if len(seen) > 1 else create_tool_call("read_owner", {})

    agent = Agent(name="a", model=FunctionModel(answer), tools=[read_owner])

    assert run(agent_step(agent, deps="Ada"), "Hi.") == "done"


def test_agent_gets_the_options_of_its_runs() -> None:
    seen: list[str] = []
    options = RunOptions(observers=(lambda event: seen.append(type(event).__name__),))
    agent = Agent(name="a", model=ScriptedModel(["done"]))

    assert run(agent_step(agent, options=options), "Hi.") == "done"
    assert seen[-1] == "RunFinished"


def test_agent_without_a_prompt_function_needs_text() -> None:
    agent = Agent(name="echo", model=ScriptedModel(["unused"]))

    with pytest.raises(WorkflowError, match=r"'echo' needs text as its prompt, not int.*prompt="):
        run(agent_step(agent), 7)


def test_failure_of_an_agent_names_the_step() -> None:
    model = ScriptedModel([ModelConnectionError("refused", model="m")])

    with pytest.raises(WorkflowError, match="step 'a' failed: refused"):
        run(agent_step(Agent(name="a", model=model)), "Hi.")


def size(value: int) -> Literal["small", "large"]:
    return "large" if is_large(value) else "small"


def create_every_kind() -> Workflow[int, int]:
    """Return a workflow with every kind of node in it."""

    async def split(value: int) -> list[int]:
        return [value, value + 1]

    async def join(values: tuple[int, int]) -> int:
        return sum(values)

    async def handle(failure: Failure[int]) -> int:
        return failure.value

    each = Workflow("each", loop("grow", step(double), until=is_large, max_turns=9)).then(
        branch("size", size, {"small": step(fail), "large": step(increase)})
    )
    return (
        Workflow("w", step(split))
        .then(map_each("items", each))
        .then(step(add_up))
        .then(
            parallel(
                "both", step(increase), recover("safe", step(fail), {ValueError: step(handle)})
            )
        )
        .then(step(join))
    )


def test_paths_of_steps_are_names_with_the_numbers_of_turns_and_items() -> None:
    engine = RecordingEngine()

    result = asyncio.run(create_every_kind().run(4, engine=engine))

    assert engine.ran == [
        "split",
        "items/0/each/grow/0/double",
        "items/0/each/grow/1/double",
        "items/0/each/size/increase",
        "items/1/each/grow/0/double",
        "items/1/each/size/increase",
        "add_up",
        "both/increase",
        "both/safe/fail",
        "both/safe/handle",
        "join",
    ]
    assert result == asyncio.run(create_every_kind().run(4))


def test_engine_with_records_goes_on_where_a_run_was_interrupted() -> None:
    first = RecordingEngine()
    expected = asyncio.run(create_every_kind().run(4, engine=first))
    known = dict(list(first.records.items())[:4])
    second = RecordingEngine(known)

    assert asyncio.run(create_every_kind().run(4, engine=second)) == expected
    assert second.ran == [path for path in first.ran if path not in known]
