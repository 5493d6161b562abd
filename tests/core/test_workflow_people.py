from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, assert_type

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, field_validator
from pydantic_core import to_json

from agent_factory.core.exceptions import ConfigurationError, ToolError, WorkflowError
from agent_factory.core.workflows import (
    AskPerson,
    Failure,
    InMemoryPerson,
    LocalEngine,
    Person,
    Question,
    Workflow,
    ask_person,
    branch,
    map_each,
    parallel,
    recover,
    step,
)
from tests.core.workflow_engine import RecordingEngine


class Review(BaseModel):
    stars: int
    note: str = ""


class Picky(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _refuse(cls, name: str) -> str:
        raise RuntimeError(name)


@dataclass
class Draft:
    title: str


class Opaque:
    pass


class Script:
    """A person who does as a function says, and remembers what was asked."""

    def __init__(self, function: Callable[[Question], Any]) -> None:
        self.function = function
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Any:
        self.asked.append(question)
        return self.function(question)


class Silent:
    """A person who never answers."""

    def __init__(self) -> None:
        self.cancelled = 0

    async def ask(self, question: Question) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def write(title: str) -> Draft:
    return Draft(title)


async def publish(draft: Draft) -> str:
    return f"published {draft.title}"


def describe(draft: Draft) -> str:
    return f"Publish {draft.title!r}?"


def run(node: Any, value: object, person: Person | None) -> Any:
    return asyncio.run(Workflow("w", node).run(value, engine=LocalEngine(person=person)))


def answer_with(answer: object, kind: Any) -> Any:
    """Return what a workflow gets for this answer to a question of that type."""
    return run(ask_person("q", "Well?", answer=kind), None, Script(lambda _: answer))


def test_answer_is_what_the_node_gives() -> None:
    workflow = Workflow("w", step(write)).then(ask_person("approval", describe, answer=bool))

    answer = asyncio.run(workflow.run("News", engine=LocalEngine(person=Script(lambda _: True))))

    assert answer is True


def test_person_gets_the_question_with_all_that_belongs_to_it() -> None:
    person = Script(lambda _: {"stars": 4})
    workflow = Workflow("news", step(write)).then(
        ask_person("review", describe, answer=Review, timeout=60)
    )

    asyncio.run(workflow.run("News", engine=LocalEngine(person=person), run_id="r1"))

    assert person.asked == [
        Question(
            id="r1:review",
            workflow="news",
            run_id="r1",
            path="review",
            text="Publish 'News'?",
            value=Draft("News"),
            answer_schema=Review.model_json_schema(),
            timeout=60,
        )
    ]
    assert TypeAdapter(Question).validate_json(to_json(person.asked[0])).id == "r1:review"


def test_question_in_a_map_is_named_by_its_path() -> None:
    person = Script(lambda question: question.value > 1)
    node = map_each("all", ask_person("large", "Is it large?", answer=bool))

    assert run(node, [1, 2], person) == [False, True]
    assert [question.path for question in person.asked] == ["all/0/large", "all/1/large"]
    assert len({question.run_id for question in person.asked}) == 1


def test_questions_of_two_runs_differ() -> None:
    person = Script(lambda _: True)

    for _ in range(2):
        run(ask_person("q", "Well?", answer=bool), None, person)

    first, second = person.asked
    assert first.id != second.id


def test_answer_decides_between_the_cases_of_a_branch() -> None:
    async def reject(draft: Draft) -> str:
        return f"kept {draft.title}"

    async def keep(draft: Draft) -> Draft:
        return draft

    def is_approved(both: tuple[Draft, bool]) -> bool:
        return both[1]

    def first(function: Any) -> Any:
        async def call(both: tuple[Draft, bool]) -> str:
            return str(await function(both[0]))

        return step(call, name=function.__name__)

    workflow = (
        Workflow("w", step(write))
        .then(parallel("asked", step(keep), ask_person("approval", describe, answer=bool)))
        .then(branch("decision", is_approved, {True: first(publish), False: first(reject)}))
    )

    def decide(answer: bool) -> str:
        engine = LocalEngine(person=Script(lambda _: answer))
        return str(asyncio.run(workflow.run("News", engine=engine)))

    assert (decide(True), decide(False)) == ("published News", "kept News")


def test_without_a_person_the_node_fails_and_says_how_to_pass_one() -> None:
    workflow = Workflow("w", ask_person("approval", "Go on?", answer=bool))

    with pytest.raises(
        WorkflowError,
        match=r"workflow 'w': step 'approval' asks a person.*nobody.*LocalEngine\(person=",
    ) as caught:
        asyncio.run(workflow.run(None))
    assert caught.value.step == "approval"


def test_question_that_nobody_answers_in_time_fails_and_is_withdrawn() -> None:
    person = Silent()

    with pytest.raises(WorkflowError, match=r"step 'q' was not answered within 0\.02 s"):
        run(ask_person("q", "Well?", answer=bool, timeout=0.02), None, person)
    assert person.cancelled == 1


def test_late_answer_has_a_handler_as_a_timeout() -> None:
    async def go_on(failure: Failure[Any]) -> bool:
        return False

    node = recover(
        "safe", ask_person("q", "Well?", answer=bool, timeout=0.02), {TimeoutError: step(go_on)}
    )
    assert run(node, None, Silent()) is False


def test_cancelled_run_withdraws_its_question() -> None:
    async def main() -> tuple[int, int]:
        person = InMemoryPerson()
        workflow = Workflow("w", ask_person("q", "Well?", answer=bool))
        task = asyncio.create_task(workflow.run(None, engine=LocalEngine(person=person)))
        await person.receive()
        asked = len(person.questions)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        return asked, len(person.questions)

    assert asyncio.run(main()) == (1, 0)


def test_person_who_fails_fails_the_node() -> None:
    def refuse(question: Question) -> Any:
        raise ToolError("the mail server is down")

    with pytest.raises(WorkflowError, match="step 'q' failed: the mail server is down"):
        run(ask_person("q", "Well?", answer=bool), None, Script(refuse))


@pytest.mark.parametrize(
    ("answer", "kind", "expected"),
    [
        (True, bool, True),
        ("yes", Literal["yes", "no"], "yes"),
        ({"stars": 5}, Review, Review(stars=5)),
        (Review(stars=5), Review, Review(stars=5)),
        ({"title": "x"}, Draft, Draft("x")),
        ("2026-01-31", date, date(2026, 1, 31)),
        ([1, "a"], tuple[int, str], (1, "a")),
        (None, int | None, None),
        ({"any": [1]}, Any, {"any": [1]}),
    ],
)
def test_answer_arrives_as_its_type(answer: object, kind: Any, expected: object) -> None:
    assert answer_with(answer, kind) == expected


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ("yes", bool, "an answer that is no bool \\(Input should be a valid boolean\\)"),
        (1, bool, "that is no bool"),
        ("5", int, "that is no int"),
        ("maybe", Literal["yes", "no"], "Input should be 'yes' or 'no'"),
        ({"stars": "many"}, Review, "that is no Review \\(stars: Input should be a valid integer"),
        ({}, Review, "stars: Field required"),
        (None, bool, "that is no bool"),
        (Opaque(), bool, "an answer a value of type Opaque, which cannot be written as JSON"),
        ({"name": "x"}, Picky, "that is no Picky"),
    ],
)
def test_answer_that_does_not_fit_is_refused_with_what_is_wrong(
    answer: object, kind: Any, said: str
) -> None:
    with pytest.raises(WorkflowError, match=f"step 'q' got .*{said}"):
        answer_with(answer, kind)


