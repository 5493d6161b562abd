from __future__ import annotations

import asyncio
import contextlib
import contextvars
import datetime
import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from agent_factory.core import (
    Tool,
    ToolArgumentsError,
    ToolContext,
    ToolError,
    ToolExecutionError,
    ToolSpec,
    ToolTimeoutError,
    tool,
)
from tests.utils import create_test_tool


class Point(BaseModel):
    x: int
    label: str = ""


@dataclass
class Size:
    width: int


def call(made: Tool[Any], arguments: object = "", *, deps: object = None) -> str:
    """Return the result of one call; the arguments are JSON text, or become it."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return asyncio.run(made.run(ToolContext(deps, "run-1", "call-1"), text))


def test_plain_and_coroutine_functions_get_validated_arguments() -> None:
    @tool
    def plain(point: Point, on: datetime.date) -> str:
        return f"{point!r} {on!r}"

    @tool
    async def coroutine(point: Point, on: datetime.date) -> str:
        return f"{point!r} {on!r}"

    arguments = {"point": {"x": 1}, "on": "2026-11-22"}
    expected = "Point(x=1, label='') datetime.date(2026, 11, 22)"
    assert call(plain, arguments) == call(coroutine, arguments) == expected


def test_plain_function_runs_off_the_event_loop() -> None:
    @tool
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert call(where) == "false"


def test_plain_function_sees_the_callers_context_variables() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    @tool
    def look() -> str:
        return variable.get()

    variable.set("set")
    assert call(look) == "set"


def test_instance_with_async_call_is_awaited() -> None:
    class Doubler:
        async def __call__(self, value: int) -> int:
            return value * 2

    assert call(tool(Doubler()), {"value": 4}) == "8"


def test_awaitable_returned_by_a_plain_function_is_awaited() -> None:
    async def answer() -> str:
        return "awaited"

    @tool
    def start() -> object:
        return answer()

    assert call(start) == "awaited"


def test_context_is_passed_first() -> None:
    @tool
    def look(context: ToolContext[str], suffix: str) -> str:
        return f"{context.deps} {context.run_id} {context.call_id} {suffix}"

    assert call(look, {"suffix": "!"}, deps="deps") == "deps run-1 call-1 !"


def test_defaults_are_used_for_what_the_model_leaves_out() -> None:
    @tool
    def order(what: str = "tea", extras: list[str] = []) -> str:  # noqa: B006 - what is tested
        extras.append("x")
        return f"{what} {extras}"

    assert call(order, "") == "tea ['x']"
    assert call(order, "{}") == "tea ['x']"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        (3, "3"),
        (True, "true"),
        (["a", 1], '["a",1]'),
        (Point(x=1, label="ä"), '{"x":1,"label":"ä"}'),
        (Size(2), '{"width":2}'),
        (datetime.date(2026, 11, 22), '"2026-11-22"'),
        (float("nan"), '"NaN"'),
    ],
)
def test_result_becomes_text_for_the_model(result: object, text: str) -> None:
    @tool
    def give() -> object:
        return result

    assert call(give) == text


def test_result_that_json_cannot_hold_is_a_defect_of_the_tool() -> None:
    with pytest.raises(ToolExecutionError, match="returned object, which JSON cannot hold"):
        call(create_test_tool("give", result=object()))


@pytest.mark.parametrize(
    "result",
    [iter([1]), map(str, [1]), (number for number in [1])],
    ids=["iter", "map", "generator"],
)
def test_result_whose_items_are_still_to_be_made_is_a_defect_of_the_tool(result: object) -> None:
    with pytest.raises(ToolExecutionError, match=r"outside of the tool .* return a list"):
        call(create_test_tool("give", result=result))


def test_result_that_contains_itself_is_a_defect_of_the_tool() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(ToolExecutionError, match="JSON cannot hold"):
        call(create_test_tool("give", result=endless))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "1"),
        (int, 1.5),
        (int, True),
        (str, 1),
        (bool, "yes"),
        (list[int], ["1"]),
        (Literal["a"], "b"),
        (Annotated[int, Field(ge=1)], 0),
        (Point, {"x": "1"}),
        (list[Point], [{"x": 1}, {"x": "1"}]),
        (Size, {"width": "1"}),
    ],
)
def test_value_of_another_type_is_never_converted(annotation: Any, value: object) -> None:
    def take(value: Any) -> str:
        return "taken"

    take.__annotations__["value"] = annotation

    with pytest.raises(ToolArgumentsError, match="value"):
        call(tool(take), {"value": value})


def test_only_some_of_many_problems_are_told_to_the_model_and_each_in_brief() -> None:
    @tool
    def sort(items: list[str]) -> str:
        return str(items)

    with pytest.raises(ToolArgumentsError) as many:
        call(sort, {"items": [1] * 5_000})
    with pytest.raises(ToolArgumentsError) as long:
        call(sort, {"k" * 100_000: 1})

    assert many.value.message.endswith("items.9: Input should be a valid string; and 4,990 more")
    assert "kkk...: Extra inputs are not permitted" in long.value.message
    assert max(len(many.value.message), len(long.value.message)) < 1_000


def test_place_of_a_wrong_value_is_named() -> None:
    @tool
    def go(points: list[Point]) -> None:
        pass

    with pytest.raises(ToolArgumentsError) as caught:
        call(go, {"points": [{"x": 1}, {"x": "1"}]})

    assert caught.value.tool == "go"
    assert caught.value.message == (
        "arguments of tool 'go' do not fit its schema: points.1.x: Input should be a valid integer"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=30) | json_values.map(json.dumps))
def test_any_text_is_either_valid_arguments_or_a_tool_arguments_error(text: str) -> None:
    @tool
    async def go(to: Point, how: Literal["slow", "fast"] = "slow") -> str:
        return "gone"

    with contextlib.suppress(ToolArgumentsError):
        assert call(go, text) == "gone"


def test_tool_error_keeps_its_message_and_learns_the_tools_name() -> None:
    error = ToolError("closed")

    with pytest.raises(ToolError) as caught:
        call(create_test_tool("shop", error=error))

    assert caught.value is error
    assert (error.tool, error.details) == ("shop", {"tool": "shop"})


def test_tool_error_that_names_another_tool_is_left_alone() -> None:
    with pytest.raises(ToolError) as caught:
        call(create_test_tool("shop", error=ToolError("closed", tool="inner")))
    assert caught.value.tool == "inner"


@pytest.mark.parametrize("raised", [KeyError("k"), StopIteration("s"), TimeoutError("t")])
def test_anything_else_raised_is_a_tool_execution_error(raised: Exception) -> None:
    @tool
    def fail() -> None:
        raise raised

    with pytest.raises(
        ToolExecutionError, match=f"tool 'fail' raised .*{raised.args[0]}"
    ) as caught:
        call(fail)
    assert caught.value.__cause__ is not None
    assert raised in (caught.value.__cause__, caught.value.__cause__.__cause__)


def test_own_timeout_of_a_tool_is_kept() -> None:
    @tool(timeout=0.02)
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ToolTimeoutError, match=r"'wait' did not finish within 0\.02 s"):
        call(wait)


def test_shorter_timeout_of_the_caller_wins() -> None:
    @tool
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ToolTimeoutError, match=r"within 0\.02 s"):
        asyncio.run(wait.run(ToolContext(None, "r", "c"), "", timeout=0.02))


def test_longer_timeout_of_the_caller_changes_nothing() -> None:
    @tool(timeout=0.02)
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ToolTimeoutError, match=r"within 0\.02 s"):
        asyncio.run(wait.run(ToolContext(None, "r", "c"), "", timeout=60))


def test_tool_can_be_made_by_hand_for_a_schema_from_elsewhere() -> None:
    async def forward(context: ToolContext[object], arguments: str) -> object:
        return json.loads(arguments)

    remote: Tool[object] = Tool(ToolSpec("remote", "Far away.", {"type": "object"}), forward)

    assert call(remote, '{"a": [1]}') == '{"a":[1]}'


def test_thread_that_outlasts_the_event_loop_ends_quietly() -> None:
    released = threading.Event()
    threads: list[threading.Thread] = []

    @tool(timeout=0.02)
    def hang() -> None:
        threads.append(threading.current_thread())
        released.wait(30)

    with pytest.raises(ToolTimeoutError):
        call(hang)
    released.set()
    threads[0].join(30)

    assert not threads[0].is_alive()


def test_thread_that_ends_after_its_deadline_changes_nothing() -> None:
    released = threading.Event()

    @tool
    def slow() -> str:
        released.wait(30)
        return "late"

    async def main() -> str:
        context = ToolContext(None, "r", "c")
        with pytest.raises(ToolTimeoutError):
            await slow.run(context, "", timeout=0.02)
        released.set()
        return await slow.run(context, "")

    assert asyncio.run(main()) == "late"
