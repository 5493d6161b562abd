"""How pictures reach the server."""

from __future__ import annotations

import asyncio

import pytest

from agent_factory.core import Image, ModelRequest, UserMessage
from tests.integrations.openai.clients import CHAT_KINDS, KINDS, Kind, get_response
from tests.integrations.openai.server import Answer, completion, message, reply, response

PIXEL = Image.from_bytes(b"\x89PNG", "image/png", detail="low")
REMOTE = Image("https://pictures.test/a.png")


def answer(kind: Kind) -> Answer:
    """Return an answer that ends the call."""
    return reply(response(message("A cat.")) if kind == "responses" else completion("A cat."))


def sent(kind: Kind, asked: UserMessage) -> object:
    """Return the message that reaches the server."""
    _, server = asyncio.run(get_response(kind, ModelRequest((asked,)), answer(kind)))
    return server.bodies[0]["input" if kind == "responses" else "messages"][0]


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_chat_completions_gets_pictures_as_parts_after_the_words(kind: Kind) -> None:
    assert sent(kind, UserMessage("What is it?", (PIXEL, REMOTE))) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is it?"},
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,iVBORw==", "detail": "low"},
            },
            {
                "type": "image_url",
                "image_url": {"url": "https://pictures.test/a.png", "detail": "auto"},
            },
        ],
    }


def test_responses_gets_pictures_as_parts_after_the_words() -> None:
    assert sent("responses", UserMessage("What is it?", (PIXEL, REMOTE))) == {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is it?"},
            {
                "type": "input_image",
                "image_url": "data:image/png;base64,iVBORw==",
                "detail": "low",
            },
            {
                "type": "input_image",
                "image_url": "https://pictures.test/a.png",
                "detail": "auto",
            },
        ],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_words_is_sent_alone(kind: Kind) -> None:
    asked = sent(kind, UserMessage("", (REMOTE,)))
    assert isinstance(asked, dict)
    assert [part["type"] for part in asked["content"]] in (["image_url"], ["input_image"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_megabytes_arrives_whole(kind: Kind) -> None:
    picture = Image.from_bytes(b"x" * 3_000_000, "image/jpeg")
    asked = sent(kind, UserMessage("What is it?", (picture,)))
    assert isinstance(asked, dict)
    shown = asked["content"][1]["image_url"]
    assert (shown if kind == "responses" else shown["url"]) == picture.url
