"""A store of conversations for one process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import MemoryConflictError
from agent_factory.core.messages import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.memory.ports import MemoryScope
    from agent_factory.core.messages import Message

__all__ = ["InMemoryStore"]


class InMemoryStore:
    """Keeps conversations in the memory of this process, until they are cleared or the process ends.

    A `MemoryStore`. Safe to use by many runs, event loops and threads at a time. Adding takes time in proportion to what is
    added, not to the length of the conversation.
    """

    __slots__ = ("_histories", "_lock")

    def __init__(self) -> None:
        self._histories: dict[MemoryScope, History] = {}
        self._lock = threading.Lock()

    async def load(self, scope: MemoryScope) -> tuple[Message, ...]:
        """Return a conversation, oldest message first; an unknown one is empty.

        Args:
            scope: Whose it is.
        """
        with self._lock:
            history = self._histories.get(scope)
            return () if history is None else history.messages

    async def append(
        self, scope: MemoryScope, messages: Sequence[Message], *, expected: int
    ) -> None:
        """Add to the end of a conversation, all or nothing.

        Args:
            scope: Whose it is.
            messages: What was said; the conversation passes `check_history` afterwards.
            expected: Number of messages that the conversation has so far, as the caller knows it.

        Raises:
            MemoryConflictError: It has another number: somebody else added to it meanwhile.
            HistoryError: The conversation would not be whole; it is unchanged then.
        """
        with self._lock:
            history = self._histories.get(scope)
            known = 0 if history is None else len(history)
            if known != expected:
                raise MemoryConflictError(
                    f"the conversation has {known} messages, not {expected}: somebody else changed it meanwhile; "
                    "load it and run again",
                    details={"expected": expected, "found": known},
                )
            if history is not None:
                history.extend(messages)
            elif messages:
                self._histories[scope] = History(messages)

    async def clear(self, scope: MemoryScope) -> None:
        """Forget a conversation.

        Args:
            scope: Whose it is.
        """
        with self._lock:
            self._histories.pop(scope, None)
