from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.memory import MemoryPolicy, compose, keep_last, keep_window, summarise
from agent_factory.core.messages import AssistantMessage, Message, SystemMessage, UserMessage
from agent_factory.core.testing import ScriptedModel
from tests.core.memory.conversations import count_characters, create_context, create_round

if TYPE_CHECKING:
    from agent_factory.core.memory import MemoryContext

RULES = SystemMessage("rules")
FIRST = (UserMessage("one"), *create_round("1"), AssistantMessage("first"))
SECOND = (UserMessage("two"), AssistantMessage("second"))
PROMPT = UserMessage("three")


def select(
    policy: MemoryPolicy, *messages: Message, context: MemoryContext | None = None
) -> tuple[Message, ...]:
    return asyncio.run(policy.select(messages, context or create_context()))


@pytest.mark.parametrize(
    ("turns", "kept"),
    [(1, ()), (2, SECOND), (3, (*FIRST, *SECOND)), (4, (*FIRST, *SECOND))],
)
def test_number_of_turns_is_kept(turns: int, kept: tuple[Message, ...]) -> None:
    seen = select(keep_last(turns), RULES, *FIRST, *SECOND, PROMPT)

    assert seen == (RULES, *kept, PROMPT)


def test_what_the_run_says_as_a_user_is_no_turn() -> None:
    context = create_context()
    policy = keep_last(1)
    correction = (AssistantMessage("wrong"), UserMessage("The answer does not fit."))

    select(policy, RULES, *FIRST, PROMPT, context=context)
    seen = select(policy, RULES, *FIRST, PROMPT, *correction, context=context)

    assert seen == (RULES, PROMPT, *correction)


def test_prompt_is_known_also_where_the_policy_joins_the_run_later() -> None:
    later = (*create_round("1"), AssistantMessage(""), UserMessage("The answer is empty."))
    context = replace(create_context(), prompt=PROMPT)

    assert select(keep_last(1), RULES, *FIRST, PROMPT, *later, context=context) == (
        RULES,
        PROMPT,
        *later,
    )


def test_prompt_stays_where_another_policy_joins_the_run_later() -> None:
    later = (*create_round("x" * 500), AssistantMessage(""), UserMessage("Empty."))
    context = replace(create_context(), prompt=PROMPT)
    window = keep_window(max_tokens=200, count=count_characters)

    seen = select(window, RULES, *FIRST, PROMPT, *later, context=context)

    assert seen[:2] == (RULES, PROMPT)
    assert seen[-1] == later[-1]


def test_prompt_that_is_replaced_at_a_handoff_is_the_prompt() -> None:
    correction = (AssistantMessage(""), UserMessage("The answer is empty."))
    context = replace(create_context(), prompt=PROMPT)
    policy = keep_last(1)
    select(policy, RULES, *FIRST, PROMPT, *correction, context=context)

    other = UserMessage("[gone]")
    context = replace(context, prompt=other)
    seen = select(policy, RULES, *FIRST, other, *correction, context=context)

    assert seen == (RULES, other, *correction)


def test_prompt_that_is_not_in_the_conversation_is_the_last_user_message() -> None:
    context = replace(create_context(), prompt=UserMessage("elsewhere"))

    assert select(keep_last(1), RULES, *FIRST, PROMPT, context=context) == (RULES, PROMPT)


@pytest.mark.parametrize(
    "policy",
    [
        keep_last(3),
        keep_window(max_tokens=1_000, count=count_characters),
        summarise(ScriptedModel([]), max_tokens=1_000, count=count_characters),
        compose(keep_last(3), keep_window(max_tokens=1_000, count=count_characters)),
    ],
    ids=["keep_last", "keep_window", "summarise", "compose"],
)
def test_conversation_of_which_nothing_is_left_out_is_the_very_same(policy: MemoryPolicy) -> None:
    context = create_context()
    messages: tuple[Message, ...] = (RULES, *FIRST, PROMPT)
    for _ in range(3):
        assert select(policy, *messages, context=context) == messages
        assert asyncio.run(policy.select(messages, context)) is messages
        messages = (*messages, *create_round("1"))


def test_no_turns_cannot_be_kept() -> None:
    with pytest.raises(ConfigurationError, match="turns must be a whole number of at least 1"):
        keep_last(0)


def test_composed_policies_apply_one_after_the_other() -> None:
    policy = compose(keep_last(2), keep_window(max_tokens=12, count=count_characters))

    assert select(policy, RULES, *FIRST, *SECOND, PROMPT) == (RULES, PROMPT)


def test_one_policy_twice_has_two_states() -> None:
    counted: list[Message] = []

    def count(message: Message) -> int:
        counted.append(message)
        return 1

    window = keep_window(max_tokens=100, count=count)
    context = create_context()
    policy = compose(window, keep_last(1), window)

    for _ in range(3):
        assert select(policy, RULES, *SECOND, PROMPT, context=context) == (RULES, PROMPT)
    assert counted == [RULES, *SECOND, PROMPT, RULES, PROMPT]


def test_policy_after_another_notices_that_what_it_gets_was_replaced() -> None:
    asked = 0

    async def ask(model: object, messages: tuple[Message, ...], *, output: object = None) -> str:
        nonlocal asked
        asked += 1
        return "short"

    model = ScriptedModel([])
    policy = compose(
        summarise(model, max_tokens=400, keep_tokens=100, count=count_characters),
        keep_window(max_tokens=300, count=count_characters),
    )
    context = create_context(ask)
    messages: tuple[Message, ...] = (RULES, *FIRST, PROMPT)
    sizes = []
    for letter in "abcdefgh":
        messages += create_round(letter * 90)
        seen = select(policy, *messages, context=context)
        assert PROMPT in seen
        sizes.append(sum(map(count_characters, seen)))

    assert max(sizes) <= 300
    assert asked > 1


def test_composing_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one policy"):
        compose()


def test_composing_something_else_is_refused() -> None:
    other: Any = 3
    with pytest.raises(ConfigurationError, match="3 is no memory policy"):
        compose(keep_last(1), other)
