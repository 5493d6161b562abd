from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.exceptions import ConfigurationError, LimitExceededError
from agent_factory.core.memory import MemoryPolicy, keep_window
from agent_factory.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
    check_history,
)
from tests.core.memory.conversations import count_characters, create_context, create_round

if TYPE_CHECKING:
    from agent_factory.core.memory import MemoryContext

RULES = SystemMessage("rules")
OLD = (UserMessage("old question"), AssistantMessage("old answer"))
NEW = UserMessage("new question")


def window(max_tokens: int) -> MemoryPolicy:
    return keep_window(max_tokens=max_tokens, count=count_characters)


def select(
    policy: MemoryPolicy, *messages: Message, context: MemoryContext | None = None
) -> tuple[Message, ...]:
    return asyncio.run(policy.select(messages, context or create_context()))


def contents(messages: tuple[Message, ...]) -> list[str]:
    return [message.content for message in messages if isinstance(message, ToolMessage)]


def test_conversation_that_fits_is_seen_whole() -> None:
    assert select(window(1000), RULES, *OLD, NEW) == (RULES, *OLD, NEW)


def test_conversation_that_fits_exactly_is_seen_whole() -> None:
    messages: tuple[Message, ...] = (RULES, *OLD, NEW)
    size = sum(map(count_characters, messages))

    assert select(window(size), RULES, *OLD, NEW) == (RULES, *OLD, NEW)
    assert select(window(size - 1), RULES, *OLD, NEW) == (RULES, NEW)


def test_oldest_turns_are_left_out_first() -> None:
    middle = (UserMessage("and"), AssistantMessage("then"))

    assert select(window(40), RULES, *OLD, *middle, NEW) == (RULES, *middle, NEW)


def test_turn_with_tool_calls_is_left_out_with_their_results() -> None:
    turn = (UserMessage("look"), *create_round("x" * 30, "y" * 30), AssistantMessage("seen"))

    assert select(window(70), RULES, *turn, NEW) == (RULES, NEW)


def test_conversation_without_instructions_keeps_the_newest_turns() -> None:
    assert select(window(20), *OLD, NEW) == (NEW,)


def test_empty_conversation_stays_empty() -> None:
    assert select(window(1)) == ()


def test_turn_that_does_not_fit_has_its_oldest_results_shortened() -> None:
    turn = (NEW, *create_round("a" * 500), *create_round("b" * 500), *create_round("c" * 90))

    seen = select(window(200), RULES, *turn)

    assert contents(seen) == [
        "[... 500 characters left out]",
        "b" * 20 + "\n[... 480 characters left out]",
        "c" * 90,
    ]
    assert sum(map(count_characters, seen)) == 200
    check_history(seen)


def test_single_huge_result_is_shortened_to_what_fits() -> None:
    (content,) = contents(select(window(1000), RULES, NEW, *create_round("a" * 1_234_567)))

    assert content.startswith("a" * 900)
    assert content.endswith("a\n[... 1,233,626 characters left out]")


def test_results_shorter_than_the_marker_are_left_as_they_are() -> None:
    turn = (NEW, *create_round("short", "a" * 300, "short"))

    assert contents(select(window(80), *turn))[::2] == ["short", "short"]


def test_turn_that_does_not_fit_even_shortened_is_refused_with_the_figures() -> None:
    with pytest.raises(
        LimitExceededError, match=r"max_tokens=40.* have 6 tokens.* with 317"
    ) as info:
        select(window(40), RULES, *OLD, NEW, *create_round("a" * 300))

    assert (info.value.limit, info.value.allowed) == ("keep_window.max_tokens", 40)


def test_instructions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(LimitExceededError, match="shorten the instructions"):
        select(window(5), RULES)


def test_prompt_stays_when_the_run_itself_speaks_as_a_user() -> None:
    context = create_context()
    correction = (AssistantMessage("wrong"), UserMessage("The answer does not fit."))
    policy = window(100)
    begun = (RULES, *OLD, NEW)
    grown = (*begun, *create_round("a" * 200), *correction)

    select(policy, *begun, context=context)
    seen = select(policy, *grown, context=context)

    assert seen[:2] == (RULES, NEW)
    assert seen[-2:] == correction


