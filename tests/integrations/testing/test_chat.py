"""Chat Completions, as the official client sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from openai import AsyncOpenAI

from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.models import ModelResponse, TokenLogprob
from agent_factory.core.usage import Usage
from agent_factory.integrations.testing import OpenAIServer, ReceivedRequest
from tests.integrations.testing.clients import TOOL, USER, sdk

T = TypeVar("T")
ADD = ToolCall("call_1", "add", '{"a": 1, "b": 2}')


def with_server(
    answers: Any, act: Callable[[AsyncOpenAI], Awaitable[T]], **options: Any
) -> tuple[T, OpenAIServer]:
    """Return what an act of the client ends with, and the server."""

    async def run() -> tuple[T, OpenAIServer]:
        server = OpenAIServer(answers, unix=True, **options)
        async with server, sdk(server) as client:
            return await act(client), server

    return asyncio.run(run())


def ask(answers: Any, messages: Any = (USER,), **fields: Any) -> tuple[Any, OpenAIServer]:
    """Return the whole answer to a request, and the server."""

    async def act(client: AsyncOpenAI) -> Any:
        return await client.chat.completions.create(model="tiny", messages=list(messages), **fields)

    return with_server(answers, act)


def stream(answers: Any, chunk_tokens: int = 1, **fields: Any) -> list[Any]:
    """Return the chunks of a streamed answer."""

    async def act(client: AsyncOpenAI) -> list[Any]:
        chunks = await client.chat.completions.create(
            model="tiny", messages=[USER], stream=True, **fields
        )
        return [chunk async for chunk in chunks]

    return with_server(answers, act, chunk_tokens=chunk_tokens)[0]


def test_a_text_is_an_answer_that_stops() -> None:
    answer, _ = ask(["Paris."])
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == "Paris."
    assert answer.choices[0].message.tool_calls is None
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", "tiny")


def test_answers_come_in_their_order() -> None:
    async def act(client: AsyncOpenAI) -> list[str | None]:
        return [
            (await client.chat.completions.create(model="tiny", messages=[USER]))
            .choices[0]
            .message.content
            for _ in range(2)
        ]

    assert with_server(["one", "two"], act)[0] == ["one", "two"]


def test_a_tool_call_has_no_content_and_the_reason_tool_calls() -> None:
    answer, _ = ask([ADD], tools=[TOOL])
    (call,) = answer.choices[0].message.tool_calls
    assert (call.id, call.function.name) == ("call_1", "add")
    assert json.loads(call.function.arguments) == {"a": 1, "b": 2}
    assert answer.choices[0].message.content is None
    assert answer.choices[0].finish_reason == "tool_calls"


def test_a_function_answers_from_the_decoded_request() -> None:
    async def answer(request: ReceivedRequest) -> str:
        await asyncio.sleep(0)
        return f"{request.model} {request.messages[-1]}"

    answered, server = ask(answer)
    assert answered.choices[0].message.content == f"tiny {server.requests[0].messages[-1]}"


def test_a_request_is_kept_in_cores_types_and_as_it_came() -> None:
    messages: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look: "},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://a.test/b.png", "detail": "low"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "add", "arguments": ADD.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ]
    _, server = ask(["Three."], messages, tools=[TOOL], max_completion_tokens=50)
    (request,) = server.requests
    assert request.messages == (
        SystemMessage("Be brief."),
        UserMessage("Look: ", (Image("https://a.test/b.png", "low"),)),
        AssistantMessage("", (ADD,)),
        ToolMessage("call_1", "add", "3"),
    )
    assert [spec.name for spec in request.tools] == ["add"]
    assert (request.protocol, request.max_output_tokens) == ("chat.completions", 50)
    assert request.body["messages"] == messages
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.connection == 1


def test_texts_in_parts_are_put_together() -> None:
    parts = [{"type": "text", "text": "3"}, {"type": "text", "text": "!"}]
    function = {"name": "add", "arguments": "{}"}
    messages: list[Any] = [
        {"role": "system", "content": parts},
        USER,
        {"role": "assistant", "refusal": "I cannot."},
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "c", "content": parts},
    ]
    _, server = ask(["Three."], messages)
    system, _, refused, _, result = server.requests[0].messages
    assert system == SystemMessage("3!")
    assert refused == AssistantMessage("I cannot.")
    assert result == ToolMessage("c", "add", "3!")


@pytest.mark.parametrize(
    "choice", ["auto", "required", {"type": "function", "function": {"name": "add"}}]
)
def test_a_tool_that_was_offered_may_be_chosen(choice: Any) -> None:
    _, server = ask([ADD], tools=[TOOL], tool_choice=choice)
    assert server.refusals == []


def test_a_refusal_stands_in_its_own_field() -> None:
    refusal = ModelResponse(AssistantMessage("I cannot."), finish_reason="refusal")
    answer, _ = ask([refusal])
    message = answer.choices[0].message
    assert (message.content, message.refusal) == (None, "I cannot.")
    assert answer.choices[0].finish_reason == "stop"
    deltas = [chunk.choices[0].delta for chunk in stream([refusal])]
    assert "".join(delta.refusal or "" for delta in deltas) == "I cannot."
    assert not any(delta.content for delta in deltas)


def test_usage_grows_with_the_text_and_can_be_given() -> None:
    short, _ = ask(["Paris."])
    long, _ = ask(["Paris. " * 50])
    assert short.usage.prompt_tokens == long.usage.prompt_tokens > 0
    assert long.usage.completion_tokens > 20 * short.usage.completion_tokens > 0
    given = Usage(1, 7, 5, cached_input_tokens=4, reasoning_tokens=2)
    answer, _ = ask([ModelResponse(AssistantMessage("Paris."), given)])
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 5)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    assert answer.usage.completion_tokens_details.reasoning_tokens == 2


def test_an_answer_longer_than_asked_for_is_cut() -> None:
    answer, _ = ask(["one two three four"], max_completion_tokens=2)
    assert answer.choices[0].message.content == "one two"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_logprobs_come_where_they_are_asked_for() -> None:
    answer, _ = ask(["Yes, of course"], logprobs=True, top_logprobs=2)
    content = answer.choices[0].logprobs.content
    assert "".join(item.token for item in content) == "Yes, of course"
    assert all(item.logprob <= 0 and len(item.top_logprobs) == 2 for item in content)
    assert bytes(content[0].bytes).decode() == content[0].token
    assert ask(["Yes"])[0].choices[0].logprobs is None


def test_given_logprobs_are_passed_on_whole_and_in_a_stream() -> None:
    tokens = (TokenLogprob("Pa", -0.5, (("Lo", -1.5),)), TokenLogprob("ris", -0.1))
    response = ModelResponse(AssistantMessage("Paris"), logprobs=tokens)
    answer, _ = ask([response], logprobs=True, top_logprobs=1)
    content = answer.choices[0].logprobs.content
    assert [(item.token, item.logprob) for item in content] == [("Pa", -0.5), ("ris", -0.1)]
    assert content[0].top_logprobs[0].token == "Lo"
    pieces = [
        (chunk.choices[0].delta.content, chunk.choices[0].logprobs.content[0].logprob)
        for chunk in stream([response], logprobs=True)
        if chunk.choices[0].delta.content
    ]
    assert pieces == [("Pa", -0.5), ("ris", -0.1)]


def test_several_choices_are_given_where_they_are_asked_for() -> None:
    answer, _ = ask(["Paris."], n=2)
    assert [choice.message.content for choice in answer.choices] == ["Paris.", "Paris."]
    assert [choice.index for choice in answer.choices] == [0, 1]


def test_a_stream_begins_with_the_role_and_ends_with_the_reason() -> None:
    chunks = stream(["Paris is it."])
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Paris is it."
    assert len(chunks) > 4
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_usage_of_a_stream_comes_last_and_only_when_asked_for() -> None:
    chunks = stream(["Paris."], stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert all(chunk.usage is None for chunk in stream(["Paris."]))


def test_tool_calls_are_streamed_argument_by_argument() -> None:
    second = ToolCall("call_2", "add", '{"a": 3, "b": 4}')
    chunks = stream([AssistantMessage("I add.", (ADD, second))])
    calls: dict[int, dict[str, str]] = {}
    for chunk in chunks:
        for delta in chunk.choices[0].delta.tool_calls or ():
            call = calls.setdefault(delta.index, {"arguments": ""})
            if delta.id:
                call["id"], call["name"] = delta.id, delta.function.name
            call["arguments"] += delta.function.arguments
    assert calls == {
        0: {"id": "call_1", "name": "add", "arguments": ADD.arguments},
        1: {"id": "call_2", "name": "add", "arguments": second.arguments},
    }
    assert sum(bool(chunk.choices[0].delta.tool_calls) for chunk in chunks) > 4
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_size_of_the_pieces_changes_only_their_number(size: int) -> None:
    text = "one two three, four: ünïcode 日本 and\nlines"
    pieces = [
        chunk.choices[0].delta.content
        for chunk in stream([text], chunk_tokens=size)
        if chunk.choices[0].delta.content
    ]
    assert "".join(pieces) == text
    assert (len(pieces) == 1) == (size == 1000)


def test_an_answer_may_be_empty() -> None:
    assert ask([""])[0].choices[0].message.content == ""
    assert [chunk.choices[0].finish_reason for chunk in stream([""])] == [None, "stop"]


def test_thoughts_come_before_the_words() -> None:
    message = AssistantMessage("Paris.", reasoning=(Reasoning("It is in France."),))
    answer, _ = ask([message])
    assert answer.choices[0].message.reasoning_content == "It is in France."
    kinds = [
        "thought" if hasattr(chunk.choices[0].delta, "reasoning_content") else "word"
        for chunk in stream([message])[1:-1]
    ]
    assert kinds == sorted(kinds)
    assert len(set(kinds)) == 2


def test_the_sdks_helper_parses_a_structured_answer() -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    async def act(client: AsyncOpenAI) -> Any:
        return await client.chat.completions.parse(
            model="tiny", messages=[USER], response_format=City
        )

    answer, server = with_server(['{"name": "Paris"}'], act)
    assert answer.choices[0].message.parsed == City(name="Paris")
    output = server.requests[0].output
    assert output is not None
    assert output.name == "City"


def test_the_models_are_listed() -> None:
    async def act(client: AsyncOpenAI) -> tuple[list[str], str]:
        names = [model.id async for model in await client.models.list()]
        return names, (await client.models.retrieve("small")).id

    assert with_server([], act, models=["tiny", "small"])[0] == (["tiny", "small"], "small")


def test_connections_are_kept_and_counted() -> None:
    async def act(client: AsyncOpenAI) -> None:
        for _ in range(3):
            await client.chat.completions.create(model="tiny", messages=[USER])

    _, server = with_server(["a", "b", "c"], act)
    assert server.connections == 1
    assert [request.connection for request in server.requests] == [1, 1, 1]
