from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agent_factory.core.exceptions import ConfigurationError, ModelError, ToolError
from agent_factory.core.registry import ToolRegistry
from agent_factory.core.tools import ToolContext
from agent_factory.core.workflows.people import InMemoryPerson, Question
from agent_factory.integrations.tools import create_ask_person, create_builtin_entries
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment


class Answering:
    """A person who gives one answer, or raises, and keeps the questions."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.questions: list[Question] = []

    async def ask(self, question: Question) -> Any:
        self.questions.append(question)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def test_the_answer_reaches_the_model() -> None:
    person = Answering("blue")
    assert call_tool(create_ask_person(person), question="Which colour?") == {"answer": "blue"}
    [question] = person.questions
    assert (question.text, question.run_id, question.answer_schema) == (
        "Which colour?",
        "run",
        {"type": "string"},
    )


def test_choices_are_shown_to_the_person() -> None:
    person = Answering("no")
    call_tool(create_ask_person(person), question="Go on?", choices=["yes", "no"])
    assert person.questions[0].answer_schema == {"type": "string", "enum": ["yes", "no"]}


def test_an_answer_beside_the_choices_is_told_to_the_model() -> None:
    with pytest.raises(ToolError, match="'maybe', which is none of the choices"):
        call_tool(create_ask_person(Answering("maybe")), question="Go on?", choices=["yes", "no"])


def test_a_call_that_is_made_again_asks_the_same_question() -> None:
    person = Answering("blue")
    tool = create_ask_person(person)
    for call in ("a", "a", "b"):
        context = ToolContext(deps=None, run_id="run", call_id="call", idempotency_key=call)
        asyncio.run(tool.run(context, json.dumps({"question": "Which?"})))
    assert [question.id for question in person.questions] == ["run:a", "run:a", "run:b"]


def test_without_a_person_the_question_is_refused() -> None:
    with pytest.raises(ToolError, match="nobody can be asked"):
        call_tool(create_ask_person(None), question="Which?")


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    with pytest.raises(ToolError, match="nobody answered within"):
        call_tool(create_ask_person(InMemoryPerson(), timeout=0.01), question="Which?")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ModelError("the line is dead", model="phone"), "no answer could be had: the line is dead"),
        (ToolError("not now"), "not now"),
        (42, "is no text"),
    ],
)
def test_what_is_no_answer_is_told_to_the_model(answer: Any, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        call_tool(create_ask_person(Answering(answer)), question="Which?")


def test_a_long_answer_is_cut() -> None:
    answer = call_tool(create_ask_person(Answering("x" * 30_000)), question="Which?")["answer"]
    assert answer.endswith("[cut: the answer has 30000 characters]")


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        create_ask_person(None, timeout=timeout)


def test_an_entry_asks_its_person(tmp_path: Path) -> None:
    entry = ToolRegistry(create_builtin_entries(person=Answering("yes"))).get("ask_person")
    tool = entry.create(entry.options.model_validate({}), create_environment(tmp_path))
    assert call_tool(tool, question="Well?") == {"answer": "yes"}
