"""How many tokens a request can have at most, without knowing the model's tokenizer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, ToolMessage, UserMessage
from agent_factory.core.models import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.messages import Message
    from agent_factory.core.models import ModelRequest, OutputSchema

__all__ = ["IMAGE_TOKENS", "count_input_bound", "goes_on"]

IMAGE_TOKENS = 50_000
"""Tokens that an image counts for: more than the 48,169 of gpt-4o-mini for the largest image that it takes.

Those are 2,833 and eight tiles of 5,667, as OpenAI documents them; its other models count fewer.
"""

_REQUEST_TOKENS = 128
_TOOLS_TOKENS = 512
_PART_TOKENS = 16
_CONVERSATIONS = 4


def count_input_bound(request: ModelRequest, memo: dict[Any, Any]) -> int:
    """Return a number of tokens that the input of a request does not exceed.

    A token of a byte-level tokenizer stands for at least one byte, so a text has at most as many tokens as bytes in
    UTF-8; English has about a quarter of that. What providers add around messages and tools is allowed for.

    Args:
        request: The request.
        memo: Where the size of each message, tool and schema is kept, so that it is counted once a run; the ``memo`` of
            the request.

    Returns:
        The bound, at least 1.
    """
    known = memo.get(count_input_bound)
    if not isinstance(known, _Sizes):
        known = memo[count_input_bound] = _Sizes()
    total = _REQUEST_TOKENS + known.count(request.messages)
    described = (*request.tools, *(() if request.output is None else (request.output,)))
    for item in described:
        total += known.count_described(item)
    return total + (_TOOLS_TOKENS if described else 0)


def goes_on(
    messages: tuple[Message, ...], before: tuple[Message, ...], memo: dict[Any, Any]
) -> bool:
    """Return whether a conversation is an earlier one, or begins with it.

    Args:
        messages: The conversation, counted by `count_input_bound`.
        before: The earlier one.
        memo: What the counting knows.
    """
    known = memo.get(count_input_bound)
    if isinstance(known, _Sizes) and known.recent:
        newest = known.recent[0]
        if newest.messages is messages and (before is newest.messages or before is newest.before):
            return True
    return messages[: len(before)] == before


class _Conversation:
    """A conversation, the part of it that was counted before, and its size."""

    __slots__ = ("before", "messages", "total")

    def __init__(self) -> None:
        self.messages: tuple[Message, ...] = ()
        self.before: tuple[Message, ...] = ()
        self.total = 0


class _Sizes:
    """The sizes of what a run sends, each message counted once."""

    __slots__ = ("_items", "recent")

    def __init__(self) -> None:
        self._items: dict[int, tuple[object, int]] = {}
        self.recent: list[_Conversation] = []  # the newest first

    def count(self, messages: tuple[Message, ...]) -> int:
        """Return the size of a conversation; only what is new in it is looked at in Python."""
        recent = self.recent
        for index, conversation in enumerate(recent):
            before = conversation.messages
            if before is messages or messages[: len(before)] == before:
                if index:
                    recent.insert(0, recent.pop(index))
                break
        else:
            # A run has few conversations at a time: its own, and those of a memory or a guardrail.
            conversation, before = _Conversation(), ()
            recent.insert(0, conversation)
            del recent[_CONVERSATIONS:]
        if before is not messages:
            for message in messages[len(before) :]:
                conversation.total += self._count(message)
            conversation.before, conversation.messages = before, messages
        return conversation.total

    def count_described(self, item: ToolSpec | OutputSchema) -> int:
        """Return the size of a tool or the shape of an answer."""
        entry = self._items.get(id(item))
        if entry is None:
            # With the item, so that its identity is not given to another one.
            entry = self._items[id(item)] = (item, _count_described(item))
        return entry[1]

    def _count(self, message: Message) -> int:
        entry = self._items.get(id(message))
        if entry is None:
            entry = self._items[id(message)] = (message, _count_message(message))
        return entry[1]


def _count_message(message: Message) -> int:
    if isinstance(message, ToolMessage):
        return _count_texts(message.call_id, message.name, message.content)
    total = _count_texts(message.text)
    if isinstance(message, UserMessage):
        total += IMAGE_TOKENS * len(message.images)
    elif isinstance(message, AssistantMessage):
        for call in message.tool_calls:
            total += _count_texts(call.id, call.name, call.arguments)
        for item in message.reasoning:
            total += _count_texts(item.text, item.data)
    return total


def _count_described(item: ToolSpec | OutputSchema) -> int:
    if isinstance(item, ToolSpec):
        return _count_texts(item.name, item.description) + _count_schema(item.parameters)
    return _count_texts(item.name) + _count_schema(item.schema)


def _count_schema(schema: Mapping[str, Any]) -> int:
    # Twice, since adapters make schemas strict, and some templates write them indented.
    return 2 * len(json.dumps(schema, default=dict))


def _count_texts(*texts: str) -> int:
    return _PART_TOKENS + sum(
        len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        for text in texts
    )
