"""For any graph of nodes: the workflow gives what plain Python gives, and nothing runs twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    Failure,
    Workflow,
    WorkflowError,
    branch,
    loop,
    map_each,
    parallel,
    recover,
    step,
)
from agent_factory.core.workflows import LocalEngine, ask_person
from tests.core.workflow_engine import InterruptedRun, RecordingEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core import Node
    from agent_factory.core.workflows import Question


class TroubleError(Exception):
    """What a step of the graph raises; its text is the name of the step."""


@dataclass
class Graph:
    """A part of a workflow, and the same in plain Python. Every value is a whole number."""

    node: Node[Any, Any]
    plain: Callable[[int], int]


class Person:
    """Answers every question with a number made from the value."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, question: Question) -> int:
        self.asked.append(question.id)
        await asyncio.sleep(0)
        return (int(question.value) * 3 + 2) % 101


@dataclass
class Maker:
    """Makes parts with names of their own, and counts the calls of their steps."""

    calls: Counter[str] = field(default_factory=Counter)
    made: int = 0
    recovered: int = 0

    def name(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def build(self, shape: Any) -> Graph:
        kind, *rest = shape
        result: Graph = getattr(self, f"_{kind}")(*rest)
        return result

    def _step(self, factor: int, suspends: int, fails: bool) -> Graph:
        name = self.name()

        def plain(value: int) -> int:
            if fails and value % 3 == 0:
                raise TroubleError(name)
            return (value * factor + 1) % 101

        async def work(value: int) -> int:
            self.calls[f"{name} {value}"] += 1
            for _ in range(suspends):
                await asyncio.sleep(0)
            return plain(value)

        return Graph(step(work, name=name), plain)

    def _ask(self) -> Graph:
        node = ask_person(self.name(), "Which number?", answer=int)
        return Graph(node, lambda value: (value * 3 + 2) % 101)

    def _chain(self, shapes: list[Any]) -> Graph:
        parts = [self.build(shape) for shape in shapes]
        workflow: Workflow[Any, Any] = Workflow(self.name(), parts[0].node)
        for part in parts[1:]:
            workflow = workflow.then(part.node)

        def plain(value: int) -> int:
            for part in parts:
                value = part.plain(value)
            return value

        return Graph(workflow, plain)

    def _branch(self, left: Any, right: Any) -> Graph:
        odd, even = self.build(left), self.build(right)

        def is_odd(value: int) -> bool:
            return value % 2 == 1

        node = branch(self.name(), is_odd, {True: odd.node, False: even.node})
        return Graph(node, lambda value: (odd if is_odd(value) else even).plain(value))

    def _loop(self, shape: Any, bound: int) -> Graph:
        body, name = self.build(shape), self.name()

        def done(value: int) -> bool:
            return value % 4 == 0

        def plain(value: int) -> int:
            for _ in range(bound):
                if done(value):
                    return value
                value = body.plain(value)
            if not done(value):
                raise TroubleError(name)
            return value

        return Graph(loop(name, body.node, until=done, max_turns=bound), plain)

    def _map(self, shape: Any, count: int, limit: int) -> Graph:
        body = self.build(shape)

        async def split(value: int) -> list[int]:
            return list(range(value, value + count))

        async def join(values: list[int]) -> int:
            return sum(place * value for place, value in enumerate(values, start=1)) % 101

        workflow = (
            Workflow(self.name(), step(split))
            .then(map_each(self.name(), body.node, limit=limit))
            .then(step(join))
        )

        def plain(value: int) -> int:
            values = [body.plain(item) for item in range(value, value + count)]
            return sum(place * item for place, item in enumerate(values, start=1)) % 101

        return Graph(workflow, plain)

    def _parallel(self, shapes: list[Any], limit: int) -> Graph:
        parts = [self.build(shape) for shape in shapes]

        async def join(values: tuple[int, ...]) -> int:
            return sum(place * value for place, value in enumerate(values, start=1)) % 101

        both = parallel(self.name(), *(part.node for part in parts), limit=limit)

        def plain(value: int) -> int:
            values = [part.plain(value) for part in parts]
            return sum(place * item for place, item in enumerate(values, start=1)) % 101

        return Graph(Workflow(self.name(), both).then(step(join)), plain)

    def _recover(self, shape: Any) -> Graph:
        body = self.build(shape)

        async def handle(failure: Failure[int]) -> int:
            self.recovered += 1
            return failure.value + 7

        def plain(value: int) -> int:
            try:
                return body.plain(value)
            except TroubleError:
                return value + 7

        node = recover(self.name(), body.node, {Exception: step(handle)})
        return Graph(node, plain)


def extend(shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(shapes, min_size=1, max_size=3)
    limits = st.integers(1, 4)
    return st.one_of(
        st.tuples(st.just("chain"), several),
        st.tuples(st.just("branch"), shapes, shapes),
        st.tuples(st.just("loop"), shapes, st.integers(1, 4)),
        st.tuples(st.just("map"), shapes, st.integers(0, 4), limits),
        st.tuples(st.just("parallel"), several, limits),
        st.tuples(st.just("recover"), shapes),
    )


def graphs(*, failing: bool) -> st.SearchStrategy[Any]:
    fails = st.sampled_from([False, False, True]) if failing else st.just(False)
    leaves = st.tuples(st.just("step"), st.integers(1, 9), st.integers(0, 2), fails)
    questions = st.tuples(st.just("ask"))
    return st.recursive(st.one_of(leaves, leaves, questions), extend, max_leaves=8)


def recovering() -> st.SearchStrategy[Any]:
    """Graphs in which failures are often handled before more is done."""
    steps = st.tuples(st.just("step"), st.integers(1, 9), st.just(0), st.just(True))
    parts = st.one_of(
        st.tuples(st.just("recover"), steps),
        st.tuples(st.just("recover"), graphs(failing=True)),
        graphs(failing=True),
    )
    return st.tuples(st.just("chain"), st.lists(parts, min_size=2, max_size=4))


async def run(graph: Graph, value: int) -> tuple[int | WorkflowError, int]:
    """Return how a run of the graph ended, and how many tasks are left."""
    ended: int | WorkflowError
    try:
        ended = await Workflow("w", graph.node).run(value, engine=LocalEngine(person=Person()))
    except WorkflowError as error:
        ended = error
    return ended, len(asyncio.all_tasks()) - 1


def plainly(graph: Graph, value: int) -> int | None:
    """Return what plain Python gives; None if it raises."""
    try:
        return graph.plain(value)
    except TroubleError:
        return None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=graphs(failing=True), value=st.integers(0, 100))
def test_any_graph_gives_what_plain_python_gives(shape: Any, value: int) -> None:
    graph = Maker().build(shape)

    ended, left = asyncio.run(run(graph, value))
    expected = plainly(graph, value)

    assert left == 0
    if expected is None:
        assert isinstance(ended, WorkflowError)
        # Once: the error of the step itself is right below, and the path ends with the step's name.
        cause = ended.__cause__
        assert cause is None or isinstance(cause, TroubleError)
        assert cause is None or ended.step.split("/")[-1] == str(cause)
        assert ended.workflow == "w"
        assert ended.message.count("workflow 'w'") == 1
    else:
        assert ended == expected


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=graphs(failing=False), value=st.integers(0, 100))
def test_nothing_runs_twice_and_paths_are_the_same_in_every_run(shape: Any, value: int) -> None:
    local, maker = Maker(), Maker()
    ended, _ = asyncio.run(run(local.build(shape), value))
    graph = maker.build(shape)

    async def record() -> tuple[list[str], int | None]:
        engine = RecordingEngine(person=Person())
        try:
            result = await Workflow("w", graph.node).run(value, engine=engine)
        except WorkflowError:
            result = None
        return engine.ran, result

    (paths, result), (again, _) = asyncio.run(record()), asyncio.run(record())

    assert len(set(paths)) == len(paths)
    assert paths == again
    if not isinstance(ended, WorkflowError):
        assert ended == result
    if not isinstance(ended, WorkflowError) and not local.recovered:
        # After a failure, how many of its neighbours had begun is the engine's business. Without
        # one, both engines made the same calls: the second ran twice.
        assert {call: 2 * count for call, count in local.calls.items()} == maker.calls


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=graphs(failing=True), value=st.integers(0, 100), turns=st.integers(0, 12))
def test_cancelled_run_leaves_nothing_running(shape: Any, value: int, turns: int) -> None:
    maker = Maker()
    graph = maker.build(shape)

    async def main() -> tuple[int, Counter[str], Counter[str]]:
        task = asyncio.create_task(run(graph, value))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        before = maker.calls.copy()
        left = len(asyncio.all_tasks()) - 1
        for _ in range(5):
            await asyncio.sleep(0)
        return left, before, maker.calls

    left, before, after = asyncio.run(main())

    assert left == 0
    assert before == after


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=recovering(), value=st.integers(0, 100), stop_after=st.integers(0, 9))
def test_interrupted_run_goes_on_from_its_records_without_doing_anything_twice(
    shape: Any, value: int, stop_after: int
) -> None:
    graph, person = Maker().build(shape), Person()
    workflow = Workflow("w", graph.node)

    async def go_on(engine: RecordingEngine) -> int | None:
        try:
            result: int = await workflow.run(value, engine=engine, run_id="r")
        except WorkflowError:
            return None
        return result

    first = RecordingEngine(person=person, stop_after=stop_after)
    try:
        ended = asyncio.run(go_on(first))
    except InterruptedRun:
        second = RecordingEngine(first.records, first.handled, person)
        ended = asyncio.run(go_on(second))
        assert set(first.ran).isdisjoint(second.ran)

    assert ended == plainly(graph, value)
    assert len(set(person.asked)) == len(person.asked)
