"""For any conversation and any bound, what a policy lets a model see is whole, in order and within the bound."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import LimitExceededError
from agent_factory.core.memory import (
    MemoryContext,
    MemoryPolicy,
    TokenCounter,
    compose,
    estimate_tokens,
    keep_last,
    keep_window,
    summarise,
)
from agent_factory.core.messages import (
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
    check_history,
)
from agent_factory.core.testing import ScriptedModel
from tests.core.memory.conversations import (
    conversations,
    count_characters,
    create_context,
    rounds,
    texts,
)

MODEL = ScriptedModel([])

anything = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
counters = st.sampled_from([estimate_tokens, count_characters])
shares = st.integers(20, 105)
"""A bound on tokens, in percent of what the whole conversation has."""

heads = st.lists(st.builds(SystemMessage, texts), max_size=6)
growths = st.lists(rounds | texts.map(lambda text: (UserMessage(text),)), max_size=6)


def select(
    policy: MemoryPolicy, messages: tuple[Message, ...], context: MemoryContext | None = None
) -> tuple[Message, ...] | None:
    """Return what a policy selects, or None where it says that nothing fits."""
    try:
        return asyncio.run(policy.select(messages, context or create_context(ask)))
    except LimitExceededError:
        return None


async def ask(model: object, messages: tuple[Message, ...], *, output: object = None) -> str:
    check_history(messages)
    return "word " * (1 + len(repr(messages)) % 90)


def get_bound(share: int, counter: TokenCounter, *parts: tuple[Message, ...]) -> int:
    """Return so many percent of the tokens of some messages, at least 1."""
    return 1 + sum(counter(message) for part in parts for message in part) * share // 100


def split(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return the instructions at the front, and the rest."""
    size = 0
    while size < len(messages) and isinstance(messages[size], SystemMessage):
        size += 1
    return messages[:size], messages[size:]


def check_selection(
    whole: tuple[Message, ...], seen: tuple[Message, ...], prompt: Message | None = None
) -> None:
    """Fail where the instructions, the prompt or the order are lost, or a tool call and its result are parted."""
    check_history(seen)
    head, body = split(whole)
    assert seen[: len(head)] == head
    users = [message for message in body if isinstance(message, UserMessage)]
    wanted = prompt or (users[-1] if users else None)
    rest = seen[len(head) :]
    assert wanted is None or any(message is wanted for message in rest)
    place = 0
    for message in rest:
        if isinstance(message, UserMessage) and message.text.startswith("Summary of what was said"):
            continue
        while body[place] is not message and not is_shortened(body[place], message):
            place += 1
        place += 1


def is_shortened(whole: Message, seen: Message) -> bool:
    if not (isinstance(whole, ToolMessage) and isinstance(seen, ToolMessage)):
        return False
    kept = seen.content.rpartition("[... ")[0].removesuffix("\n")
    return (
        seen.content.endswith(f"[... {len(whole.content) - len(kept):,} characters left out]")
        and whole.content.startswith(kept)
        and (whole.call_id, whole.name, whole.outcome) == (seen.call_id, seen.name, seen.outcome)
    )


def count_least(messages: tuple[Message, ...], counter: TokenCounter) -> int:
    """Return the tokens of the instructions and the last turn with its results shortened as far as they can be."""
    head, body = split(messages)
    users = [index for index, message in enumerate(body) if isinstance(message, UserMessage)]
    tokens = sum(map(counter, head))
    for message in body[users[-1] if users else 0 :]:
        least = counter(message)
        if isinstance(message, ToolMessage) and message.content:
            marker = f"[... {len(message.content):,} characters left out]"
            least = min(least, counter(replace(message, content=marker)))
        tokens += least
    return tokens


def find_prompt(messages: tuple[Message, ...]) -> Message | None:
    users = [message for message in messages if isinstance(message, UserMessage)]
    return users[-1] if users else None


@given(conversations, shares, counters)
@anything
def test_window_is_whole_and_within_its_bound(
    messages: tuple[Message, ...], share: int, counter: TokenCounter
) -> None:
    bound = get_bound(share, counter, messages)
    seen = select(keep_window(max_tokens=bound, count=counter), messages)

    size = sum(map(counter, messages))
    event("whole" if seen == messages else "nothing fits" if seen is None else "selected")
    if seen is None:
        assert count_least(messages, counter) > bound
        return
    check_selection(messages, seen)
    assert sum(map(counter, seen)) <= bound
    assert (seen == messages) == (size <= bound)


