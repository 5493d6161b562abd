from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, NewType, NoReturn

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    ConfigurationError,
    Failure,
    Retry,
    Step,
    Workflow,
    WorkflowError,
    branch,
    loop,
    map_each,
    parallel,
    recover,
    step,
)


class Shape(Enum):
    ROUND = "round"
    FLAT = "flat"


class Page(BaseModel):
    text: str


class LongPage(Page):
    length: int


@dataclass
class Point:
    x: int


class Opaque:
    pass


UserId = NewType("UserId", int)


async def keep(value: int) -> int:
    return value


async def show(value: int) -> str:
    return str(value)


async def stop(value: int) -> NoReturn:
    raise ValueError(value)


async def handle(failure: Failure[int]) -> int:
    return 0


def is_even(value: int) -> bool:
    return value % 2 == 0


def choose_shape(value: int) -> Shape:
    return Shape.ROUND


def choose_literal(value: int) -> Literal["a", "b"]:
    return "a"


def create(name: str, given: Any, wanted: Any) -> Step[Any, Any]:
    """Return a step with these annotations, which does nothing."""

    async def function(value: Any) -> Any:
        return value

    function.__annotations__ = {"value": wanted, "return": given}
    return Step(name, function)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (int, int),
        (int, float),
        (bool, int),
        (int, int | None),
        (int, object),
        (int, Any),
        (Any, int),
        (LongPage, Page),
        (list[int], Sequence[int]),
        (list[LongPage], Sequence[Page]),
        (list[Any], list[int]),
        (list, list[int]),
        (tuple[int, str], tuple[int, str]),
        (tuple[int, int], Sequence[int]),
        (tuple[int, ...], tuple[int, ...]),
        (dict[str, int], Mapping[str, int]),
        (Literal["a"], str),
        (Literal["a"], Literal["a", "b"]),
        (str, Literal["a"]),
        (UserId, int),
        (Annotated[int, "meters"], int),
        (int | bool, int),
        (None, int | None),
    ],
)
def test_step_may_follow_one_whose_result_fits(given: Any, wanted: Any) -> None:
    workflow = Workflow("w", create("one", given, Any)).then(create("two", Any, wanted))

    assert [item.name for item in workflow.steps] == ["one", "two"]


