"""Conversations for the tests of memory: made by hand, and any that are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from agent_factory.core.memory import MemoryContext
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolOutcome,
    UserMessage,
)

if TYPE_CHECKING:
    from agent_factory.core.models import Ask, Model

__all__ = [
    "conversations",
    "count_characters",
    "create_context",
    "create_round",
    "rounds",
    "texts",
]


def count_characters(message: Message) -> int:
    """Count a message as one token and one more for each character."""
    if isinstance(message, ToolMessage):
        return 1 + len(message.content)
    calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
    return 1 + len(message.text) + sum(len(call.arguments) for call in calls)


async def refuse_to_ask(
    model: Model, messages: tuple[Message, ...], *, output: object = None
) -> str:
    raise AssertionError("the policy asks a model")


def create_context(ask: Ask = refuse_to_ask) -> MemoryContext:
    """Return what a policy is told at the first request of a run.

    Args:
        ask: What asks a model; by default none may be asked.
    """
    return MemoryContext("clerk", "run-1", 30.0, ask)


def create_round(*results: str, text: str = "") -> tuple[Message, ...]:
    """Return an answer with tool calls, and their results.

    Args:
        results: The results, one for each call.
        text: What the model says beside the calls.
    """
    calls = tuple(ToolCall(f"call-{index}", "look", "{}") for index in range(len(results)))
    return (
        AssistantMessage(text, calls),
        *(
            ToolMessage(call.id, "look", result)
            for call, result in zip(calls, results, strict=True)
        ),
    )


@st.composite
def _texts(draw: st.DrawFn) -> str:
    text = draw(st.text(max_size=12) | st.sampled_from(["", "word ", "\u4f60\u597d", "\ud800"]))
    return text * draw(st.sampled_from([1, 1, 1, 3, 50]))


texts = _texts()
_images = st.lists(
    st.builds(
        Image, st.just("https://example.org/a.png"), st.sampled_from(["auto", "low", "high"])
    ),
    max_size=2,
).map(tuple)
_users = st.builds(UserMessage, texts, st.just(()) | _images)


@st.composite
def _rounds(draw: st.DrawFn) -> tuple[Message, ...]:
    ids = draw(st.permutations([f"call-{index}" for index in range(draw(st.integers(1, 3)))]))
    calls = tuple(ToolCall(name, "look", draw(texts)) for name in sorted(ids))
    outcomes = st.sampled_from(get_args(ToolOutcome))
    results = [ToolMessage(name, "look", draw(texts), draw(outcomes)) for name in ids]
    return (AssistantMessage(draw(texts), calls), *results)


rounds = _rounds()
"""An answer with one to three calls, and their results in any order."""

_answers = st.builds(AssistantMessage, texts).map(lambda message: (message,))
_spoken = _users.map(lambda message: (message,))
_instructed = st.builds(SystemMessage, texts).map(lambda message: (message,))


@st.composite
def _conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    head = draw(st.lists(_instructed, max_size=2))
    parts = st.one_of(rounds, rounds, _answers, _spoken, _spoken, _instructed)
    return tuple(
        message for part in (*head, *draw(st.lists(parts, max_size=10))) for message in part
    )


conversations = _conversations()
"""Any conversation that passes `check_history`."""
