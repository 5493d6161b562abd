"""What the client makes of answers that keep the protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import ModelRequest, ModelResponse, TextDelta, ToolCall, Usage, UserMessage
from tests.integrations.openai.server import Answer, chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))


def responded(answer: Answer) -> ModelResponse:
    """Return what the client makes of a whole answer."""

    async def call() -> ModelResponse:
        async with serving(answer) as server, server.model() as model:
            return await model.respond(ASK)

    return asyncio.run(call())


def streamed(answer: Answer) -> tuple[list[str], ModelResponse]:
    """Return the pieces and the response that the client makes of a streamed answer."""

    async def call() -> tuple[list[str], ModelResponse]:
        async with serving(answer) as server, server.model() as model:
            *pieces, last = [item async for item in model.stream(ASK)]
        assert isinstance(last, ModelResponse)
        return [piece.text for piece in pieces if isinstance(piece, TextDelta)], last

    return asyncio.run(call())


def call(name: str | None, arguments: object, **fields: Any) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"type": "function", "function": function, **fields}


def test_an_answer_carries_text_usage_reason_and_model() -> None:
    response = responded(reply(completion("Paris.")))
    assert response.message.text == "Paris."
    assert response.usage == Usage(1, 7, 3, cost=None)
    assert (response.finish_reason, response.model) == ("stop", "tiny-1")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos_token", "stop"),
        ("max_tokens", "length"),
        ("refusal", "refusal"),
    ],
)
def test_reasons_to_stop_are_brought_to_the_ports_own(reason: str, expected: str) -> None:
    assert responded(reply(completion(finish_reason=reason))).finish_reason == expected


def test_parallel_tool_calls_keep_their_order() -> None:
    calls = [call("add", '{"a":1}', id="x"), call("add", '{"a":2}', id="y")]
    response = responded(reply(completion(None, finish_reason="tool_calls", tool_calls=calls)))
    assert response.message.text == ""
    assert response.message.tool_calls == (
        ToolCall("x", "add", '{"a":1}'),
        ToolCall("y", "add", '{"a":2}'),
    )


def test_tool_calls_are_the_reason_to_stop_also_where_the_server_says_stop() -> None:
    response = responded(reply(completion(tool_calls=[call("add", "{}", id="x")])))
    assert response.finish_reason == "tool_calls"


def test_a_call_without_an_id_gets_one_and_object_arguments_become_text() -> None:
    calls = [call("add", {"a": 1}), call("add", {"b": "ü"}, id="")]
    response = responded(reply(completion(None, finish_reason="tool_calls", tool_calls=calls)))
    assert [item.id for item in response.message.tool_calls] == ["call-1", "call-2"]
    assert [item.arguments for item in response.message.tool_calls] == ['{"a": 1}', '{"b": "ü"}']


def test_a_refusal_is_told_apart_from_an_answer_and_has_the_models_words() -> None:
    response = responded(reply(completion(None, refusal="I cannot help with that.")))
    assert response.finish_reason == "refusal"
    assert response.message.text == "I cannot help with that."


def test_a_server_that_does_not_count_tokens_is_counted_as_one_request() -> None:
    body = completion()
    del body["usage"]
    assert responded(reply(body)).usage == Usage(1, cost=None)


def test_tokens_that_were_cached_and_tokens_that_were_thoughts_are_parts_of_the_usage() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    expected = Usage(1, 7, 5, 0, 4, 3, None)
    assert responded(reply(completion(usage=usage))).usage == expected
    last = {"choices": [], "usage": usage}
    assert streamed(events(chunk("Hi", finish_reason="stop"), last))[1].usage == expected


@pytest.mark.parametrize(
    "details", [None, {}, {"cached_tokens": None}], ids=["none", "empty", "unknown"]
)
def test_a_server_that_does_not_count_the_parts_has_none(details: object) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": details}
    assert responded(reply(completion(usage=usage))).usage == Usage(1, 7, 5, cost=None)


def test_a_part_is_never_more_than_the_whole() -> None:
    usage = {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 100}}
    assert responded(reply(completion(usage=usage))).usage.cached_input_tokens == 7


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert responded(reply(completion("a\ud83d b"))).message.text == "a� b"


def test_a_stream_gives_its_pieces_and_the_usage_of_its_last_chunk() -> None:
    pieces, response = streamed(
        events(
            chunk("", role="assistant"),
            chunk("Pa"),
            chunk("ris."),
            chunk(finish_reason="stop"),
            {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}},
        )
    )
    assert pieces == ["Pa", "ris."]
    assert response.message.text == "Paris."
    assert response.usage == Usage(1, 5, 2, cost=None)
    assert response.model == "tiny-1"


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_a_stream_may_be_cut_anywhere(cut: int) -> None:
    answer = events(
        b": a comment\n\n",
        chunk("Grüße "),
        b'event: message\r\ndata: {"choices":\r\ndata: [{"delta":{"content":"\xf0\x9f\x8e\x89"}}]}\r\n\r\n',
        chunk(finish_reason="stop"),
        cut=cut,
    )
    pieces, response = streamed(answer)
    assert pieces == ["Grüße ", "🎉"]
    assert response.message.text == "Grüße 🎉"


def test_a_stream_may_end_without_its_closing_words() -> None:
    last = b'data: {"choices":[{"delta":{"content":"."},"finish_reason":"stop"}]}'
    pieces, response = streamed(events(chunk("Paris"), last, done=False))
    assert pieces == ["Paris", "."]
    assert response.finish_reason == "stop"


def test_streamed_tool_calls_are_put_together_by_their_index() -> None:
    _, response = streamed(
        events(
            chunk(tool_calls=[call("add", "", index=0, id="x")]),
            chunk(tool_calls=[call("sub", '{"b"', index=1, id="y"), call(None, '{"a"', index=0)]),
            chunk(tool_calls=[call(None, ":1}", index=0), call(None, ":2}", index=1)]),
            chunk(finish_reason="tool_calls"),
        )
    )
    assert response.message.tool_calls == (
        ToolCall("x", "add", '{"a":1}'),
        ToolCall("y", "sub", '{"b":2}'),
    )


def test_streamed_tool_calls_without_an_index_begin_with_a_name() -> None:
    _, response = streamed(
        events(
            chunk(tool_calls=[call("add", '{"a"', id="x")]),
            chunk(tool_calls=[call(None, ":1}")]),
            chunk(tool_calls=[call("sub", "{}", id="y")]),
            chunk(finish_reason="tool_calls"),
        )
    )
    assert response.message.tool_calls == (
        ToolCall("x", "add", '{"a":1}'),
        ToolCall("y", "sub", "{}"),
    )


def test_a_streamed_refusal_is_told_apart_from_an_answer() -> None:
    pieces, response = streamed(
        events(chunk(refusal="I "), chunk(refusal="cannot."), chunk(finish_reason="stop"))
    )
    assert pieces == ["I ", "cannot."]
    assert (response.finish_reason, response.message.text) == ("refusal", "I cannot.")


def test_a_whole_answer_to_a_request_for_a_stream_is_taken() -> None:
    pieces, response = streamed(reply(completion("Paris.")))
    assert pieces == ["Paris."]
    assert response.message.text == "Paris."


def test_a_stream_in_answer_to_a_request_for_a_whole_is_taken() -> None:
    response = responded(events(chunk("Pa"), chunk("ris."), chunk(finish_reason="stop")))
    assert response.message.text == "Paris."


def test_a_stream_may_be_written_in_any_script() -> None:
    words = ["Grüße ", "世界 ", "🎉"]
    pieces, response = streamed(events(*map(chunk, words), chunk(finish_reason="stop")))
    assert pieces == words
    assert response.message.text == "".join(words)


def test_half_a_surrogate_pair_in_a_stream_becomes_a_replacement_character() -> None:
    broken = b'data: {"choices":[{"delta":{"content":"a\\ud83d b"}}]}\n\n'
    pieces, _ = streamed(events(chunk("Hm"), broken, chunk(finish_reason="stop")))
    assert pieces == ["Hm", "a\ufffd b"]


@pytest.mark.parametrize(
    "extra", [{"finish_reason": "stop"}, {"logprobs": {"content": None}}, {"index": 0}]
)
def test_a_chunk_with_text_and_something_else_loses_neither(extra: dict[str, Any]) -> None:
    plain = {"choices": [{"delta": {"role": "assistant", "content": "Pa"}}]}
    mixed = {"choices": [{"delta": {"content": "ris."}, **extra}]}
    pieces, response = streamed(
        events(chunk("", role="assistant"), plain, mixed, chunk(finish_reason="stop"))
    )
    assert pieces == ["Pa", "ris."]
    assert response.finish_reason == "stop"


def test_usage_may_come_with_text() -> None:
    counted = {**chunk("Paris."), "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    _, response = streamed(
        events(chunk("", role="assistant"), counted, chunk(finish_reason="stop"))
    )
    assert response.usage == Usage(1, 5, 2, cost=None)
    assert response.message.text == "Paris."
