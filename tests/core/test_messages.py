from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    AssistantMessage,
    History,
    HistoryError,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    check_history,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core import Message

USER = UserMessage("Hi.")
ANSWER = AssistantMessage("Hello.")


def ask(*identifiers: str) -> AssistantMessage:
    """Return a message that calls a tool under each identifier."""
    return AssistantMessage("", tuple(ToolCall(item, "echo", "{}") for item in identifiers))


def answer(identifier: str) -> ToolMessage:
    """Return the result of one call."""
    return ToolMessage(identifier, "echo", "x")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [SystemMessage("Be kind."), USER, ANSWER],
        [USER, ask("1"), answer("1"), ANSWER],
        [USER, ask("1", "2"), answer("2"), answer("1"), ANSWER],
        [USER, ask("1"), answer("1"), ask("1"), answer("1")],
    ],
)
def test_paired_history_is_returned_as_a_tuple(messages: list[Message]) -> None:
    assert check_history(iter(messages)) == tuple(messages)


@pytest.mark.parametrize(
    ("messages", "said", "details"),
    [
        ([USER, answer("1")], "message 1 is a result", {"index": 1, "call_id": "1"}),
        ([ask("1"), answer("1"), answer("1")], "message 2 is a res", {"index": 2, "call_id": "1"}),
        ([ask("1"), answer("2")], "message 1 is a result", {"index": 1, "call_id": "2"}),
        ([ask("1"), USER], "message 1 comes before", {"index": 1, "call_ids": ["1"]}),
        ([ask("1", "2"), answer("1"), ANSWER], "calls ['2']", {"index": 2, "call_ids": ["2"]}),
        ([ask("1", "1")], "two tool calls with the id '1'", {"index": 0, "call_id": "1"}),
        ([USER, ask("2", "1")], "['1', '2'] have no result", {"call_ids": ["1", "2"]}),
    ],
)
def test_broken_history_is_refused_with_the_place(
    messages: list[Message], said: str, details: dict[str, object]
) -> None:
    with pytest.raises(HistoryError) as caught:
        check_history(messages)
    assert said in caught.value.message
    assert caught.value.details == details


def test_history_is_as_it_was_where_its_further_messages_raise() -> None:
    def read() -> Iterator[Message]:
        yield ask("1")
        raise OSError("disk")

    history = History([USER])
    with pytest.raises(OSError, match="disk"):
        history.extend(read())

    assert list(history.messages) == [USER]
    history.extend([ANSWER])
    assert list(history.messages) == [USER, ANSWER]


identifiers = st.sampled_from(["1", "2", "3"])
any_message = st.one_of(
    st.just(USER),
    st.just(ANSWER),
    st.lists(identifiers, max_size=3).map(lambda items: ask(*items)),
    identifiers.map(answer),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_message, max_size=8))
def test_accepted_history_has_as_many_results_as_calls(messages: list[Message]) -> None:
    try:
        checked = check_history(messages)
    except HistoryError:
        return
    calls = sum(len(item.tool_calls) for item in checked if isinstance(item, AssistantMessage))
    assert calls == sum(isinstance(item, ToolMessage) for item in checked)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(identifiers, unique=True, max_size=3), max_size=4))
def test_any_sequence_of_answered_calls_is_accepted(turns: list[list[str]]) -> None:
    messages: list[Message] = []
    for turn in turns:
        messages += [USER, ask(*turn), *map(answer, reversed(turn))]

    assert check_history(messages) == tuple(messages)


@pytest.mark.parametrize(
    ("message", "role"),
    [(SystemMessage("x"), "system"), (USER, "user"), (ANSWER, "assistant"), (answer("1"), "tool")],
)
def test_each_message_knows_its_role(message: Message, role: str) -> None:
    assert message.role == role
