from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from agent_factory.core import (
    Agent,
    AssistantMessage,
    ConfigurationError,
    Limits,
    ModelRequest,
    OutputError,
    OutputMode,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    check_history,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.testing.scripted import Answer


class Person(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0)]


class Company(BaseModel):
    title: str
    staff: list[Person]


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


@dataclass
class Point:
    x: int
    y: int


class Options(TypedDict):
    dry: bool


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


ADA = Person(name="Ada", age=36)

# Type, the JSON of a value, the value, and whether it has to be put into an object.
CASES: list[tuple[Any, str, object, bool]] = [
    (Person, '{"name": "Ada", "age": 36}', ADA, False),
    (
        Company,
        '{"title": "A", "staff": [{"name": "Ada", "age": 36}]}',
        Company(title="A", staff=[ADA]),
        False,
    ),
    (Point, '{"x": 1, "y": 2}', Point(1, 2), False),
    (Options, '{"dry": true}', {"dry": True}, False),
    (dict[str, int], '{"a": 1}', {"a": 1}, False),
    (int, "42", 42, True),
    (bool, "false", False, True),
    (float, "1.5", 1.5, True),
    (list[int], "[1, 2]", [1, 2], True),
    (list[Person], '[{"name": "Ada", "age": 36}]', [ADA], True),
    (tuple[int, str], '[1, "a"]', (1, "a"), True),
    (int | str, '"a"', "a", True),
    (int | None, "null", None, True),
    (Person | Point, '{"x": 1, "y": 2}', Point(1, 2), True),
    (Color, '"blue"', Color.BLUE, True),
    (Literal["yes", "no"], '"no"', "no", True),
    (Annotated[str, Field(min_length=1)], '"a"', "a", True),
    (
        Tree,
        '{"label": "a", "children": [{"label": "b"}]}',
        Tree(label="a", children=[Tree(label="b")]),
        True,
    ),
]
MODES: tuple[OutputMode, ...] = ("native", "tool", "prompt")


def create_agent(
    answers: Sequence[Answer], output_type: Any, mode: OutputMode, **given: Any
) -> Agent[Any, Any]:
    return Agent(
        name="tester",
        model=ScriptedModel(answers),
        output_type=output_type,
        output_mode=mode,
        **given,
    )


def give(text: str, call_id: str = "end") -> ToolCall:
    return ToolCall(call_id, "final_answer", text)


def wrap(text: str, *, wrapped: bool) -> str:
    return f'{{"value": {text}}}' if wrapped else text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("output_type", "text", "value", "wrapped"), CASES, ids=str)
def test_answer_becomes_a_value_of_the_type_in_each_mode(
    output_type: Any, text: str, value: object, wrapped: bool, mode: OutputMode
) -> None:
    answer: Answer = text if mode == "prompt" else wrap(text, wrapped=wrapped)
    if mode == "tool":
        answer = give(str(answer))

    result = create_agent([answer], output_type, mode).run_sync("Hi.")

    assert result.output == value
    assert type(result.output) is type(value)
    assert check_history(result.messages)


@pytest.mark.parametrize(("output_type", "text", "value", "wrapped"), CASES, ids=str)
def test_provider_and_tool_are_given_the_schema_of_an_object(
    output_type: Any, text: str, value: object, wrapped: bool
) -> None:
    native, by_tool = (
        create_agent([wrap(text, wrapped=wrapped)], output_type, "native"),
        create_agent([give(wrap(text, wrapped=wrapped))], output_type, "tool"),
    )
    for agent in (native, by_tool):
        agent.run_sync("Hi.")
    assert isinstance(native.model, ScriptedModel)
    assert isinstance(by_tool.model, ScriptedModel)
    (asked,), (offered,) = native.model.requests, by_tool.model.requests

    assert asked.output is not None
    assert asked.tools == ()
    assert offered.output is None
    (spec,) = offered.tools
    assert spec.name == "final_answer"
    for schema in (asked.output.schema, spec.parameters):
        assert schema["type"] == "object"
        assert (
            (list(schema["properties"]) == ["value"]) is wrapped if "properties" in schema else True
        )
        references = [
            part.split('"')[0] for part in json.dumps(schema).split('"$ref": "#/$defs/')[1:]
        ]
        assert set(references) <= set(schema.get("$defs", {}))


def test_prompt_mode_describes_the_schema_after_the_instructions() -> None:
    agent = create_agent(["42"], int, "prompt", instructions="Be exact.")
    agent.run_sync("Hi.")

    assert isinstance(agent.model, ScriptedModel)
    (request,) = agent.model.requests
    system = request.messages[0]
    assert isinstance(system, SystemMessage)
    assert system.text.startswith("Be exact.\n\nAnswer with JSON alone")
    assert system.text.endswith('{"type": "integer"}')
    assert request.output is None
    assert request.tools == ()


