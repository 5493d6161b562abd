"""The ports of memory: what of a conversation a model sees, where conversations are kept, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from agent_factory.core.messages import Message, UserMessage
    from agent_factory.core.models import Ask

__all__ = [
    "LongTermMemory",
    "MemoryContext",
    "MemoryItem",
    "MemoryPolicy",
    "MemoryScope",
    "MemoryStore",
]


@dataclass(frozen=True, slots=True)
class MemoryContext:
    """What a policy may know of the run.

    Attributes:
        agent: Name of the agent.
        run_id: Identifier of the run.
        timeout: Seconds until the policy must have answered; greater than 0.
        state: Where a policy may keep what it knows of this run's conversation; the same for all requests of a run.
        prompt: What the run was asked, as it stands in the conversation, by identity; a policy keeps it.
        ask: Asks a model within the run's limits and budgets; a policy that summarises uses it.
    """

    agent: str
    run_id: str
    timeout: float
    ask: Ask
    state: dict[object, object] = field(default_factory=dict)
    prompt: UserMessage | None = None


@runtime_checkable
class MemoryPolicy(Protocol):
    """Decides what of a conversation a model sees. The record of the run keeps all of it. Safe to use by many runs at a time."""

    async def select(
        self, messages: tuple[Message, ...], context: MemoryContext
    ) -> tuple[Message, ...]:
        """Return what the model is to see.

        Args:
            messages: The whole conversation: instructions first if there are any, then the oldest message.
            context: What the policy may know of the run.

        Returns:
            Messages that pass `check_history`; those at the front that instruct the model, and the last one that a person
            said, stay.

        Raises:
            CoreError: Nothing can be selected that fits.
        """
        ...


@dataclass(frozen=True, slots=True)
class MemoryScope:
    """Whose memory it is. Nothing crosses from one scope to another.

    Attributes:
        tenant: The tenant; not empty.
        owner: The session, user or agent within the tenant; not empty.

    Raises:
        ConfigurationError: One of them is blank.
    """

    tenant: str
    owner: str

    def __post_init__(self) -> None:
        """Check that both are there: a blank one would be shared by all who forget it."""
        for name in ("tenant", "owner"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ConfigurationError(
                    f"the {name} of a memory scope must be a text that is not blank, not {value!r}"
                )


@runtime_checkable
class MemoryStore(Protocol):
    """Keeps conversations. Safe to use by many runs at a time."""

    async def load(self, scope: MemoryScope) -> tuple[Message, ...]:
        """Return a conversation, oldest message first; an unknown one is empty.

        Args:
            scope: Whose it is.
        """
        ...

    async def append(
        self, scope: MemoryScope, messages: Sequence[Message], *, expected: int
    ) -> None:
        """Add to the end of a conversation, all or nothing.

        Args:
            scope: Whose it is.
            messages: What was said; the conversation passes `check_history` afterwards.
            expected: Number of messages that the conversation has so far, as the caller knows it.

        Raises:
            MemoryConflictError: It has another number: somebody else added to it meanwhile. Its details have both numbers
                as ``expected`` and ``found``.
            HistoryError: The conversation would not be whole.
        """
        ...

    async def clear(self, scope: MemoryScope) -> None:
        """Forget a conversation.

        Args:
            scope: Whose it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class MemoryItem:
    """Something remembered.

    Attributes:
        id: Identifier, unique in its scope.
        text: What is remembered.
        created_at: When, in UTC.
        tags: Further words about it.
        score: How well it fits what was asked, from 0 to 1; 0 where nothing was asked.
    """

    id: str
    text: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.0


@runtime_checkable
class LongTermMemory(Protocol):
    """Remembers facts beyond a conversation. Safe to use by many runs at a time."""

    async def remember(
        self, scope: MemoryScope, text: str, *, tags: Mapping[str, str] | None = None
    ) -> MemoryItem:
        """Keep a text; the same text is kept once, and keeps its identifier, its time and its tags, to which new ones are added.

        Args:
            scope: Whose memory it is.
            text: What to remember; not blank.
            tags: Further words about it.

        Raises:
            ConfigurationError: The text is blank.
        """
        ...

    async def recall(
        self,
        scope: MemoryScope,
        query: str,
        *,
        limit: int = 5,
        tags: Mapping[str, str] | None = None,
    ) -> tuple[MemoryItem, ...]:
        """Return what fits a question, best first.

        Args:
            scope: Whose memory it is.
            query: What is asked; blank for the newest items.
            limit: How many items at most; at least 1.
            tags: Words that an item must have.

        Raises:
            ConfigurationError: The limit is less than 1.
        """
        ...

    async def forget(self, scope: MemoryScope, item_id: str) -> bool:
        """Forget one item.

        Args:
            scope: Whose memory it is.
            item_id: Its identifier.

        Returns:
            Whether there was such an item.
        """
        ...
