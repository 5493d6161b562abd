"""What every adapter of core's `Journal` port promises; each adapter's tests run it.

```python
class TestMyJournal(JournalContract):
    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Journal]:
        yield MyJournal()
```
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import get_args

import pytest

from agent_factory.core.journal import Journal, JournalEntry
from agent_factory.core.messages import ToolOutcome

__all__ = ["ENTRY", "JournalContract"]

ENTRY = JournalEntry("run-1:1", "run-1", "pay", '{"sum":3,"to":"b\\u00f6b"}')
"""A call that begins."""


class JournalContract(ABC):
    """The contract. A subclass says how to open a journal."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Journal]:
        """Open an empty journal that is used by nobody else."""

    def test_it_is_a_journal(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                assert isinstance(journal, Journal)

        asyncio.run(check())

    def test_call_that_is_not_on_record_may_run(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                assert await journal.begin(ENTRY) is None

        asyncio.run(check())

    def test_call_that_began_is_on_record_without_an_end(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                assert await journal.begin(ENTRY) == ENTRY

        asyncio.run(check())

    def test_look_up_of_a_call_that_is_not_on_record_finds_nothing(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                assert await journal.get(ENTRY.key) is None
                await journal.begin(ENTRY)
                assert await journal.get("run-1:2") is None

        asyncio.run(check())

    def test_look_up_puts_nothing_on_record(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                await journal.get(ENTRY.key)
                assert await journal.begin(ENTRY) is None

        asyncio.run(check())

    def test_look_up_finds_a_call_that_began(self) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                assert await journal.get(ENTRY.key) == ENTRY
                assert await journal.begin(ENTRY) == ENTRY

        asyncio.run(check())

    @pytest.mark.parametrize("outcome", get_args(ToolOutcome))
    def test_look_up_finds_how_a_call_ended(self, outcome: ToolOutcome) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                await journal.end(ENTRY.key, outcome, "paid")
                assert await journal.get(ENTRY.key) == replace(
                    ENTRY, outcome=outcome, content="paid"
                )

        asyncio.run(check())

    @pytest.mark.parametrize("outcome", get_args(ToolOutcome))
    def test_end_of_a_call_is_on_record(self, outcome: ToolOutcome) -> None:
        async def check() -> None:
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                await journal.end(ENTRY.key, outcome, "paid")
                assert await journal.begin(ENTRY) == replace(ENTRY, outcome=outcome, content="paid")

        asyncio.run(check())

    @pytest.mark.parametrize(
        "content", ["", "\n", '"quoted" \\ \x7f', "gr\u00fc\u00df \U0001f600", "x" * 200_000]
    )
    def test_any_result_comes_back_as_it_was(self, content: str) -> None:
        async def check() -> JournalEntry | None:
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                await journal.end(ENTRY.key, "ok", content)
                return await journal.begin(ENTRY)

        known = asyncio.run(check())

        assert known is not None
        assert known.content == content

    def test_another_call_of_the_same_key_does_not_take_the_place_of_the_first(self) -> None:
        async def check() -> None:
            other = JournalEntry(ENTRY.key, "run-2", "give", "{}")
            async with self.opened() as journal:
                await journal.begin(ENTRY)
                assert await journal.begin(other) == ENTRY
                assert await journal.begin(ENTRY) == ENTRY

        asyncio.run(check())

    def test_calls_of_other_keys_are_apart(self) -> None:
        async def check() -> None:
            other = replace(ENTRY, key="run-1:2")
            async with self.opened() as journal:
                assert await journal.begin(ENTRY) is None
                assert await journal.begin(other) is None
                await journal.end(other.key, "ok", "paid")
                assert await journal.begin(ENTRY) == ENTRY

        asyncio.run(check())

    def test_one_of_many_that_begin_at_once_may_run(self) -> None:
        async def check() -> list[JournalEntry | None]:
            async with self.opened() as journal:
                return await asyncio.gather(*(journal.begin(ENTRY) for _ in range(20)))

        answers = asyncio.run(check())

        assert answers.count(None) == 1
        assert answers.count(ENTRY) == 19