@given(conversations, shares)
@anything
def test_window_leaves_out_no_turn_that_would_fit(
    messages: tuple[Message, ...], share: int
) -> None:
    bound = get_bound(share, count_characters, messages)
    seen = select(keep_window(max_tokens=bound, count=count_characters), messages)
    if seen is None or seen == messages:
        return
    head, body = split(messages)
    turns = [index for index, message in enumerate(body) if isinstance(message, UserMessage)]
    fitting = [
        index for index in turns if sum(map(count_characters, (*head, *body[index:]))) <= bound
    ]
    if fitting:
        assert seen == (*head, *body[fitting[0] :])
    else:
        # The last turn has every message, and what was left out of its results was as little as could be.
        assert len(seen) == len(head) + len(body) - (turns[-1] if turns else 0)
        assert bound - sum(map(count_characters, seen)) <= 35


@given(conversations, st.lists(rounds, max_size=6), shares)
@anything
def test_window_of_a_growing_run_is_the_one_of_a_fresh_look(
    messages: tuple[Message, ...], growth: list[tuple[Message, ...]], share: int
) -> None:
    bound = get_bound(share, count_characters, messages, *growth)
    policy = keep_window(max_tokens=bound, count=count_characters)
    context = create_context()
    select(policy, messages, context)
    for part in growth:
        messages += part
        assert select(policy, messages, context) == select(policy, messages)


@given(conversations, growths, heads, shares)
@anything
def test_window_of_a_run_does_not_depend_on_what_was_looked_at_between(
    messages: tuple[Message, ...],
    growth: list[tuple[Message, ...]],
    others: list[SystemMessage],
    share: int,
) -> None:
    bound = get_bound(share, count_characters, messages, *growth)
    policy = keep_window(max_tokens=bound, count=count_characters)
    prompt = find_prompt(messages)
    begins = prompt is not None  # as every run does: with a prompt
    often, once = create_context(), create_context()
    select(policy, messages, often)
    select(policy, messages, once)
    for index, part in enumerate(growth):
        # A handoff replaces the instructions, and may leave none.
        messages = (*others[index : index + 1], *split(messages)[1], *part)
        prompt = prompt or find_prompt(messages)
        seen = select(policy, messages, often)
        if seen is not None:
            check_selection(messages, seen, prompt)
            assert sum(map(count_characters, seen)) <= bound

    if begins:
        assert select(policy, messages, often) == select(policy, messages, once)


@given(conversations, growths, shares, st.integers(0, 99), counters)
@anything
def test_summary_is_whole_and_within_its_bound(
    messages: tuple[Message, ...],
    growth: list[tuple[Message, ...]],
    share: int,
    percent: int,
    counter: TokenCounter,
) -> None:
    bound = get_bound(share, counter, messages, *growth)
    policy = summarise(MODEL, max_tokens=bound, keep_tokens=bound * percent // 100, count=counter)
    context = create_context(ask)
    prompt = find_prompt(messages)
    for part in [(), *growth]:
        messages += part
        prompt = prompt or find_prompt(messages)
        seen = select(policy, messages, context)
        event("whole" if seen == messages else "nothing fits" if seen is None else "summary")
        if seen is None:
            assert sum(map(counter, messages)) > bound
        else:
            check_selection(messages, seen, prompt)
            assert sum(map(counter, seen)) <= bound


@given(conversations, st.integers(1, 5))
@anything
def test_last_turns_are_whole(messages: tuple[Message, ...], turns: int) -> None:
    seen = select(keep_last(turns), messages)

    assert seen is not None
    check_selection(messages, seen)
    users = [message for message in messages if isinstance(message, UserMessage)]
    assert [message for message in seen if isinstance(message, UserMessage)] == users[-turns:]


@given(conversations, growths, shares, shares)
@anything
def test_summary_within_a_window_is_whole_and_within_the_bound(
    messages: tuple[Message, ...], growth: list[tuple[Message, ...]], first: int, second: int
) -> None:
    first = get_bound(first, count_characters, messages, *growth)
    second = get_bound(second, count_characters, messages, *growth)
    policy = compose(
        summarise(MODEL, max_tokens=first, count=count_characters),
        keep_window(max_tokens=second, count=count_characters),
    )
    context = create_context(ask)
    prompt = find_prompt(messages)
    for part in [(), *growth]:
        messages += part
        prompt = prompt or find_prompt(messages)
        seen = select(policy, messages, context)
        if seen is not None:
            check_selection(messages, seen, prompt)
            assert sum(map(count_characters, seen)) <= min(first, second)