@pytest.mark.parametrize(
    "text",
    [
        "```json\n[1, 2]\n```",
        "```\n[1, 2]\n```",
        "\n  ```JSON \r\n[1,\r\n2]\r\n```  \n",
        "[1, 2]",
        "  [1, 2]\n",
    ],
)
def test_prompt_mode_takes_json_in_a_code_block(text: str) -> None:
    assert create_agent([text], list[int], "prompt").run_sync("Hi.").output == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "```",
        "``````",
        "``` ```",
        "```json [1, 2]```",
        "Here:\n```json\n[1, 2]\n```",
        "```json\n[1, 2]",
    ],
)
def test_prompt_mode_sends_back_what_is_more_than_a_code_block(text: str) -> None:
    agent = create_agent([text, "[1, 2]"], list[int], "prompt")

    result = agent.run_sync("Hi.")

    assert result.output == [1, 2]
    assert result.usage.requests == 2


def test_long_white_space_in_a_code_block_costs_little() -> None:
    # With a regular expression that allows for it in three places, this text would keep the loop busy for hours.
    text = "```" + "\n" * 200_000 + "x"

    with pytest.raises(OutputError):
        create_agent([text], int, "prompt", limits=Limits(max_output_retries=0)).run_sync("Hi.")


@pytest.mark.parametrize("mode", MODES)
def test_answer_that_does_not_fit_is_told_to_the_model_with_what_is_wrong(mode: OutputMode) -> None:
    wrong, right = '{"name": "Ada", "age": -1}', '{"name": "Ada", "age": 36}'
    answers: list[Answer] = [wrong, right] if mode != "tool" else [give(wrong), give(right)]
    agent = create_agent(answers, Person, mode)

    result = agent.run_sync("Hi.")

    assert result.output == ADA
    assert isinstance(agent.model, ScriptedModel)
    told = agent.model.requests[1].messages[-1]
    said = told.content if isinstance(told, ToolMessage) else told.text
    assert "age: Input should be greater than or equal to 0" in said
    assert isinstance(told, ToolMessage if mode == "tool" else UserMessage)


@pytest.mark.parametrize("mode", MODES)
def test_answer_that_never_fits_ends_with_the_last_reason(mode: OutputMode) -> None:
    answer: Answer = give("{}") if mode == "tool" else "{}"
    agent = create_agent([answer] * 3, Person, mode, limits=Limits(max_output_retries=2))

    with pytest.raises(OutputError, match="name: Field required; age: Field required"):
        agent.run_sync("Hi.")
    assert isinstance(agent.model, ScriptedModel)
    assert len(agent.model.requests) == 3


def test_model_is_told_a_bounded_number_of_problems() -> None:
    text = json.dumps({"value": ["x"] * 5_000})
    agent = create_agent([text], list[int], "native", limits=Limits(max_output_retries=0))

    with pytest.raises(OutputError) as caught:
        agent.run_sync("Hi.")
    assert caught.value.message.endswith("; and 4,990 more")
    assert len(caught.value.message) < 2_000


@pytest.mark.parametrize("text", ['"x"', '{"value": 1, "why": "because"}', '{"answer": 1}', "x"])
def test_model_that_left_out_the_object_is_told_of_it(text: str) -> None:
    agent = create_agent([text, '{"value": 1}'], int, "native")

    assert agent.run_sync("Hi.").output == 1
    assert isinstance(agent.model, ScriptedModel)
    told = agent.model.requests[1].messages[-1]
    assert isinstance(told, UserMessage)
    assert "an object with the one key 'value'" in told.text


def test_value_without_its_object_is_taken_where_it_fits() -> None:
    assert create_agent(["7"], int, "native").run_sync("Hi.").output == 7
    assert create_agent([give("[7]")], list[int], "tool").run_sync("Hi.").output == [7]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers() | st.text(), max_size=5), st.sampled_from(MODES))
def test_any_value_comes_back_as_it_was_given(value: list[int | str], mode: OutputMode) -> None:
    text = json.dumps(value)
    answer: Answer = text if mode == "prompt" else wrap(text, wrapped=True)
    if mode == "tool":
        answer = give(str(answer))

    assert create_agent([answer], list[int | str], mode).run_sync("Hi.").output == value


def test_call_of_the_answers_tool_is_answered_in_the_history() -> None:
    result = create_agent([give('{"value": 7}')], int, "tool").run_sync("Hi.")

    assert result.messages == (
        UserMessage("Hi."),
        AssistantMessage("", (give('{"value": 7}'),)),
        ToolMessage("end", "final_answer", "The answer was accepted."),
    )
    assert result.usage.tool_calls == 0


def test_other_calls_beside_the_final_answer_are_refused_and_have_results() -> None:
    calls: list[str] = []
    message = AssistantMessage(
        "",
        (
            create_tool_call("look", {"text": "x"}, call_id="1"),
            give('{"value": 7}', "2"),
            give('{"value": 8}', "3"),
        ),
    )
    agent = create_agent([message], int, "tool", tools=[create_test_tool("look", calls=calls)])

    result = agent.run_sync("Hi.")

    assert result.output == 7
    assert calls == []
    told = [item for item in result.messages if isinstance(item, ToolMessage)]
    assert [(item.call_id, item.outcome) for item in told] == [
        ("1", "denied"),
        ("2", "ok"),
        ("3", "denied"),
    ]
    assert "the answer was given" in told[0].content


