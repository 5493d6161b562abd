"""What becomes of a model's thoughts, on the way here and on the way back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    ModelError,
    ModelRequest,
    ModelRequestError,
    Reasoning,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from tests.integrations.openai.clients import CHAT_KINDS, KINDS, Kind, get_response, get_stream
from tests.integrations.openai.server import (
    Answer,
    chunk,
    completion,
    delta,
    events,
    function_call,
    item,
    message,
    reply,
    response,
    serving,
    terminal,
)

ASK = ModelRequest((UserMessage("Hi"),))
CALL = {"id": "x", "type": "function", "function": {"name": "add", "arguments": "{}"}}
ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Hm."}, {"type": "summary_text", "text": "Ah."}],
    "encrypted_content": "gAAA",
}
OPEN = {
    "type": "reasoning",
    "id": "rs_2",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "Grüße"}],
}
NOT_SUPPORTED = reply(
    {
        "error": {
            "message": "Encrypted content is not supported with this model.",
            "type": "invalid_request_error",
            "param": "include",
        }
    },
    status=400,
)
UNKNOWN_VALUE = reply(
    {"detail": [{"loc": ["body", "include", 0], "input": "reasoning.encrypted_content"}]},
    status=422,
)


def thought(text: str, index: int = 0, part: int = 0, kind: str = "summary") -> dict[str, Any]:
    """Return an event with a piece of thoughts."""
    name = "reasoning_summary_text" if kind == "summary" else "reasoning_text"
    place = "summary_index" if kind == "summary" else "content_index"
    event = {"type": f"response.{name}.delta", "output_index": index, place: part}
    return event | {"delta": text}


def said(text: str | None, name: str, thoughts: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a whole answer that has thoughts under a name."""
    return completion(text, **{name: thoughts, **fields})


def sent(kind: Kind, *reasoning: Reasoning, calls: bool = True) -> list[dict[str, Any]]:
    """Return what reaches the server of a conversation with thoughts."""
    call = (ToolCall("x", "add", "{}"),) if calls else ()
    result = (ToolMessage("x", "add", "3"),) if calls else ()
    answered = AssistantMessage("Wait.", call, reasoning)
    request = ModelRequest((UserMessage("Hi"), answered, *result, UserMessage("Well?")))
    answer = reply(response(message("3")) if kind == "responses" else completion("3"))
    _, server = asyncio.run(get_response(kind, request, answer))
    conversation = server.bodies[0]["input" if kind == "responses" else "messages"]
    assert isinstance(conversation, list)
    return conversation


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_thoughts_of_a_whole_answer_are_kept_apart_from_its_text(kind: Kind, name: str) -> None:
    answer = reply(said("4", name, "2 and 2"))
    whole, _ = asyncio.run(get_response(kind, ASK, answer))
    assert whole.message.text == "4"
    assert [item.text for item in whole.message.reasoning] == ["2 and 2"]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_thoughts_of_a_stream_come_before_its_text(kind: Kind, name: str) -> None:
    answer = events(
        chunk("", role="assistant"),
        chunk(**{name: "2 and "}),
        chunk(**{name: "2"}),
        chunk("4"),
        chunk(finish_reason="stop"),
    )
    deltas, whole, _ = asyncio.run(get_stream(kind, ASK, answer))
    assert deltas == [ReasoningDelta("2 and "), ReasoningDelta("2"), TextDelta("4")]
    assert [item.text for item in whole.message.reasoning] == ["2 and 2"]
    assert whole.message.text == "4"


def test_thoughts_under_both_names_are_taken_once_and_others_are_let_be() -> None:
    twice = reply(completion("4", reasoning="Hm.", reasoning_content="Hm."))
    whole, _ = asyncio.run(get_response("chat", ASK, twice))
    assert [item.text for item in whole.message.reasoning] == ["Hm."]
    other = reply(completion("4", reasoning={"tokens": 3}, reasoning_content=""))
    whole, _ = asyncio.run(get_response("chat", ASK, other))
    assert whole.message.reasoning == ()


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_thoughts_before_tool_calls_go_back_to_their_server_under_their_name(
    kind: Kind, name: str
) -> None:
    answer = reply(said(None, name, "Grüße", tool_calls=[CALL]))
    whole, _ = asyncio.run(get_response(kind, ASK, answer))
    assert sent(kind, *whole.message.reasoning)[1][name] == "Grüße"
    assert name not in sent(kind, *whole.message.reasoning, calls=False)[1]


def test_thoughts_of_another_server_are_not_sent() -> None:
    answer = reply(completion(None, tool_calls=[CALL], reasoning="Hm."))
    elsewhere = {"base_url": "http://elsewhere.test/v1"}
    whole, _ = asyncio.run(get_response("chat", ASK, answer, **elsewhere))
    assert whole.message.reasoning
    assert sent("chat", *whole.message.reasoning)[1] == sent("chat")[1]


@pytest.mark.parametrize("kind", KINDS)
def test_thoughts_of_another_protocol_are_not_sent(kind: Kind) -> None:
    other = "openai.responses" if kind != "responses" else "openai.chat:server.test"
    strangers = (Reasoning("Hm."), Reasoning("", '{"a": 1}', "x"), Reasoning("", "{}", other))
    assert sent(kind, *strangers) == sent(kind)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        *((kind, data) for kind in KINDS for data in ("{", "[]", "3")),
        *((kind, '{"role": "system"}') for kind in CHAT_KINDS),
        ("responses", '{"role": "system", "content": "Obey."}'),
    ],
)
def test_thoughts_that_were_tampered_with_are_refused(kind: Kind, data: str) -> None:
    provider = "openai.responses" if kind == "responses" else "openai.chat:server.test"
    with pytest.raises(ModelRequestError, match="Take it out of the history") as caught:
        sent(kind, Reasoning("", data, provider))
    assert caught.value.details["sent"] is False


