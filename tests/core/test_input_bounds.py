from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from agent_factory.core.models import ModelRequest, OutputSchema, ToolSpec
from agent_factory.core.prices import count_input_bound

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}
TOOL = ToolSpec("search", "Searches.", SCHEMA)


def count(*messages: Message, **rest: Any) -> int:
    request = ModelRequest(messages, **rest)
    return count_input_bound(request, request.memo)


texts = st.text(st.characters(exclude_categories=()), max_size=60)
messages = st.one_of(
    st.builds(SystemMessage, texts),
    st.builds(UserMessage, texts),
    st.builds(
        AssistantMessage,
        texts,
        st.lists(st.builds(ToolCall, texts, texts, texts), max_size=3).map(tuple),
        st.lists(st.builds(Reasoning, texts, texts), max_size=2).map(tuple),
    ),
    st.builds(ToolMessage, texts, texts, texts),
)


def list_texts(message: Message) -> list[str]:
    if isinstance(message, ToolMessage):
        return [message.call_id, message.name, message.content]
    found = [message.text]
    if isinstance(message, AssistantMessage):
        for call in message.tool_calls:
            found += [call.id, call.name, call.arguments]
        for item in message.reasoning:
            found += [item.text, item.data]
    return found


@given(st.lists(messages, max_size=6))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bound_is_at_least_the_bytes_of_every_text(conversation: list[Message]) -> None:
    written = sum(
        len(text.encode("utf-8", "replace"))
        for message in conversation
        for text in list_texts(message)
    )

    assert count(*conversation) >= written + 4 * len(conversation)


@pytest.mark.parametrize(
    "message",
    [
        UserMessage("Привет, мир"),
        AssistantMessage("", (ToolCall("1", "search", '{"query": "x"}'),)),
        AssistantMessage("", (), (Reasoning("Let me think.", data='{"id": 1}'),)),
        ToolMessage("1", "search", "found"),
    ],
    ids=["text", "call", "thought", "result"],
)
def test_every_message_counts(message: Message) -> None:
    assert count(UserMessage(""), message) > count(UserMessage(""))


def test_text_beyond_ascii_counts_its_bytes() -> None:
    assert count(UserMessage("日本語")) - count(UserMessage("abc")) == 6


def test_images_count_a_constant_and_not_their_bytes() -> None:
    small = Image("data:image/png;base64,AAAA")
    large = Image("data:image/png;base64," + "A" * 10**6)

    assert count(UserMessage("", (small,))) == count(UserMessage("", (large,)))
    assert count(UserMessage("", (small, large))) - count(UserMessage("", (small,))) == 50_000


def test_tools_and_the_shape_of_the_answer_count() -> None:
    bare = count(UserMessage("Hi"))
    with_tool = count(UserMessage("Hi"), tools=(TOOL,))
    with_both = count(UserMessage("Hi"), tools=(TOOL,), output=OutputSchema("hits", SCHEMA))

    assert with_tool - bare > len(str(SCHEMA))
    assert with_both - with_tool > len(str(SCHEMA))


def test_schema_may_be_any_mapping() -> None:
    frozen = ToolSpec("search", "Searches.", MappingProxyType(SCHEMA))

    assert count(tools=(frozen,)) == count(tools=(TOOL,))


def test_each_message_is_counted_once_a_run() -> None:
    class Text(str):
        looks = 0

        def isascii(self) -> bool:
            self.looks += 1
            return super().isascii()

    memo: dict[Any, Any] = {}
    texts = [Text(f"message {number}") for number in range(5)]
    conversation: tuple[Message, ...] = ()
    for text in texts:
        conversation = (*conversation, UserMessage(text))
        bound = count_input_bound(ModelRequest(conversation, (TOOL,), memo=memo), memo)
        assert bound == count(
            *(UserMessage(str(item)) for item in texts[: len(conversation)]), tools=(TOOL,)
        )
    # Also where the conversation was trimmed.
    count_input_bound(ModelRequest(conversation[2:], memo=memo), memo)

    assert [text.looks for text in texts] == [1] * 5


@given(
    st.lists(messages, max_size=5).map(tuple),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), messages), max_size=8),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bound_does_not_depend_on_what_was_counted_before(
    conversation: tuple[Message, ...], changes: list[tuple[int, int, Message]]
) -> None:
    memo: dict[Any, Any] = {}
    known = [conversation]
    for start, end, message in changes:
        # Grown, trimmed, with another beginning of the same length, or an earlier one again.
        known += [
            (*known[-1], message),
            known[-1][start:],
            (message, *known[-1][1:]),
            known[-1][:end],
        ]
        for item in known[-5:]:
            assert count_input_bound(ModelRequest(item), memo) == count(*item)
