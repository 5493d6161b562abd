from __future__ import annotations

import pytest

from agent_factory.core.memory import estimate_tokens
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

PICTURE = "https://example.org/a.png"


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        (SystemMessage(""), 4),
        (SystemMessage("abc"), 5),
        (UserMessage("abcd"), 6),
        (UserMessage("\u4f60\u597d"), 6),
        (UserMessage("\U0001f600"), 6),
        (UserMessage("", (Image(PICTURE, "low"),)), 104),
        (UserMessage("", (Image(PICTURE), Image(PICTURE, "high"))), 3204),
        (AssistantMessage("abc", (ToolCall("id", "f", "{}"),)), 15),
        (AssistantMessage("", (), (Reasoning("abc", "abc"),)), 6),
        (ToolMessage("id", "f", "abc"), 6),
    ],
)
def test_estimate_is_a_third_of_the_bytes_and_something_for_the_rest(
    message: Message, tokens: int
) -> None:
    assert estimate_tokens(message) == tokens


def test_half_of_a_surrogate_pair_can_be_counted() -> None:
    assert estimate_tokens(UserMessage("\ud800")) == 5


def test_english_prose_is_estimated_rather_too_high() -> None:
    # 9 words and a full stop are 10 tokens for every tokeniser in use.
    prose = "The quick brown fox jumps over the lazy dog."

    assert 10 <= estimate_tokens(UserMessage(prose)) <= 20
