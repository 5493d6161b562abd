from __future__ import annotations

import json

import pytest

from agent_factory.core import (
    AssistantMessage,
    HistoryError,
    Image,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.messages import Message
from agent_factory.core.serialization import message_from_dict, message_to_dict

MESSAGES: tuple[Message, ...] = (
    SystemMessage("Be brief."),
    UserMessage("What is this?", (Image("https://example.org/a.png", "low"),)),
    AssistantMessage(
        "Let me look.",
        (ToolCall("1", "look", '{"x": 1}'),),
        (Reasoning("a picture", '{"id": "rs_1"}', "openai.responses"),),
    ),
    ToolMessage("1", "look", "nobody knows", "unknown"),
    AssistantMessage(""),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.role)
def test_message_survives_json(message: Message) -> None:
    text = json.dumps(message_to_dict(message))

    assert message_from_dict(json.loads(text)) == message


def test_fields_at_their_default_are_not_written() -> None:
    assert message_to_dict(UserMessage("Hi.")) == {"role": "user", "text": "Hi."}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "role"),
        ({"role": "person", "text": ""}, "person"),
        ({"role": "user"}, "user.text: Field required"),
        ({"role": "user", "text": 1}, "user.text: Input should be a valid string"),
        ({"role": "user", "text": "", "texts": 1}, "user.texts: Unexpected keyword argument"),
        ({"role": "tool", "call_id": "", "name": "", "content": "", "outcome": "fine"}, "outcome"),
    ],
)
def test_what_is_no_message_is_refused_with_the_field_that_is_wrong(
    data: dict[str, object], told: str
) -> None:
    with pytest.raises(HistoryError) as raised:
        message_from_dict(data)

    assert told in raised.value.message
