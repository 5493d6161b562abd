from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from agent_factory.core import (
    AssistantMessage,
    ConfigurationError,
    FinishReason,
    LimitExceededError,
    Limits,
    ModelResponse,
    OutputError,
    ToolCall,
    UserMessage,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel
from tests.utils import create_test_agent, create_test_tool


class Person(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0)]


@pytest.mark.parametrize(
    ("output_type", "answer", "output"),
    [
        (int, "42", 42),
        (bool, "true", True),
        (list[str], '["a", "b"]', ["a", "b"]),
        (dict[str, float], '{"x": 1.5}', {"x": 1.5}),
        (Person, '{"name": "Ada", "age": 36}', Person(name="Ada", age=36)),
    ],
)
def test_answer_becomes_the_output_type(
    output_type: type[object], answer: str, output: object
) -> None:
    agent = create_test_agent([answer], output_type=output_type)

    assert agent.output_type == output_type
    assert agent.run_sync("Hi.").output == output


def test_text_output_is_the_text_as_it_is() -> None:
    assert (
        create_test_agent([' {"not": "parsed"} ']).run_sync("Hi.").output == ' {"not": "parsed"} '
    )


def test_model_is_asked_for_the_schema_of_the_output_type() -> None:
    model = FunctionModel(lambda request: '{"name": "Ada", "age": 36}')
    create_test_agent(model=model, output_type=Person).run_sync("Hi.")

    schema = model.requests[0].output
    assert schema is not None
    assert schema.name == "Person"
    assert schema.schema["required"] == ["name", "age"]


def test_name_of_the_schema_has_only_characters_that_providers_accept() -> None:
    class Box(BaseModel):
        content: list[int]

    Box.__name__ = "Box[int] " + "x" * 80
    model = FunctionModel(lambda request: '{"content": []}')

    create_test_agent(model=model, output_type=Box).run_sync("Hi.")

    schema = model.requests[0].output
    assert schema is not None
    assert schema.name == "Box_int__" + "x" * 55


def test_type_without_json_schema_is_refused_at_once() -> None:
    class Opaque:
        pass

    with pytest.raises(ConfigurationError, match=r"'tester'.*Opaque.*no JSON Schema"):
        create_test_agent(output_type=Opaque)


def test_rejected_answer_is_told_to_the_model_which_may_correct_it() -> None:
    model = ScriptedModel(['{"name": "Ada", "age": -1}', '{"name": "Ada", "age": 36}'])

    result = create_test_agent(model=model, output_type=Person).run_sync("Hi.")

    assert result.output == Person(name="Ada", age=36)
    assert model.requests[1].messages[-2:] == (
        AssistantMessage('{"name": "Ada", "age": -1}'),
        UserMessage(
            "the answer does not fit the required JSON Schema: "
            "age: Input should be greater than or equal to 0. Answer again."
        ),
    )
    assert result.usage.requests == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("forty-two", "answer: Invalid JSON"),
        ("", "answer: Invalid JSON"),
        ("{}", "name: Field required; age: Field required"),
        ('{"name": "Ada", "age": "old"}', "age: Input should be a valid integer"),
        ("[" * 5000, "answer: Invalid JSON: recursion limit exceeded"),
        ("\ud800", "answer: "),
    ],
)
def test_answer_that_never_fits_is_an_error_that_says_why(answer: str, told: str) -> None:
    agent = create_test_agent([answer], output_type=Person, limits=Limits(max_output_retries=0))

    with pytest.raises(OutputError) as caught:
        agent.run_sync("Hi.")
    assert told in caught.value.message


def test_retries_are_as_many_as_allowed() -> None:
    model = FunctionModel(lambda request: "no")
    agent = create_test_agent(model=model, output_type=int, limits=Limits(max_output_retries=3))

    with pytest.raises(OutputError):
        agent.run_sync("Hi.")
    assert len(model.requests) == 4


def test_retries_count_as_requests() -> None:
    agent = create_test_agent(
        model=FunctionModel(lambda request: "no"),
        output_type=int,
        limits=Limits(max_output_retries=9, max_requests=2),
    )

    with pytest.raises(LimitExceededError) as caught:
        agent.run_sync("Hi.")
    assert caught.value.limit == "max_requests"


@pytest.mark.parametrize(("reason", "said"), [("length", "tokens"), ("content_filter", "filter")])
def test_incomplete_answer_is_never_the_output(reason: FinishReason, said: str) -> None:
    agent = create_test_agent([ModelResponse(AssistantMessage("4"), finish_reason=reason), "42"])

    with pytest.raises(OutputError, match=said):
        agent.run_sync("Hi.")


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_incomplete_tool_calls_are_never_carried_out(
    reason: Literal["length", "content_filter"],
) -> None:
    calls: list[str] = []
    cut = AssistantMessage("", (ToolCall("1", "echo", '{"text": "a'),))
    agent = create_test_agent(
        [ModelResponse(cut, finish_reason=reason)], tools=[create_test_tool(calls=calls)]
    )

    with pytest.raises(OutputError):
        agent.run_sync("Hi.")
    assert calls == []


def test_only_some_of_many_problems_are_told_to_the_model_and_each_in_brief() -> None:
    model = ScriptedModel([f"[{'1, ' * 4_999}1]", '{"' + "k" * 100_000 + '": 1}', '["a"]'])
    agent = create_test_agent(
        model=model, output_type=list[str], limits=Limits(max_output_retries=2)
    )

    assert agent.run_sync("Hi.").output == ["a"]
    told = [request.messages[-1] for request in model.requests[1:]]
    assert all(isinstance(message, UserMessage) and len(message.text) < 1_000 for message in told)
    assert "and 4,990 more" in str(told[0])
