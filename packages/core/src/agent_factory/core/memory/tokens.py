"""How many tokens a message has, as nearly as can be said without the tokeniser of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from agent_factory.core.messages import AssistantMessage, Message, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.messages import ImageDetail

__all__ = ["TokenCounter", "estimate_tokens"]

TokenCounter: TypeAlias = Callable[[Message], int]
"""Says how many tokens a message has: 0 or more, and always the same for the same message."""

_BYTES_PER_TOKEN = 3
_MESSAGE_TOKENS = 4
_CALL_TOKENS = 8
_IMAGE_TOKENS: Mapping[ImageDetail, int] = {"low": 100, "auto": 1600, "high": 1600}


def estimate_tokens(message: Message) -> int:
    """Estimate how many tokens a message has, rather too many than too few.

    Three bytes of UTF-8 count as one token, every message as 4 more, every tool call as 8 more, and an image as 100
    where its detail is ``low``, else as 1,600, whatever its size. English prose has about four bytes to a token, so
    the estimate is a third too high there; long numbers, base64 and rare scripts may have fewer than three. Where
    that matters, give the policy a `count` of your own.

    Args:
        message: The message.

    Returns:
        The estimate; at least 4.
    """
    tokens = _MESSAGE_TOKENS
    if isinstance(message, AssistantMessage):
        size = _size(message.text)
        for thought in message.reasoning:
            size += _size(thought.text) + _size(thought.data)
        for call in message.tool_calls:
            tokens += _CALL_TOKENS
            size += _size(call.id) + _size(call.name) + _size(call.arguments)
    elif isinstance(message, ToolMessage):
        size = _size(message.content) + _size(message.call_id) + _size(message.name)
    else:
        size = _size(message.text)
        if isinstance(message, UserMessage):
            tokens += sum(_IMAGE_TOKENS[image.detail] for image in message.images)
    return tokens - (-size // _BYTES_PER_TOKEN)


def _size(text: str) -> int:
    """Return the number of bytes; a model may have written half of a surrogate pair."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