@pytest.mark.parametrize(
    ("given", "wanted", "said"),
    [
        (int, str, "'two' takes str, but 'one' gives int"),
        (float, int, "takes int, but 'one' gives float"),
        (int | None, int, r"takes int, but 'one' gives Optional\[int\]|int \| None"),
        (Page, LongPage, "takes LongPage, but 'one' gives Page"),
        (list[int], list[str], r"takes list\[str\], but 'one' gives list\[int\]"),
        (list[int], dict[str, int], "takes dict"),
        (dict[str, int], Mapping[str, str], "takes "),
        (tuple[int, str], tuple[int, int], "takes tuple"),
        (tuple[int, str], tuple[int, str, int], "takes tuple"),
        (tuple[int, str], Sequence[int], "takes "),
        (Literal["a"], int, "takes int"),
        (Literal["a", "c"], Literal["a", "b"], "takes Literal"),
        (int, Literal["a"], "takes Literal"),
        (None, int, "takes int, but 'one' gives None"),
    ],
)
def test_step_that_takes_something_else_is_refused(given: Any, wanted: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Workflow("w", create("one", given, Any)).then(create("two", Any, wanted))


@pytest.mark.parametrize(
    "node",
    [
        map_each("pages", create("inner", int, int)),
        parallel("both", create("a", int, Any), create("b", int, str)),
        branch("kind", is_even, {True: create("a", int, Any), False: create("b", int, str)}),
        loop("again", create("inner", str, str), until=bool, max_turns=2),
        recover("safe", create("inner", int, str), {ValueError: create("h", int, Any)}),
        Workflow("inner", create("a", int, str)),
    ],
    ids=["map", "parallel", "branch", "loop", "recover", "workflow"],
)
def test_mismatch_is_found_inside_of_nodes(node: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'keep' gives int"):
        Workflow("w", step(keep)).then(node)


@pytest.mark.parametrize(
    "node",
    [
        map_each("pages", create("inner", int, int)),
        parallel("both", create("a", int, Any), create("b", int, Any)),
        branch("kind", is_even, {True: create("a", int, Any), False: create("b", str, Any)}),
        loop("again", create("inner", str, str), until=bool, max_turns=2),
        recover("safe", create("inner", int, Any), {ValueError: create("h", str, Any)}),
        Workflow("inner", create("a", str, Any)),
    ],
    ids=["map", "parallel", "branch", "loop", "recover", "workflow"],
)
def test_mismatch_with_what_a_node_gives_is_found(node: Any) -> None:
    with pytest.raises(ConfigurationError, match="'keep' takes int, but"):
        Workflow("w", node).then(step(keep))


def test_body_of_a_loop_must_take_what_it_gives() -> None:
    with pytest.raises(ConfigurationError, match="loop 'again': 'show' takes int"):
        loop("again", step(show), until=bool, max_turns=2)  # type: ignore[misc]


def test_condition_of_a_loop_must_take_what_the_body_gives() -> None:
    def is_short(value: str) -> bool:
        return len(value) < 3

    with pytest.raises(
        ConfigurationError, match="loop 'again': until takes str, but 'keep' gives int"
    ):
        loop("again", step(keep), until=is_short, max_turns=2)  # type: ignore[arg-type]


def test_handler_must_take_a_failure() -> None:
    with pytest.raises(
        ConfigurationError,
        match="recovery 'safe': 'show' takes int, but a caught ValueError gives Failure",
    ):
        recover("safe", step(keep), {ValueError: step(show)})  # type: ignore[arg-type]


def test_what_is_no_step_is_refused_with_the_way_out() -> None:
    bare: Any = keep
    makers: list[Any] = [
        lambda: Workflow("w", bare),
        lambda: Workflow("w", step(show)).then(bare),
        lambda: parallel("p", step(show), bare),
        lambda: branch("b", is_even, {True: bare, False: step(show)}),
        lambda: branch("b", is_even, {True: step(show)}, otherwise=bare),
        lambda: loop("l", bare, until=is_even, max_turns=2),
        lambda: map_each("m", bare),
        lambda: recover("r", bare, {ValueError: step(handle)}),
        lambda: recover("r", step(keep), {ValueError: bare}),
    ]
    for make in makers:
        with pytest.raises(ConfigurationError, match=r"'keep' is no step: wrap it with step\("):
            make()
    nothing: Any = 7
    with pytest.raises(ConfigurationError, match="a value of type int is no step"):
        Workflow("w", nothing)


def test_function_that_does_not_take_one_value_is_refused() -> None:
    async def add(left: int, right: int) -> int:
        return left + right

    async def nothing() -> int:
        return 0

    functions: list[Any] = [add, nothing]
    for function in functions:
        with pytest.raises(
            ConfigurationError, match=r"cannot be called with one value.*StepContext"
        ):
            step(function)


def test_function_with_further_defaults_takes_one_value() -> None:
    async def add(left: int, right: int = 1) -> int:
        return left + right

    assert asyncio.run(Workflow("w", step(add)).run(1)) == 2


def test_what_is_no_function_is_no_step() -> None:
    nothing: Any = 7
    with pytest.raises(ConfigurationError, match="step 'x' needs a function, not 7"):
        step(nothing, name="x")


@pytest.mark.parametrize("bound", [0, -1, None, True, 2.0, float("inf")])
def test_loop_without_a_bound_is_refused(bound: Any) -> None:
    with pytest.raises(ConfigurationError, match="loop 'again': max_turns must be a whole number"):
        loop("again", step(keep), until=is_even, max_turns=bound)


@pytest.mark.parametrize("limit", [0, None, True, 1.5])
def test_limit_that_is_no_count_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="map 'all': limit must be"):
        map_each("all", step(keep), limit=limit)
    with pytest.raises(ConfigurationError, match="parallel 'all': limit must be"):
        parallel("all", step(keep), step(show), limit=limit)


def test_step_after_one_that_never_returns_is_unreachable() -> None:
    with pytest.raises(ConfigurationError, match="'keep' cannot be reached: 'stop' never returns"):
        Workflow("w", step(stop)).then(step(keep))


def test_case_that_the_choice_never_returns_is_unreachable() -> None:
    with pytest.raises(ConfigurationError, match=r"case 'c' cannot be reached.*Literal"):
        branch("kind", choose_literal, {"a": step(keep), "c": step(show)})


def test_other_node_of_a_branch_with_every_case_is_unreachable() -> None:
    with pytest.raises(ConfigurationError, match="'stop' cannot be reached: every key has a case"):
        branch(
            "kind",
            is_even,
            {True: step(keep), False: step(keep, name="same")},
            otherwise=step(stop),
        )


def test_key_that_has_no_case_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"no case for <Shape.FLAT: 'flat'>: add it"):
        branch("kind", choose_shape, {Shape.ROUND: step(keep)})


def test_handler_behind_a_wider_one_is_unreachable() -> None:
    handlers = {Exception: step(handle), ValueError: step(handle, name="late")}

    with pytest.raises(
        ConfigurationError, match=r"'late' cannot be reached.*Exception.*put it first"
    ):
        recover("safe", step(keep), handlers)