def test_other_calls_beside_an_answer_that_does_not_fit_are_refused_as_well() -> None:
    calls: list[str] = []
    message = AssistantMessage("", (create_tool_call("look", {}, call_id="1"), give('"x"', "2")))
    agent = create_agent(
        [message, give('{"value": 7}')], int, "tool", tools=[create_test_tool("look", calls=calls)]
    )

    result = agent.run_sync("Hi.")

    assert result.output == 7
    assert calls == []
    assert check_history(result.messages)


@pytest.mark.parametrize("mode", MODES)
def test_tools_are_called_before_the_answer(mode: OutputMode) -> None:
    end: Answer = "42" if mode == "prompt" else '{"value": 42}'
    if mode == "tool":
        end = give(str(end))
    agent = create_agent(
        [create_tool_call("look", {"text": "42"}), end], int, mode, tools=[create_test_tool("look")]
    )

    result = agent.run_sync("Hi.")

    assert result.output == 42
    assert ToolMessage("call-1", "look", "42") in result.messages


# Elsewhere the words before a tool call were taken for the final answer (pydantic/pydantic-ai#3574).
@pytest.mark.parametrize("preamble", ["Let me look.", "41", '{"value": 41}'])
@pytest.mark.parametrize("mode", MODES)
def test_words_before_a_tool_call_are_never_the_answer(preamble: str, mode: OutputMode) -> None:
    calls: list[str] = []
    look = AssistantMessage(preamble, (create_tool_call("look", {"text": "x"}),))
    end: Answer = "42" if mode == "prompt" else '{"value": 42}'
    if mode == "tool":
        end = AssistantMessage(preamble, (give(str(end)),))
    agent = create_agent([look, end], int, mode, tools=[create_test_tool("look", calls=calls)])

    assert agent.run_sync("Hi.").output == 42
    assert calls == ["x"]


def test_words_before_a_tool_call_are_not_the_answer_where_it_is_text() -> None:
    look = AssistantMessage("Let me look.", (create_tool_call("look", {"text": "x"}),))
    agent = Agent(name="a", model=ScriptedModel([look, "Found."]), tools=[create_test_tool("look")])

    assert agent.run_sync("Hi.").output == "Found."


@pytest.mark.parametrize("text", ["The answer is 42.", "42", '{"value": 42}', ""])
def test_text_in_place_of_the_final_call_is_sent_back(text: str) -> None:
    agent = create_agent([text, give('{"value": 42}')], int, "tool")

    result = agent.run_sync("Hi.")

    assert result.output == 42
    assert isinstance(agent.model, ScriptedModel)
    told = agent.model.requests[1].messages[-1]
    assert told == UserMessage(
        "the answer has to be given by calling 'final_answer'. Answer again."
    )


def test_text_in_place_of_the_final_call_ends_the_run_after_the_allowed_retries() -> None:
    agent = create_agent(["42"] * 2, int, "tool", limits=Limits(max_output_retries=1))

    with pytest.raises(OutputError, match="'final_answer'"):
        agent.run_sync("Hi.")


def test_tool_that_is_named_like_the_answers_tool_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'final_answer'.*output_mode='tool'"):
        create_agent([], int, "tool", tools=[create_test_tool("final_answer")])


def test_tool_may_have_that_name_in_another_mode() -> None:
    agent = create_agent(
        [give('{"text": "x"}'), '{"value": 1}'],
        int,
        "native",
        tools=[create_test_tool("final_answer")],
    )

    assert agent.run_sync("Hi.").output == 1


def test_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="native, tool, prompt, not 'json'"):
        create_agent([], int, "json")  # type: ignore[arg-type]


def test_name_of_a_type_in_place_of_the_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be a type, not the text 'int'"):
        create_agent([], "int", "native")


@pytest.mark.parametrize("mode", MODES)
def test_validator_with_a_defect_ends_the_run_and_the_model_is_not_blamed(mode: OutputMode) -> None:
    class Broken(BaseModel):
        a: int

        @field_validator("a")
        @classmethod
        def check(cls, value: int) -> int:
            raise KeyError("limits")

    answer: Answer = give('{"a": 1}') if mode == "tool" else '{"a": 1}'
    agent = create_agent([answer], Broken, mode)

    with pytest.raises(
        ConfigurationError, match=r"Broken.*KeyError: 'limits'.*ValueError"
    ) as caught:
        agent.run_sync("Hi.")
    assert isinstance(caught.value.__cause__, KeyError)


def test_text_output_needs_no_mode() -> None:
    def answer(request: ModelRequest) -> str:
        assert request.output is None
        assert request.tools == ()
        return '{"value": 1}'

    for mode in MODES:
        agent = Agent(name="a", model=FunctionModel(answer), output_type=str, output_mode=mode)
        assert agent.run_sync("Hi.").output == '{"value": 1}'
