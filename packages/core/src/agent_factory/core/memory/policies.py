"""The policy that keeps a number of turns, and the one that is made of several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.memory.conversation import Conversation
from agent_factory.core.memory.origins import MemoryOrigin
from agent_factory.core.memory.ports import MemoryPolicy
from agent_factory.core.memory.window import check_tokens

if TYPE_CHECKING:
    from agent_factory.core.memory.ports import MemoryContext
    from agent_factory.core.messages import Message

__all__ = ["compose", "keep_last"]


def keep_last(turns: int) -> MemoryPolicy:
    """Return the policy that keeps the instructions and the newest turns.

    A turn is what a person said and everything up to what is said next. The newest is the one that the run began with: it
    grows while the run goes on, and nothing of it is left out.

    Args:
        turns: How many; at least 1.

    Raises:
        ConfigurationError: `turns` is out of its range.
    """
    check_tokens("keep_last", "turns", turns, 1)
    return _Last(turns)


def compose(*policies: MemoryPolicy) -> MemoryPolicy:
    """Return the policy that applies several, one after the other.

    ```python
    memory = compose(keep_last(20), keep_window(max_tokens=30_000))
    ```

    Args:
        policies: What to apply; each gets what the one before it selected, and a state of its own. At least one.

    Raises:
        ConfigurationError: There is no policy, or something else among them.
    """
    if not policies:
        raise ConfigurationError("compose() needs at least one policy: pass keep_last(20), say")
    for policy in policies:
        if not isinstance(policy, MemoryPolicy):
            raise ConfigurationError(
                f"compose: {policy!r} is no memory policy: pass what keep_window(...) returns, say"
            )
    return _Composed(policies)


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    turns: int

    @property
    def origin(self) -> MemoryOrigin:
        return MemoryOrigin("keep_last", {"turns": self.turns})

    async def select(
        self, messages: tuple[Message, ...], context: MemoryContext
    ) -> tuple[Message, ...]:
        conversation = context.state.get(self)
        if not isinstance(conversation, Conversation):
            conversation = context.state[self] = Conversation(_count_nothing)
        conversation.update(messages, context.prompt)
        if len(conversation.turns) <= self.turns:
            return messages
        return conversation.head + conversation.body[conversation.turns[-self.turns] :]


@dataclass(frozen=True, slots=True, eq=False)
class _Composed:
    policies: tuple[MemoryPolicy, ...]

    async def select(
        self, messages: tuple[Message, ...], context: MemoryContext
    ) -> tuple[Message, ...]:
        states = context.state.get(self)
        if not isinstance(states, _States):
            states = context.state[self] = _States(tuple({} for _ in self.policies))
        for policy, state in zip(self.policies, states.each, strict=True):
            messages = await policy.select(messages, replace(context, state=state))
        return messages


@dataclass(frozen=True, slots=True)
class _States:
    each: tuple[dict[object, object], ...]


def _count_nothing(_: Message) -> int:
    return 0
