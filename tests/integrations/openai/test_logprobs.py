"""How likely the tokens of an answer were, where the server was asked for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import ModelRequest, ModelResponseError, TokenLogprob, UserMessage
from agent_factory.integrations.openai import RetryPolicy
from tests.integrations.openai.clients import CHAT_KINDS, Kind, get_response, get_stream
from tests.integrations.openai.server import (
    chunk,
    completion,
    delta,
    events,
    message,
    reply,
    response,
    terminal,
)

ASK = ModelRequest((UserMessage("Hi"),))
FIRST = {"token": "Pa", "logprob": -0.5, "bytes": [80], "top_logprobs": []}
LAST = {
    "token": "ris",
    "logprob": -0.25,
    "top_logprobs": [{"token": "ris", "logprob": -0.25}, {"token": "x", "logprob": None}],
}
EXPECTED = (
    TokenLogprob("Pa", -0.5),
    TokenLogprob("ris", -0.25, (("ris", -0.25), ("x", -9999.0))),
)


def with_logprobs(body: dict[str, Any], *tokens: object) -> dict[str, Any]:
    """Add how likely tokens were to the first choice of an answer."""
    body["choices"][0]["logprobs"] = {"content": list(tokens), "refusal": None}
    return body


def spoken(*tokens: object) -> dict[str, Any]:
    """Return a message in the output of a response, with how likely its tokens were."""
    said = message("Paris")
    said["content"][0]["logprobs"] = list(tokens)
    return said


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_they_are_passed_through_and_their_fields_sent_along(kind: Kind) -> None:
    extra = {"logprobs": True, "top_logprobs": 2}
    answer = reply(with_logprobs(completion("Paris"), FIRST, LAST))
    whole, server = asyncio.run(get_response(kind, ASK, answer, extra_body=extra))
    assert whole.logprobs == EXPECTED
    assert (server.bodies[0]["logprobs"], server.bodies[0]["top_logprobs"]) == (True, 2)


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_those_of_a_stream_come_with_the_whole_response(kind: Kind) -> None:
    answer = events(
        with_logprobs(chunk("Pa"), FIRST),
        with_logprobs(chunk("ris"), LAST),
        chunk(finish_reason="stop"),
    )
    _, whole, _ = asyncio.run(get_stream(kind, ASK, answer))
    assert whole.logprobs == EXPECTED
    assert whole.message.text == "Paris"


def test_responses_asks_for_them_besides_the_reasoning() -> None:
    extra = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    answer = reply(response(spoken(FIRST, LAST)))
    whole, server = asyncio.run(get_response("responses", ASK, answer, extra_body=extra))
    assert whole.logprobs == EXPECTED
    assert server.bodies[0]["include"] == [
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
    ]


@pytest.mark.parametrize("end", [response(spoken(FIRST, LAST)), response()], ids=["item", "pieces"])
def test_responses_takes_those_of_a_stream_once(end: dict[str, Any]) -> None:
    pieces = {**delta("Pa"), "logprobs": [FIRST]}, {**delta("ris"), "logprobs": [LAST]}
    _, whole, _ = asyncio.run(get_stream("responses", ASK, events(*pieces, terminal(end))))
    assert whole.logprobs == EXPECTED


def test_a_server_that_rounds_up_makes_no_token_likelier_than_certain() -> None:
    answer = reply(with_logprobs(completion("Pa"), {"token": "Pa", "logprob": 1e-7}))
    whole, _ = asyncio.run(get_response("chat", ASK, answer))
    assert whole.logprobs == (TokenLogprob("Pa", 0.0),)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ([3], "content[0]' is a number instead of an object"),
        ([{"token": "Pa", "logprob": "low"}], "content[0].logprob' is 'low' instead of a number"),
        ([{"token": "Pa", "logprob": True}], "content[0].logprob' is True instead of a number"),
        ([{"token": 3, "logprob": -1}], "content[0].token' is a number instead of a string"),
        ([{**FIRST, "top_logprobs": 3}], "top_logprobs' is a number instead of a list"),
    ],
)
def test_what_breaks_the_protocol_is_named(broken: list[object], words: str) -> None:
    answer = reply(with_logprobs(completion("Pa"), *broken))
    with pytest.raises(ModelResponseError) as caught:
        asyncio.run(get_response("chat", ASK, answer, retry=RetryPolicy(max_retries=0)))
    assert words in caught.value.message
