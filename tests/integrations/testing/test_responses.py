"""The Responses protocol, as the official client sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.models import ModelResponse
from agent_factory.core.usage import Usage
from agent_factory.integrations.testing import OpenAIServer
from tests.integrations.testing.clients import RESPONSES_TOOL, sdk

T = TypeVar("T")
ADD = ToolCall("call_1", "add", '{"a": 1, "b": 2}')
CALL = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "3"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
USER = {"role": "user", "content": "Hi"}


def with_server(
    answers: Any, act: Callable[[AsyncOpenAI], Awaitable[T]], **options: Any
) -> tuple[T, OpenAIServer]:
    """Return what an act of the client ends with, and the server."""

    async def run() -> tuple[T, OpenAIServer]:
        server = OpenAIServer(answers, unix=True, **options)
        async with server, sdk(server) as client:
            return await act(client), server

    return asyncio.run(run())


def ask(answers: Any, given: Any = "Hi", **fields: Any) -> tuple[Any, OpenAIServer]:
    """Return the whole response to a request, and the server."""

    async def act(client: AsyncOpenAI) -> Any:
        return await client.responses.create(model="tiny", input=given, **fields)

    return with_server(answers, act)


def stream(answers: Any, **fields: Any) -> list[Any]:
    """Return the events of a streamed response."""

    async def act(client: AsyncOpenAI) -> list[Any]:
        events = await client.responses.create(model="tiny", input="Hi", stream=True, **fields)
        return [event async for event in events]

    return with_server(answers, act)[0]


def refused(given: Any = "Hi", **fields: Any) -> openai.APIStatusError:
    """Return the error that a request ends with."""

    async def act(client: AsyncOpenAI) -> openai.APIStatusError:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.responses.create(**{"model": "tiny", "input": given, **fields})
        return caught.value

    error, server = with_server(["unused"], act)
    assert server.requests == []
    return error


def test_a_text_is_a_message_with_one_part() -> None:
    answer, _ = ask(["Paris."])
    assert (answer.object, answer.status, answer.model) == ("response", "completed", "tiny")
    assert answer.output_text == "Paris."
    (item,) = answer.output
    assert (item.type, item.role, item.status) == ("message", "assistant", "completed")


def test_settings_are_echoed() -> None:
    answer, _ = ask(
        ["Paris."], instructions="Be brief.", metadata={"a": "b"}, tools=[RESPONSES_TOOL]
    )
    assert (answer.instructions, answer.metadata) == ("Be brief.", {"a": "b"})
    assert answer.tools[0].name == "add"
    assert (answer.tool_choice, answer.parallel_tool_calls) == ("auto", True)


def test_words_and_calls_are_items_of_their_own() -> None:
    answer, _ = ask([AssistantMessage("I add.", (ADD,))], tools=[RESPONSES_TOOL])
    message, call = answer.output
    assert message.content[0].text == "I add."
    assert (call.type, call.call_id, call.name) == ("function_call", "call_1", "add")
    assert json.loads(call.arguments) == {"a": 1, "b": 2}


def test_a_call_alone_has_no_message_beside_it() -> None:
    answer, _ = ask([ADD], tools=[RESPONSES_TOOL])
    assert [item.type for item in answer.output] == ["function_call"]


def test_thoughts_are_items_with_what_was_asked_for() -> None:
    message = AssistantMessage("Paris.", reasoning=(Reasoning("It is in France."),))
    answer, _ = ask([message], include=["reasoning.encrypted_content"])
    thought, _ = answer.output
    assert thought.type == "reasoning"
    assert thought.summary[0].text == "It is in France."
    assert thought.encrypted_content
    plain, _ = ask([message])
    assert plain.output[0].encrypted_content is None
    assert plain.usage.output_tokens_details.reasoning_tokens > 0


def test_a_thoughts_own_item_is_given_as_it_is() -> None:
    data = json.dumps({"id": "rs_7", "type": "reasoning", "summary": [], "encrypted_content": "x"})
    message = AssistantMessage("Paris.", reasoning=(Reasoning("", data, "openai.responses"),))
    thought = ask([message])[0].output[0]
    assert (thought.id, thought.encrypted_content) == ("rs_7", "x")


def test_a_refusal_is_a_part_of_its_own() -> None:
    refusal = ModelResponse(AssistantMessage("I cannot."), finish_reason="refusal")
    answer, _ = ask([refusal])
    assert answer.output[0].content[0].refusal == "I cannot."
    events = stream([refusal])
    deltas = [event.delta for event in events if event.type == "response.refusal.delta"]
    assert "".join(deltas) == "I cannot."
    assert events[-1].response.output[0].content[0].refusal == "I cannot."


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_is_incomplete(finish: Any, reason: str) -> None:
    response = ModelResponse(AssistantMessage("Par"), finish_reason=finish)
    answer, _ = ask([response])
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", reason)
    last = stream([response])[-1]
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")


def test_an_answer_longer_than_asked_for_is_cut() -> None:
    answer, _ = ask(["one " * 40], max_output_tokens=16)
    assert answer.status == "incomplete"
    assert answer.usage.output_tokens == 16


def test_usage_can_be_given() -> None:
    given = Usage(1, 7, 5, cached_input_tokens=4, reasoning_tokens=2)
    usage = ask([ModelResponse(AssistantMessage("Paris."), given)])[0].usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (7, 5, 12)
    assert usage.input_tokens_details.cached_tokens == 4
    assert usage.output_tokens_details.reasoning_tokens == 2


def test_logprobs_come_where_they_are_asked_for() -> None:
    wanted: Any = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    answer, _ = ask(["Yes, of course"], **wanted)
    shown = answer.output[0].content[0].logprobs
    assert "".join(item.token for item in shown) == "Yes, of course"
    assert all(len(item.top_logprobs) == 2 for item in shown)
    deltas = [event for event in stream(["Yes"], **wanted) if event.type.endswith("text.delta")]
    assert deltas[0].logprobs[0].token == "Yes"
    assert ask(["Yes"])[0].output[0].content[0].logprobs == []


def test_a_stream_has_the_whole_sequence_of_events() -> None:
    message = AssistantMessage("Paris is.", (ADD,), (Reasoning("Hm."),))
    events = stream([message])
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].response.status == "in_progress"
    assert events[0].response.output == []
    assert events[-1].response.output_text == "Paris is."
    assert [item.type for item in events[-1].response.output] == [
        "reasoning",
        "message",
        "function_call",
    ]


def test_every_event_is_one_that_the_official_types_know() -> None:
    message = AssistantMessage("Paris is.", (ADD,), (Reasoning("Hm."),))
    known: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    events = stream([message])
    for event in events:
        known.validate_python(event.to_dict(), strict=False)
    assert len(events) > 15


def test_the_sdks_helper_puts_the_stream_together() -> None:
    async def act(client: AsyncOpenAI) -> tuple[str, list[Any]]:
        async with client.responses.stream(
            model="tiny", input="Hi", tools=[RESPONSES_TOOL]
        ) as events:
            async for _ in events:
                pass
            last = await events.get_final_response()
        return last.output_text, [item.type for item in last.output]

    answer = with_server([AssistantMessage("I add.", (ADD,))], act)[0]
    assert answer == ("I add.", ["message", "function_call"])


def test_a_request_is_kept_in_cores_types() -> None:
    given = [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            ],
        },
        THOUGHT,
        {"role": "assistant", "content": [{"type": "output_text", "text": "I add."}]},
        CALL,
        RESULT,
    ]
    _, server = ask(["Three."], given, instructions="Be brief.", tools=[RESPONSES_TOOL])
    (request,) = server.requests
    assert request.protocol == "responses"
    system, user, assistant, result = request.messages
    assert system == SystemMessage("Be brief.")
    assert user == UserMessage("Look.", (Image("data:image/png;base64,AA==", "low"),))
    assert isinstance(assistant, AssistantMessage)
    assert assistant.text == "I add."
    assert assistant.tool_calls == (ToolCall("call_1", "add", "{}"),)
    assert json.loads(assistant.reasoning[0].data) == THOUGHT
    assert result == ToolMessage("call_1", "add", "3")


def test_turns_of_the_model_in_a_row_stay_apart() -> None:
    said: Any = [
        USER,
        {"role": "assistant", "content": "One."},
        {"role": "assistant", "content": "Two."},
        CALL,
        {**RESULT, "output": [{"type": "input_text", "text": "3"}]},
        THOUGHT,
        {"role": "assistant", "content": "Three."},
        USER,
    ]
    _, server = ask(["Four."], said)
    texts = [getattr(message, "text", "3") for message in server.requests[0].messages]
    assert texts == ["Hi", "One.", "Two.", "3", "Three.", "Hi"]


def test_a_conversation_can_be_continued_by_its_last_response() -> None:
    async def act(client: AsyncOpenAI) -> None:
        first = await client.responses.create(model="tiny", input="Add.", tools=[RESPONSES_TOOL])
        result: Any = [RESULT]
        await client.responses.create(model="tiny", previous_response_id=first.id, input=result)

    _, server = with_server([ADD, "Three."], act)
    assert server.requests[1].messages == (
        UserMessage("Add."),
        AssistantMessage("", (ADD,)),
        ToolMessage("call_1", "add", "3"),
    )


def test_a_response_that_was_not_stored_cannot_be_continued() -> None:
    async def act(client: AsyncOpenAI) -> openai.APIStatusError:
        first = await client.responses.create(model="tiny", input="Hi", store=False)
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="tiny", input="And?", previous_response_id=first.id)
        return caught.value

    assert with_server(["Hello.", "unused"], act)[0].code == "previous_response_not_found"


@pytest.mark.parametrize(
    ("given", "fields", "words", "param"),
    [
        (
            [USER, RESULT],
            {},
            "No tool call found for function call output with call_id call_1",
            "input",
        ),
        ([USER, CALL], {}, "No tool output found for function call call_1", "input"),
        ([USER, THOUGHT], {}, "'rs_1' of type 'reasoning' was provided without its", "input"),
        ([{"role": "robot", "content": "x"}], {}, "Invalid value: 'robot'", "input[0].role"),
        ([{"type": "song"}], {}, "Invalid value: 'song'", "input[0].type"),
        (3, {}, "expected one of a string or array of input items", "input"),
        ("Hi", {"model": ""}, "Missing required parameter: 'model'", "model"),
        ([{"role": "user", "content": 3}], {}, "but got an integer", "input[0].content"),
        ([USER, CALL, {**RESULT, "output": 3}], {}, "but got an integer", "input[2].output"),
        ([USER, THOUGHT, USER], {}, "was provided without its required following", "input"),
        (
            "Hi",
            {"tools": [RESPONSES_TOOL], "tool_choice": {"type": "function", "name": "sub"}},
            "Tool choice 'sub' not found",
            "tool_choice",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
            {},
            "Invalid value: 'text'. Supported values are: 'input_text', and 'input_image'",
            "input[0].content[0].type",
        ),
        ("Hi", {"max_output_tokens": 3}, "Expected a value >= 16, but got 3", "max_output_tokens"),
        (
            "Hi",
            {"text": {"format": {"type": "json_object"}}},
            "must contain the word 'json'",
            "input",
        ),
        (
            "Hi",
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "array"}}}},
            "Invalid schema for response_format 'x'",
            "text.format.schema",
        ),
        ("Hi", {"tools": [{"type": "function"}]}, "'tools[0].name'", "tools[0].name"),
    ],
)
def test_what_breaks_the_rules_is_refused(given: Any, fields: Any, words: str, param: str) -> None:
    error = refused(given, **fields)
    assert isinstance(error, openai.BadRequestError)
    assert words in error.message
    assert error.param == param


def test_an_input_longer_than_the_model_reads_is_refused() -> None:
    async def act(client: AsyncOpenAI) -> openai.APIStatusError:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="tiny", input="word " * 100)
        return caught.value

    error, _ = with_server([], act, context_tokens=50)
    assert (error.code, error.param) == ("context_length_exceeded", "input")
