"""The policy that shows a model the newest turns that fit a number of tokens."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, LimitExceededError
from agent_factory.core.memory.conversation import Conversation
from agent_factory.core.memory.origins import MemoryOrigin
from agent_factory.core.memory.shortening import shorten_text
from agent_factory.core.memory.tokens import estimate_tokens
from agent_factory.core.messages import ToolMessage

if TYPE_CHECKING:
    from agent_factory.core.memory.ports import MemoryContext, MemoryPolicy
    from agent_factory.core.memory.tokens import TokenCounter
    from agent_factory.core.messages import Message

__all__ = ["check_tokens", "keep_window"]


def keep_window(*, max_tokens: int, count: TokenCounter = estimate_tokens) -> MemoryPolicy:
    """Return the policy that keeps the instructions and as many of the newest turns as fit.

    A turn is what a person said and everything up to what is said next, so no tool call is parted from its result. The
    turn that the run began with always stays. Where it does not fit by itself, its tool results are shortened, the
    oldest first and no more than needed; a marker such as ``[... 12,345 characters left out]`` takes the place of what is
    missing. Each message is counted once a run.

    Args:
        max_tokens: Tokens of all the messages that the model sees, at least 1. The schemas of tools and of the answer,
            and the answer itself, come on top of them.
        count: Says how many tokens a message has.

    Returns:
        The policy. Where even the shortened turn does not fit, it raises a `LimitExceededError`, whose `limit` is
        ``keep_window.max_tokens``.

    Raises:
        ConfigurationError: `max_tokens` is out of its range.
    """
    check_tokens("keep_window", "max_tokens", max_tokens, 1)
    return _Window(max_tokens, count)


def check_tokens(policy: str, name: str, value: object, least: int) -> None:
    """Check an argument that is a number.

    Args:
        policy: Name of the function that it is an argument of.
        name: Name of the argument.
        value: What it is.
        least: What it must be at least.

    Raises:
        ConfigurationError: It is less, or no whole number.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigurationError(
            f"{policy}: {name} must be a whole number of at least {least}, not {value!r}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    max_tokens: int
    count: TokenCounter

    @property
    def origin(self) -> MemoryOrigin:
        count = {} if self.count is estimate_tokens else {"count": self.count}
        return MemoryOrigin("keep_window", {"max_tokens": self.max_tokens, **count})

    async def select(
        self, messages: tuple[Message, ...], context: MemoryContext
    ) -> tuple[Message, ...]:
        state = context.state.get(self)
        if not isinstance(state, _State):
            state = context.state[self] = _State(self.count)
        conversation = state.conversation
        conversation.update(messages, context.prompt)
        room = self.max_tokens - conversation.head_tokens
        turns, totals = conversation.turns, conversation.totals
        if totals[-1] <= room:
            return messages
        first = bisect_left(turns, totals[-1] - room, key=totals.__getitem__)
        if first < len(turns):
            return conversation.head + conversation.body[turns[first] :]
        last = state.shorten(room) if turns else None
        if last is None:
            start = turns[-1] if turns else 0
            raise LimitExceededError(
                f"the conversation does not fit keep_window(max_tokens={self.max_tokens}): the instructions have "
                f"{conversation.head_tokens} tokens, the turn that the run began with {conversation.count_from(start)}, and "
                "shortening its tool results is not enough: allow more tokens, or shorten the instructions or the prompt",
                limit="keep_window.max_tokens",
                allowed=self.max_tokens,
            )
        return conversation.head + last


class _State:
    """The conversation of a run, and its last turn with the oldest tool results shortened as far as they can be."""

    __slots__ = (
        "_applied",
        "_generation",
        "_places",
        "_saved",
        "_seen",
        "_shortest",
        "_turn",
        "conversation",
    )

    def __init__(self, count: TokenCounter) -> None:
        self.conversation = Conversation(count)
        self._begin()

    def _begin(self) -> None:
        self._generation = self.conversation.generation
        self._seen = 0  # messages of the last turn looked at
        self._places: list[int] = []  # where in the turn there are results that can be shortened
        self._shortest: list[Message] = []  # those results, shortened as far as they can be
        self._saved = [0]  # tokens that shortening the first 0, 1, 2, ... of them saves
        self._applied = 0  # how many of them are shortened in the turn
        self._turn: list[Message] = []

    def shorten(self, room: int) -> tuple[Message, ...] | None:
        """Return the last turn shortened to a number of tokens; None if that cannot be."""
        self._look()
        conversation = self.conversation
        start = conversation.turns[-1]
        excess = conversation.count_from(start) - room
        if excess > self._saved[-1]:
            return None
        index = bisect_left(self._saved, excess) - 1
        for position in range(self._applied, index):
            self._turn[self._places[position]] = self._shortest[position]
        for position in range(index, self._applied):
            place = self._places[position]
            self._turn[place] = conversation.body[start + place]
        self._applied = index
        place = self._places[index]
        whole = conversation.body[start + place]
        most = conversation.count(whole) - (excess - self._saved[index])
        partly = self._cut(whole, most)
        return (*self._turn[:place], partly, *self._turn[place + 1 :])

    def _look(self) -> None:
        """Find what can be shortened among the messages that are new."""
        conversation = self.conversation
        if self._generation != conversation.generation:
            self._begin()
        start = conversation.turns[-1]
        for place in range(self._seen, len(conversation.body) - start):
            message = conversation.body[start + place]
            self._turn.append(message)
            if isinstance(message, ToolMessage) and message.content:
                shortest = replace(message, content=shorten_text(message.content))
                saved = conversation.count(message) - conversation.count(shortest)
                if saved > 0:
                    self._places.append(place)
                    self._shortest.append(shortest)
                    self._saved.append(self._saved[-1] + saved)
        self._seen = len(self._turn)

    def _cut(self, message: Message, most: int) -> Message:
        """Return a tool message with as much of its content as a number of tokens allows."""
        if not isinstance(message, ToolMessage):
            return message
        count = self.conversation.count

        def fits(content: str) -> bool:
            return count(replace(message, content=content)) <= most

        return replace(message, content=shorten_text(message.content, fits))