def test_two_neighbours_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="parallel 'both' has a step named 'keep' already"):
        parallel("both", step(keep), step(keep))
    with pytest.raises(ConfigurationError, match="branch 'kind' has a step named 'keep' already"):
        branch("kind", is_even, {True: step(keep), False: step(keep)})
    with pytest.raises(ConfigurationError, match="recovery 'safe' has a step named 'keep' already"):
        recover("safe", step(keep), {ValueError: step(handle, name="keep")})


def test_name_with_a_slash_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'a/b': '/' separates names in paths"):
        step(keep, name="a/b")


def test_node_without_content_is_refused() -> None:
    nothing: dict[Any, Any] = {}
    with pytest.raises(ConfigurationError, match="branch 'b' has no cases"):
        branch("b", is_even, nothing)
    with pytest.raises(ConfigurationError, match="parallel 'p' has nothing to run"):
        parallel("p")
    with pytest.raises(ConfigurationError, match="recovery 'r' has no handlers"):
        recover("r", step(keep), nothing)


def test_handler_for_something_else_than_an_exception_is_refused() -> None:
    wrong: Any = {"ValueError": step(handle)}

    with pytest.raises(ConfigurationError, match="'ValueError' is no class of exceptions"):
        recover("safe", step(keep), wrong)


def test_choice_that_must_be_awaited_is_refused() -> None:
    async def choose(value: int) -> bool:
        return True

    choose_any: Any = choose
    with pytest.raises(ConfigurationError, match="choose must be a plain function"):
        branch("kind", choose_any, {True: step(keep)})
    with pytest.raises(ConfigurationError, match="until must be a plain function"):
        loop("again", step(keep), until=choose_any, max_turns=2)


def test_generator_function_is_no_step() -> None:
    async def stream(value: int) -> AsyncIterator[int]:
        yield value

    def items(value: int) -> Iterator[int]:
        yield value

    functions: list[Any] = [stream, items]
    for function in functions:
        with pytest.raises(ConfigurationError, match="generator function: return a list"):
            step(function)


def test_result_declared_as_a_type_without_json_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="step 'x' returns Opaque, which cannot be written"
    ):
        create("x", Opaque, int)


def run(result: object, declared: Any = Any) -> Any:
    async def give(value: Any) -> Any:
        return result

    give.__annotations__ = {"value": Any, "return": declared}
    return asyncio.run(Workflow("w", step(give)).run(None))


@pytest.mark.parametrize(
    ("result", "declared"),
    [
        ({"a": [1, None, "x"]}, Any),
        (Page(text="x"), Any),
        (Page(text="x"), Page),
        (Point(1), Point),
        ([LongPage(text="x", length=1)], list[Page]),
        ((1, "a"), tuple[int, str]),
        (Shape.FLAT, Shape),
        (None, None),
        ([1], Sequence[int]),
    ],
)
def test_data_passes_from_step_to_step_as_it_is(result: object, declared: Any) -> None:
    assert run(result, declared) is result


@pytest.mark.parametrize(
    ("result", "declared", "said"),
    [
        (Opaque(), Any, "a value of type Opaque, which cannot be written as JSON"),
        ([{"a": Opaque()}], Any, "a value of type list, which cannot be written as JSON"),
        (["x"], list[int], r"a value of type list, .* its declared type list\[int\]"),
        (iter([1]), Any, "a value of type list_iterator, which can be read only once"),
        ([iter([1])], Any, "a value of type list_iterator, which can be read only once"),
    ],
)
def test_result_that_is_no_data_names_step_and_type(
    result: object, declared: Any, said: str
) -> None:
    with pytest.raises(WorkflowError, match=f"step 'give' returned {said}"):
        run(result, declared)


def test_refused_value_is_not_shown() -> None:
    with pytest.raises(WorkflowError) as caught:
        run(["secret"], list[int])
    assert "secret" not in caught.value.message


def test_input_that_is_no_data_names_the_first_step_and_its_type() -> None:
    workflow: Workflow[Any, int] = Workflow("w", step(keep))

    with pytest.raises(WorkflowError, match="step 'keep' cannot be given a value of type Opaque"):
        asyncio.run(workflow.run(Opaque()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"attempts": 1}, "attempts must be a whole number of at least 2"),
        ({"attempts": True}, "attempts must be"),
        ({"first_delay": 0}, "first_delay must be a finite number of seconds"),
        ({"max_delay": float("inf")}, "max_delay must be"),
        (
            {"first_delay": 9.0, "max_delay": 1.0},
            r"max_delay \(1.0\) must not be below first_delay",
        ),
        ({"also": ValueError}, "also must be a tuple of exception classes"),
        ({"also": (1,)}, "also must be a tuple of exception classes"),
    ],
)
def test_retry_policy_out_of_range_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Retry(**arguments)
