"""What an engine that keeps records may rely on: JSON there and back, names of places, recorded failures."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, assert_type

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from agent_factory.core.exceptions import ConfigurationError, WorkflowError
from agent_factory.core.workflows import (
    Failure,
    LocalEngine,
    Retry,
    Step,
    StepContext,
    Workflow,
    map_each,
    recover,
    step,
)
from tests.core.workflow_engine import RecordingEngine


class Page(BaseModel):
    text: str


@dataclass(frozen=True)
class Point:
    x: int


class Shape(Enum):
    ROUND = "round"


async def tell(context: StepContext, value: int) -> str:
    return f"{context.run_id} {context.path} {context.attempt} {value}"


async def double(value: int) -> int:
    return value * 2


async def handle(failure: Failure[int]) -> int:
    return -failure.value


def test_step_that_asks_for_its_context_gets_it_before_the_value() -> None:
    node = map_each("all", step(tell))

    assert asyncio.run(Workflow("w", node).run([5, 6], run_id="r1")) == [
        "r1 all/0/tell 1 5",
        "r1 all/1/tell 1 6",
    ]


def test_plain_function_gets_its_context_too() -> None:
    def where(context: StepContext, value: int) -> str:
        return f"{context.path} {value}"

    assert asyncio.run(Workflow("w", Step("where", where)).run(1)) == "where 1"


def test_attempts_are_counted_and_share_one_idempotency_key() -> None:
    seen: list[StepContext] = []

    async def fail_twice(context: StepContext, value: int) -> int:
        seen.append(context)
        if len(seen) < 3:
            raise KeyError
        return value

    async def sleep(seconds: float) -> None: ...

    patient = step(fail_twice, retry=Retry(also=(KeyError,)))
    asyncio.run(Workflow("w", patient).run(1, engine=LocalEngine(sleep=sleep), run_id="r1"))

    assert [context.attempt for context in seen] == [1, 2, 3]
    assert {context.idempotency_key for context in seen} == {"r1:fail_twice"}


def test_run_without_an_identifier_gets_one_of_its_own() -> None:
    workflow = Workflow("w", step(tell))

    first, second = (asyncio.run(workflow.run(1)).split()[0] for _ in range(2))

    assert first != second
    assert len(first) == 36


def test_type_of_the_value_is_checked_after_the_context() -> None:
    async def name(value: int) -> str:
        return str(value)

    with pytest.raises(ConfigurationError, match="'tell' takes int, but 'name' gives str"):
        Workflow("w", step(name)).then(step(tell))  # type: ignore[arg-type]


def test_context_is_no_part_of_the_type_of_a_step() -> None:
    assert_type(step(tell), Step[int, str])
    assert step(tell).accepts == (int,)


@pytest.mark.parametrize("run_id", ["", "  ", "a:b", 7])
def test_identifier_that_makes_keys_ambiguous_is_refused(run_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="run_id must be text"):
        asyncio.run(Workflow("w", step(double)).run(1, run_id=run_id))


def create(declared: Any) -> Step[Any, Any]:
    async def give(value: Any) -> Any:
        return value

    give.__annotations__ = {"value": Any, "return": declared}
    return Step("give", give)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (Page(text="x"), Page),
        ([Page(text="x")], list[Page]),
        (Point(1), Point),
        ({Point(1)}, set[Point]),
        ((1, "a"), tuple[int, str]),
        (Shape.ROUND, Shape),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime),
        ({"a": Page(text="x")}, Mapping[str, Page]),
        ([1], Sequence[int]),
        (math.inf, float),
        ([math.inf], list[float]),
        (None, None),
        (b"\x00a", bytes),
        ({"a": [1, None, 0.5, "x", True]}, Any),
    ],
)
def test_value_of_a_declared_type_is_read_as_it_was_written(value: object, declared: Any) -> None:
    codec = create(declared).codec

    assert codec.read(codec.write(value)) == value


def test_value_of_an_unknown_type_is_read_as_plain_data() -> None:
    codec = create(Any).codec

    assert codec.read(codec.write([Page(text="x"), (1, 2)])) == [{"text": "x"}, [1, 2]]


def test_record_of_another_type_is_refused_when_it_is_read() -> None:
    with pytest.raises(TypeError, match=r"that is no Page \(text: Field required\)"):
        create(Page).codec.read("{}")


ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
DATA = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=DATA, declared=st.sampled_from([Any, object]))
def test_plain_data_survives_its_record(value: Any, declared: Any) -> None:
    codec = create(declared).codec

    assert codec.read(codec.write(value)) == value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=ATOMS, declared=st.sampled_from([int, float, str, bool, None, int | None, str | int]))
def test_result_passes_a_step_only_if_it_survives_its_record(value: Any, declared: Any) -> None:
    node = create(declared)
    try:
        given_ = asyncio.run(Workflow("w", node).run(value))
    except WorkflowError:
        with pytest.raises(TypeError):
            node.codec.write(value)
    else:
        assert given_ is value
        assert node.codec.read(node.codec.write(value)) == value


@pytest.mark.parametrize(
    ("value", "declared"),
    [("1", int), (1, str), (1, bool), (1.5, int), (None, int), (0, None), ("a", int | None)],
)
def test_plain_result_of_another_type_than_declared_is_refused(value: Any, declared: Any) -> None:
    with pytest.raises(WorkflowError, match="step 'give' returned a value of type"):
        asyncio.run(Workflow("w", create(declared)).run(value))


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 10**400], ids=["above", "below", "far"])
@pytest.mark.parametrize("declared", [float, float | None])
def test_whole_number_that_a_float_would_shorten_is_refused(value: int, declared: Any) -> None:
    with pytest.raises(
        WorkflowError, match="step 'give' returned a value of type int, which cannot"
    ):
        asyncio.run(Workflow("w", create(declared)).run(value))


def test_failure_that_was_handled_stays_handled_when_a_run_goes_on() -> None:
    broken = True

    async def connect(value: int) -> int:
        if broken:
            raise ConnectionError("closed")
        return value

    workflow = Workflow("w", recover("safe", step(connect), {ConnectionError: step(handle)})).then(
        step(double)
    )
    first = RecordingEngine()
    expected = asyncio.run(workflow.run(4, engine=first))
    del first.records["double"]
    broken = False  # so that the body would succeed now
    second = RecordingEngine(first.records, first.handled)

    assert asyncio.run(workflow.run(4, engine=second)) == expected == -8
    assert second.ran == ["double"]
