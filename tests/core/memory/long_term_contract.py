"""What every adapter of core's `LongTermMemory` port promises; each adapter's tests run it.

```python
class TestMyMemory(LongTermMemoryContract):
    @asynccontextmanager
    async def create(self) -> AsyncIterator[LongTermMemory]:
        yield MyMemory(...)
```
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.memory import LongTermMemory, MemoryScope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from agent_factory.core.memory import MemoryItem

__all__ = ["LongTermMemoryContract"]

ADA = MemoryScope("acme", "ada")
BOB = MemoryScope("acme", "bob")
OTHER_ADA = MemoryScope("umbrella", "ada")


def read_texts(items: Iterable[MemoryItem]) -> list[str]:
    return [item.text for item in items]


class LongTermMemoryContract(ABC):
    """The contract. A subclass says how to create an empty memory."""

    @abstractmethod
    def create(self) -> AbstractAsyncContextManager[LongTermMemory]:
        """Create an empty memory; leaving the context disposes of it."""

    def use(self, work: Callable[[LongTermMemory], Awaitable[None]]) -> None:
        """Do something with an empty memory."""

        async def main() -> None:
            async with self.create() as memory:
                await work(memory)

        asyncio.run(main())

    def test_is_a_long_term_memory(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            assert isinstance(memory, LongTermMemory)

        self.use(work)

    def test_unknown_scope_remembers_nothing(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            assert await memory.recall(ADA, "anything") == ()
            assert await memory.recall(ADA, "") == ()
            assert await memory.forget(ADA, "m1") is False

        self.use(work)

    def test_what_is_remembered_is_recalled(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            kept = await memory.remember(ADA, "Ada drinks green tea.", tags={"kind": "taste"})
            (found,) = await memory.recall(ADA, "What tea?")

            assert (found.id, found.text) == (kept.id, "Ada drinks green tea.")
            assert dict(found.tags) == {"kind": "taste"}
            assert found.created_at == kept.created_at
            assert found.created_at.utcoffset() == timedelta(0)
            assert 0 < found.score <= 1
            assert kept.score == 0

        self.use(work)

    def test_what_fits_better_comes_first(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            await memory.remember(ADA, "The office has a coffee machine.")
            await memory.remember(ADA, "Ada drinks green tea in the morning.")
            await memory.remember(ADA, "Tea is kept in the kitchen.")
            found = await memory.recall(ADA, "green tea morning")

            assert read_texts(found)[:2] == [
                "Ada drinks green tea in the morning.",
                "Tea is kept in the kitchen.",
            ]
            scores = [item.score for item in found]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= score <= 1 for score in scores)

        self.use(work)

    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("Die Stra\u00dfe hei\u00dft Gr\u00fcner Weg.", "GR\u00dcNER"),
            ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u043c\u0438\u0440"),
            ("\u5979\u559c\u6b22\u559d\u7eff\u8336\u3002", "\u7eff\u8336"),
        ],
        ids=["german", "russian", "chinese"],
    )
    def test_words_of_any_script_are_found(self, text: str, query: str) -> None:
        async def work(memory: LongTermMemory) -> None:
            await memory.remember(ADA, "Something else altogether.")
            await memory.remember(ADA, text)

            assert read_texts(await memory.recall(ADA, query))[:1] == [text]

        self.use(work)

    def test_text_comes_back_as_it_was(self) -> None:
        text = " tea \u202e \U0001f600 ' \" \\ %s\r\n"

        async def work(memory: LongTermMemory) -> None:
            await memory.remember(ADA, text, tags={"\u00e9 ": ""})
            (found,) = await memory.recall(ADA, "tea")

            assert (found.text, dict(found.tags)) == (text, {"\u00e9 ": ""})

        self.use(work)

    @pytest.mark.parametrize("query", ["", " \n"])
    def test_blank_question_gets_the_newest(self, query: str) -> None:
        async def work(memory: LongTermMemory) -> None:
            for text in ("first", "second", "third"):
                await memory.remember(ADA, text)
            found = await memory.recall(ADA, query, limit=2)

            assert read_texts(found) == ["third", "second"]
            assert [item.score for item in found] == [0, 0]

        self.use(work)

    def test_limit_is_kept(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            for index in range(8):
                await memory.remember(ADA, f"tea number {index}")

            assert len(await memory.recall(ADA, "tea")) == 5
            assert len(await memory.recall(ADA, "tea", limit=1)) == 1
            assert len(await memory.recall(ADA, "tea", limit=100)) == 8

        self.use(work)

    @pytest.mark.parametrize("limit", [0, -1])
    def test_limit_of_nothing_is_refused(self, limit: int) -> None:
        async def work(memory: LongTermMemory) -> None:
            with pytest.raises(ConfigurationError, match="limit"):
                await memory.recall(ADA, "tea", limit=limit)

        self.use(work)

    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    def test_blank_text_is_refused(self, text: str) -> None:
        async def work(memory: LongTermMemory) -> None:
            with pytest.raises(ConfigurationError, match="blank"):
                await memory.remember(ADA, text)

            assert await memory.recall(ADA, "") == ()

        self.use(work)

    def test_same_text_is_kept_once_with_all_its_tags(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            first = await memory.remember(ADA, "tea", tags={"a": "1", "b": "1"})
            await memory.remember(ADA, "coffee")
            again = await memory.remember(ADA, "tea", tags={"b": "2", "c": "2"})
            found = await memory.recall(ADA, "")

            assert (again.id, again.created_at) == (first.id, first.created_at)
            assert dict(again.tags) == {"a": "1", "b": "2", "c": "2"}
            assert read_texts(found) == ["coffee", "tea"]
            assert dict(found[1].tags) == dict(again.tags)

        self.use(work)

    def test_only_items_with_all_tags_are_found(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            await memory.remember(ADA, "green tea", tags={"kind": "drink", "hot": "yes"})
            await memory.remember(ADA, "iced tea", tags={"kind": "drink", "hot": "no"})
            await memory.remember(ADA, "tea cup")

            async def find(query: str, **tags: str) -> list[str]:
                return sorted(read_texts(await memory.recall(ADA, query, limit=1, tags=tags)))

            assert await find("tea", hot="no") == ["iced tea"]
            assert await find("", kind="drink", hot="yes") == ["green tea"]
            assert await find("tea", kind="cup") == []
            assert len(await memory.recall(ADA, "tea", tags={})) == 3

        self.use(work)

    def test_forgotten_item_is_gone_and_others_stay(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            first = await memory.remember(ADA, "green tea")
            second = await memory.remember(ADA, "black tea")

            assert await memory.forget(ADA, first.id) is True
            assert await memory.forget(ADA, first.id) is False
            assert read_texts(await memory.recall(ADA, "tea")) == ["black tea"]

            again = await memory.remember(ADA, "green tea")
            assert again.id not in (first.id, second.id)

        self.use(work)

    @pytest.mark.parametrize("item_id", ["", "m", "m1", "9" * 5000, "\u0661", "'; --"])
    def test_unknown_item_cannot_be_forgotten(self, item_id: str) -> None:
        async def work(memory: LongTermMemory) -> None:
            kept = await memory.remember(ADA, "tea")
            if item_id != kept.id:
                assert await memory.forget(ADA, item_id) is False

            assert read_texts(await memory.recall(ADA, "tea")) == ["tea"]

        self.use(work)

    @pytest.mark.parametrize("other", [BOB, OTHER_ADA], ids=["owner", "tenant"])
    def test_nothing_crosses_to_another_scope(self, other: MemoryScope) -> None:
        async def work(memory: LongTermMemory) -> None:
            kept = await memory.remember(ADA, "Ada drinks tea.", tags={"a": "1"})

            assert await memory.recall(other, "tea") == ()
            assert await memory.recall(other, "", tags={"a": "1"}) == ()
            assert await memory.forget(other, kept.id) is False
            await memory.remember(other, "Ada drinks tea.")
            assert [dict(item.tags) for item in await memory.recall(ADA, "tea")] == [{"a": "1"}]

        self.use(work)

    def test_many_at_the_same_time_lose_nothing(self) -> None:
        async def work(memory: LongTermMemory) -> None:
            items = await asyncio.gather(
                *(memory.remember(ADA, f"tea {index % 10}") for index in range(20))
            )

            assert len({item.id for item in items}) == 10
            assert len(await memory.recall(ADA, "tea", limit=100)) == 10

        self.use(work)
