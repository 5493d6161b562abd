"""A long-term memory for one process, searched by words."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_factory.core.clock import SystemClock
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.memory.ports import MemoryItem
from agent_factory.core.memory.ranking import WordIndex
from agent_factory.core.memory.words import find_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.clock import Clock
    from agent_factory.core.memory.ports import MemoryScope

__all__ = ["InMemoryLongTermMemory"]


class InMemoryLongTermMemory:
    """Remembers texts in the memory of this process, and finds them by the words that they share with a question.

    A `LongTermMemory`. Safe to use by many runs, event loops and threads at a time. What fits is ranked with BM25, in any script
    and without regard to case and accents; it knows nothing of meaning, so "car" does not find "automobile". The score
    is the part of the best score possible for that question. The tags are not searched, they filter.

    Args:
        max_items: Items that one scope may have, at least 1. Where there is one more, the oldest is forgotten.
        clock: Says when something was remembered.

    Raises:
        ConfigurationError: `max_items` is out of its range.
    """

    __slots__ = ("_clock", "_lock", "_max_items", "_shelves")

    def __init__(self, *, max_items: int = 10_000, clock: Clock | None = None) -> None:
        _check_positive("max_items", max_items)
        self._max_items = max_items
        self._clock: Clock = SystemClock() if clock is None else clock
        self._shelves: dict[MemoryScope, _Shelf] = {}
        self._lock = threading.Lock()

    async def remember(
        self, scope: MemoryScope, text: str, *, tags: Mapping[str, str] | None = None
    ) -> MemoryItem:
        """Keep a text; the same text is kept once, and keeps its identifier, its time and its tags, to which new ones are added.

        Args:
            scope: Whose memory it is.
            text: What to remember; not blank.
            tags: Further words about it.

        Returns:
            The item.

        Raises:
            ConfigurationError: The text is blank.
        """
        if not text.strip():
            raise ConfigurationError("a text to remember must not be blank")
        words = find_words(text)
        with self._lock:
            shelf = self._shelves.setdefault(scope, _Shelf())
            number = shelf.by_text.get(text)
            if number is not None:
                known = shelf.items[number]
                merged = MappingProxyType({**known.tags, **(tags or {})})
                shelf.items[number] = replace(known, tags=merged)
                return shelf.items[number]
            shelf.last += 1
            item = MemoryItem(
                f"m{shelf.last}", text, self._clock.now(), MappingProxyType(dict(tags or {}))
            )
            shelf.add(item, words)
            if len(shelf.items) > self._max_items:
                shelf.remove(next(iter(shelf.items)))
            return item

    async def recall(
        self,
        scope: MemoryScope,
        query: str,
        *,
        limit: int = 5,
        tags: Mapping[str, str] | None = None,
    ) -> tuple[MemoryItem, ...]:
        """Return what shares words with a question, best first, of equals the newest.

        Args:
            scope: Whose memory it is.
            query: What is asked; blank for the newest items.
            limit: How many items at most; at least 1.
            tags: Words that an item must have.

        Raises:
            ConfigurationError: The limit is less than 1.
        """
        _check_positive("limit", limit)
        wanted = dict(tags or {}).items()
        words = find_words(query)
        with self._lock:
            shelf = self._shelves.get(scope)
            if shelf is None:
                return ()
            if query.strip():
                scores = shelf.index.rank(words)
                order = sorted(scores, key=lambda number: (scores[number], number), reverse=True)
            else:
                scores = {}
                order = list(reversed(shelf.items))
            found: list[MemoryItem] = []
            for number in order:
                item = shelf.items[number]
                if wanted <= item.tags.items():
                    found.append(replace(item, score=scores.get(number, 0.0)))
                    if len(found) == limit:
                        break
            return tuple(found)

    async def forget(self, scope: MemoryScope, item_id: str) -> bool:
        """Forget one item.

        Args:
            scope: Whose memory it is.
            item_id: Its identifier; it is not given to another item later.

        Returns:
            Whether there was such an item.
        """
        with self._lock:
            shelf = self._shelves.get(scope)
            number = None if shelf is None else shelf.by_id.get(item_id)
            if shelf is None or number is None:
                return False
            shelf.remove(number)
            return True


class _Shelf:
    """What one scope remembers, by number, the oldest first."""

    __slots__ = ("by_id", "by_text", "index", "items", "last")

    def __init__(self) -> None:
        self.items: dict[int, MemoryItem] = {}
        self.by_id: dict[str, int] = {}
        self.by_text: dict[str, int] = {}
        self.index = WordIndex()
        self.last = 0

    def add(self, item: MemoryItem, words: list[str]) -> None:
        number = self.last
        self.items[number] = item
        self.by_id[item.id] = self.by_text[item.text] = number
        self.index.add(number, words)

    def remove(self, number: int) -> None:
        item = self.items.pop(number)
        del self.by_id[item.id], self.by_text[item.text]
        self.index.remove(number)


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name} must be a whole number of at least 1, not {value!r}")