def test_handoff_to_longer_instructions_is_noticed() -> None:
    context = create_context()
    policy = window(60)
    longer = SystemMessage("other rules, which are longer")

    assert select(policy, RULES, *OLD, NEW, context=context) == (RULES, *OLD, NEW)
    assert select(policy, longer, *OLD, NEW, context=context) == (longer, NEW)
    assert select(policy, *OLD, NEW, context=context) == (*OLD, NEW)


def test_results_are_whole_again_after_a_handoff_to_shorter_instructions() -> None:
    context = create_context()
    policy = window(263)
    turn = (NEW, *create_round("a" * 60), *create_round("b" * 60), *create_round("c" * 100))

    short, longer, whole = (
        contents(select(policy, SystemMessage("r" * size), *turn, context=context))
        for size in (90, 30, 10)
    )

    assert short[:2] == ["[... 60 characters left out]"] * 2
    assert short[2].endswith("left out]")
    assert longer == ["a" * 18 + "\n[... 42 characters left out]", "b" * 60, "c" * 100]
    assert whole == ["a" * 60, "b" * 60, "c" * 100]


def test_conversation_that_was_replaced_is_looked_at_anew() -> None:
    context = create_context()
    policy = window(120)
    for letter, size in (("a", 200), ("b", 300), ("c", 50)):
        conversation = (UserMessage(letter), *create_round(letter * size), *OLD, NEW)
        fresh = select(policy, *conversation)
        assert select(policy, *conversation, context=context) == fresh

        turn = (RULES, UserMessage(letter), *create_round(letter * size), *create_round(letter))
        fresh = select(policy, *turn)
        assert select(policy, *turn, context=context) == fresh


def test_prompt_is_the_same_in_a_conversation_that_was_replaced() -> None:
    context = create_context()
    correction = (AssistantMessage("wrong"), UserMessage("The answer does not fit."))
    policy = window(80)

    select(policy, *OLD, NEW, context=context)
    seen = select(policy, UserMessage("a summary of it"), NEW, *correction, context=context)
    tight = select(policy, UserMessage("s" * 60), NEW, *correction, context=context)

    assert seen == (UserMessage("a summary of it"), NEW, *correction)
    assert tight == (NEW, *correction)


def test_each_message_is_counted_once_a_run() -> None:
    counted: list[Message] = []

    def count(message: Message) -> int:
        counted.append(message)
        return 1

    context = create_context()
    policy = keep_window(max_tokens=50, count=count)
    messages: tuple[Message, ...] = (RULES, NEW)
    for index in range(100):
        messages += (AssistantMessage(str(index)), UserMessage(str(index)))
        if index < 20:
            select(policy, *messages, context=context)

    assert len(counted) == len(set(map(id, counted))) == 42


def test_shortening_a_growing_turn_counts_a_bounded_number_of_times() -> None:
    counts: list[int] = []

    def count(message: Message) -> int:
        counts[-1] += 1
        return count_characters(message)

    context = create_context()
    policy = keep_window(max_tokens=4000, count=count)
    messages: tuple[Message, ...] = (RULES, NEW)
    for _ in range(100):
        counts.append(0)
        messages += create_round("x" * 1000)
        select(policy, *messages, context=context)

    assert counts[10] > 5
    assert max(counts[10:]) <= 16


def test_one_policy_serves_several_runs() -> None:
    policy = window(30)
    first, second = create_context(), create_context()

    assert select(policy, RULES, *OLD, NEW, context=first) == (RULES, NEW)
    assert select(policy, *OLD, context=second) == OLD
    assert select(policy, RULES, *OLD, NEW, context=first) == (RULES, NEW)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many"])
def test_bound_that_is_no_positive_number_is_refused(value: int) -> None:
    with pytest.raises(ConfigurationError, match="max_tokens must be a whole number of at least 1"):
        keep_window(max_tokens=value)


@pytest.mark.parametrize("value", [-1, 0.5, None])
def test_counter_that_returns_something_else_is_refused(value: int) -> None:
    with pytest.raises(ConfigurationError, match=r"returned .* for a user message"):
        select(keep_window(max_tokens=10, count=lambda _: value), NEW)