def test_refused_answer_is_not_shown() -> None:
    with pytest.raises(WorkflowError) as caught:
        answer_with({"stars": "secret"}, Review)
    assert "secret" not in caught.value.message


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    answer=st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text()
    ),
    kind=st.sampled_from([bool, int, float, str, type(None)]),
)
def test_answer_passes_only_as_a_value_of_the_declared_type(answer: Any, kind: Any) -> None:
    fits = type(answer) is kind or (kind is float and type(answer) is int)
    try:
        given_ = answer_with(answer, kind)
    except WorkflowError:
        assert not fits
    else:
        assert fits
        assert type(given_) is kind
        assert given_ == answer


def test_function_that_makes_no_text_fails_the_node() -> None:
    person = Script(lambda _: True)
    nothing: Any = lambda value: None  # noqa: E731

    with pytest.raises(WorkflowError, match="question 'q' must be text that is not empty"):
        run(ask_person("q", nothing, answer=bool), None, person)
    with pytest.raises(WorkflowError, match="'q' raised ZeroDivisionError"):
        run(ask_person("q", lambda value: str(1 // value), answer=bool), 0, person)
    assert person.asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": " "}, "a question needs a name"),
        ({"name": "a/b"}, "'/' separates names in paths"),
        ({"timeout": 0}, "question 'q': timeout must be a finite number of seconds"),
        ({"timeout": float("inf")}, "timeout must be"),
        ({"question": ""}, "question 'q' must be text that is not empty"),
        ({"question": 7}, "question 'q' must be text"),
        ({"question": write}, "question 'q': what makes its text must be a plain function"),
        ({"answer": Opaque}, "question 'q' takes as its answer Opaque, which cannot be written"),
        ({"answer": Callable[[], int]}, "cannot be|has no JSON Schema"),
    ],
)
def test_question_out_of_order_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ask_person(**{"name": "q", "question": "Well?", "answer": bool, **arguments})


def test_question_fits_between_its_neighbours_or_is_refused() -> None:
    async def count(number: int) -> int:
        return number

    workflow = Workflow("w", step(write)).then(ask_person("review", describe, answer=Review))

    with pytest.raises(ConfigurationError, match="'count' takes int, but 'review' gives Review"):
        workflow.then(step(count))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="'q' takes Draft, but 'count' gives int"):
        Workflow("w", step(count)).then(ask_person("q", describe, answer=bool))  # type: ignore[arg-type]


