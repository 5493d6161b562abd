"""What a policy knows of the conversation of a run, kept up to date without looking at a message twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import SystemMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from agent_factory.core.memory.tokens import TokenCounter
    from agent_factory.core.messages import Message

__all__ = ["Conversation"]


class Conversation:
    """A run's conversation: instructions, then turns, of which the last begins with the prompt of the run.

    What a run itself says to the model as a user, such as what is wrong with an answer, is part of that last turn. Where
    nobody says which message the prompt is, it is the last user message of the first conversation seen.

    Args:
        count: Says how many tokens a message has.

    Attributes:
        head: The system messages at the front.
        head_tokens: Tokens of the head.
        totals: Tokens of the first 0, 1, 2, ... messages of the body.
        prompt: Where in the body the prompt of the run is; -1 while there is no user message.
        turns: Where in the body turns begin, the oldest first; what comes before the first user message counts as one.
        rounds: Where in the last turn the model answered or was spoken to again, beyond what follows the prompt at once.
        generation: Grows when the body is another one than before, and not merely longer.
    """

    __slots__ = (
        "_asked",
        "_body",
        "_count",
        "_messages",
        "_size",
        "generation",
        "head",
        "head_tokens",
        "prompt",
        "rounds",
        "totals",
        "turns",
    )

    def __init__(self, count: TokenCounter) -> None:
        self._count = count
        self._asked: UserMessage | None = None
        self.generation = 0
        self.head: tuple[Message, ...] = ()
        self.head_tokens = 0
        self._messages: tuple[Message, ...] = ()
        self._size = 0  # of the head
        self._body: tuple[Message, ...] | None = ()
        self.totals = [0]
        self.prompt = -1
        self.turns: list[int] = []
        self.rounds: list[int] = []

    def update(self, messages: tuple[Message, ...], prompt: UserMessage | None = None) -> None:
        """Take in a conversation; only what was not there at the last call is counted.

        Args:
            messages: The whole conversation; it passes `check_history`.
            prompt: The prompt of the run, if it is known; looked for by its identity.

        Raises:
            ConfigurationError: The counter returned no whole number of 0 or more.
        """
        before, size = self._messages, self._size
        # Messages that are the same objects are compared by identity, far faster than they are counted.
        if self.prompt >= 0 and prompt is self._asked and messages[: len(before)] == before:
            known = len(before) - size
        else:
            known = self._compare(messages, prompt)
            size = self._size
        self._messages, self._body = messages, None
        for index in range(known, len(messages) - size):
            self._add(index, messages[size + index])

    @property
    def body(self) -> tuple[Message, ...]:
        """Everything after the head."""
        if self._body is None:
            self._body = self._messages[self._size :]
        return self._body

    def count(self, message: Message) -> int:
        """Return how many tokens a message has.

        Args:
            message: The message.

        Raises:
            ConfigurationError: The counter returned no whole number of 0 or more.
        """
        tokens: object = self._count(message)
        if not isinstance(tokens, int) or tokens < 0:
            raise ConfigurationError(
                f"the token counter {self._count!r} returned {tokens!r} for a {message.role} message: "
                "it must return a whole number, 0 or more"
            )
        return tokens

    def count_from(self, index: int) -> int:
        """Return the tokens of the body from an index on, without the head.

        Args:
            index: Where in the body.
        """
        return self.totals[-1] - self.totals[index]

    def _compare(self, messages: tuple[Message, ...], prompt: UserMessage | None) -> int:
        """Take in a conversation that may be another one; return how much of its body was counted before."""
        size = 0
        while size < len(messages) and isinstance(messages[size], SystemMessage):
            size += 1
        head, body = messages[:size], messages[size:]
        if head != self.head:
            # A handoff brings the instructions of another agent.
            self.head, self.head_tokens = head, sum(map(self.count, head))
        before = self.body
        self._size = size
        known = len(before)
        same = body[:known] == before
        place = _find(body, prompt)
        if place < 0 <= self.prompt:
            # It stays the same message if that is still there.
            place = self.prompt if same else _find(body, before[self.prompt])
        if place < 0:
            place = _find_prompt(body)
        self._asked = prompt
        if not same or (known and place != self.prompt):
            self.totals, self.turns, self.rounds = [0], [], []
            self.generation += 1
            known = 0
        self.prompt = place
        return known

    def _add(self, index: int, message: Message) -> None:
        self.totals.append(self.totals[-1] + self.count(message))
        if index == 0 or (isinstance(message, UserMessage) and index <= self.prompt):
            self.turns.append(index)
        elif index > self.prompt + 1 and not isinstance(message, ToolMessage):
            self.rounds.append(index)


def _find(body: tuple[Message, ...], message: Message | None) -> int:
    if message is None:
        return -1
    # From the end: a caller may have put the same message into the history.
    return next((index for index in reversed(range(len(body))) if body[index] is message), -1)


def _find_prompt(body: tuple[Message, ...]) -> int:
    places = (index for index in reversed(range(len(body))) if isinstance(body[index], UserMessage))
    return next(places, -1)
