"""Counts tokens, about as OpenAI's models do: what matters is that more text is more tokens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from agent_factory.core.messages import AssistantMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.messages import Message
    from agent_factory.core.models import ToolSpec

__all__ = ["count_input", "count_tokens", "split_tokens"]

_TOKEN: Final = re.compile(r" ?\w{1,6}| ?[^\w\s]|\s", re.S)
_A_MESSAGE: Final = 4
_AN_IMAGE: Final = 85
_THE_ANSWER: Final = 3


def split_tokens(text: str) -> list[str]:
    """Return the tokens of a text; put together they are the text.

    Args:
        text: Any text.
    """
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Return how many tokens a text has.

    Args:
        text: Any text.
    """
    return len(split_tokens(text))


def count_input(messages: Iterable[Message], tools: Iterable[ToolSpec]) -> int:
    """Return how many tokens a model reads for a request.

    Args:
        messages: The conversation.
        tools: The tools offered.
    """
    total = _THE_ANSWER
    for message in messages:
        total += _A_MESSAGE
        total += count_tokens(message.content if isinstance(message, ToolMessage) else message.text)
        if isinstance(message, UserMessage):
            total += _AN_IMAGE * len(message.images)
        elif isinstance(message, AssistantMessage):
            for call in message.tool_calls:
                total += count_tokens(call.name) + count_tokens(call.arguments)
    for spec in tools:
        total += count_tokens(f"{spec.name} {spec.description} {json.dumps(spec.parameters)}")
    return total