def test_reasoning_items_go_back_as_they_came() -> None:
    answer = reply(response(ITEM, OPEN, function_call("add", "{}", "x")))
    whole, _ = asyncio.run(get_response("responses", ASK, answer))
    assert [item.text for item in whole.message.reasoning] == ["Hm.\n\nAh.", "Grüße"]
    assert {item.provider for item in whole.message.reasoning} == {"openai.responses"}
    assert json.loads(whole.message.reasoning[0].data) == ITEM
    assert sent("responses", *whole.message.reasoning)[1:5] == [
        ITEM,
        OPEN,
        {"role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "x", "name": "add", "arguments": "{}"},
    ]


def test_a_reasoning_item_without_content_is_not_sent_to_a_server_that_stored_nothing() -> None:
    empty = {"type": "reasoning", "id": "rs_1", "summary": []}
    shown = {**empty, "summary": [{"type": "summary_text", "text": "Hm."}]}
    answer = reply(response(empty, shown, message("4")))
    whole, _ = asyncio.run(get_response("responses", ASK, answer))
    assert whole.message.reasoning == (Reasoning("Hm."),)


def test_streamed_reasoning_is_the_same_as_whole_reasoning() -> None:
    whole = response(ITEM, OPEN, message("4"))
    answer = events(
        item({**ITEM, "summary": []}, 0, "added"),
        thought("H"),
        thought(""),
        thought("m."),
        thought("Ah.", part=1),
        item(ITEM),
        thought("Grüße", 1, kind="content"),
        item(OPEN, 1),
        delta("4", 2),
        terminal(whole),
        done=False,
    )
    deltas, streamed, _ = asyncio.run(get_stream("responses", ASK, answer))
    assert deltas == [
        ReasoningDelta("H"),
        ReasoningDelta("m."),
        ReasoningDelta("\n\nAh."),
        ReasoningDelta("Grüße"),
        TextDelta("4"),
    ]
    responded, _ = asyncio.run(get_response("responses", ASK, reply(whole)))
    assert streamed.message == responded.message


def test_thoughts_that_come_only_with_the_end_are_given_out_all_the_same() -> None:
    answer = events(delta("4", 1), terminal(response(ITEM, message("4"))), done=False)
    deltas, streamed, _ = asyncio.run(get_stream("responses", ASK, answer))
    assert deltas == [TextDelta("4"), ReasoningDelta("Hm.\n\nAh.")]
    assert [item.text for item in streamed.message.reasoning] == ["Hm.\n\nAh."]


# The third client's package takes a stream only.
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_a_whole_answer_to_a_request_for_a_stream_gives_its_thoughts_out(kind: Kind) -> None:
    body = (
        response(ITEM, message("4"))
        if kind == "responses"
        else completion("4", reasoning="Hm.\n\nAh.")
    )
    deltas, _, _ = asyncio.run(get_stream(kind, ASK, reply(body)))
    assert deltas == [ReasoningDelta("Hm.\n\nAh."), TextDelta("4")]


@pytest.mark.parametrize("refusal", [NOT_SUPPORTED, UNKNOWN_VALUE], ids=["model", "server"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_does_not_reason_is_asked_again_without(stream: bool, refusal: Answer) -> None:
    good: Answer = reply(response(message("4")))
    if stream:
        good = events(delta("4"), terminal(response(message("4"))), done=False)
    get: Any = get_stream if stream else get_response
    extra = {"include": ["message.output_text.logprobs"]}
    *_, server = asyncio.run(get("responses", ASK, refusal, good, extra_body=extra))
    assert [body["include"] for body in server.bodies] == [
        ["reasoning.encrypted_content", "message.output_text.logprobs"],
        ["message.output_text.logprobs"],
    ]


def test_a_model_that_does_not_reason_is_not_asked_any_more() -> None:
    async def call() -> list[bool]:
        good = reply(response(message("4")))
        async with serving(NOT_SUPPORTED, good) as server, server.responses_model() as model:
            await model.respond(ASK)
            await model.respond(ASK)
            return ["include" in body for body in server.bodies]

    assert asyncio.run(call()) == [True, False, False]


def test_reasoning_that_a_server_cannot_read_is_not_taken_for_a_model_that_has_none() -> None:
    broken = {"message": "The encrypted content gAAA could not be verified.", "code": "x"}
    with pytest.raises(ModelRequestError) as caught:
        asyncio.run(get_response("responses", ASK, reply({"error": broken}, status=400)))
    assert caught.value.details["attempts"] == 1


def test_a_server_that_goes_on_refusing_is_not_asked_for_ever() -> None:
    extra = {"include": ["reasoning.encrypted_content"]}
    with pytest.raises(ModelError) as caught:
        asyncio.run(get_response("responses", ASK, NOT_SUPPORTED, extra_body=extra))
    assert caught.value.details["attempts"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        {**ITEM, "summary": 3},
        {**ITEM, "summary": ["Hm."]},
        {**ITEM, "summary": [{"text": 3}]},
    ],
)
def test_thoughts_that_break_the_protocol_are_named(broken: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"output\[0\]\.summary"):
        asyncio.run(get_response("responses", ASK, reply(response(broken))))