def test_question_that_was_answered_is_not_asked_again() -> None:
    workflow: Workflow[str, Any] = Workflow("w", step(write)).then(
        ask_person("review", describe, answer=Review)
    )
    person = Script(lambda _: {"stars": 3})
    first = RecordingEngine(person=person)
    expected = asyncio.run(workflow.run("News", engine=first, run_id="r1"))
    second = RecordingEngine(first.records, person=Silent())

    assert asyncio.run(workflow.run("News", engine=second, run_id="r1")) == expected
    assert expected == Review(stars=3)
    assert second.ran == []


def test_node_for_a_question_can_be_made_by_its_class() -> None:
    node: AskPerson[Any, bool] = AskPerson("q", "Well?", bool)

    assert node.timeout == 86_400
    assert run(node, None, Script(lambda _: True)) is True


def test_memory_person_gives_answers_known_in_advance() -> None:
    person = InMemoryPerson({"q": True})

    assert isinstance(person, Person)
    assert run(ask_person("q", "Well?", answer=bool), None, person) is True


def test_memory_person_keeps_questions_until_they_are_answered() -> None:
    async def main() -> tuple[Any, list[str], list[bool], int]:
        person = InMemoryPerson()
        node = map_each("all", ask_person("q", str, answer=int))
        run_all = Workflow("w", node).run([1, 2], engine=LocalEngine(person=person), run_id="r")
        task = asyncio.create_task(run_all)
        asked = [(await person.receive()).text for _ in range(2)]
        answered = [person.answer("r:all/1/q", 20), person.answer("r:all/0/q", 10)]
        result = await task
        answered += [person.answer("r:all/0/q", 11), person.answer("unknown", 1)]
        return result, asked, answered, len(person.questions)

    result, asked, answered, left = asyncio.run(main())

    assert (result, asked, left) == ([10, 20], ["1", "2"], 0)
    assert answered == [True, True, False, False]


def test_question_is_typed_by_its_value_and_its_answer() -> None:
    assert_type(ask_person("q", describe, answer=bool), AskPerson[Draft, bool])
    assert_type(ask_person("q", "Well?", answer=Review), AskPerson[Any, Review])
    workflow = Workflow("w", step(write)).then(ask_person("q", describe, answer=Review))
    assert_type(workflow, Workflow[str, Review])
