from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from agent_factory.core.journal import InMemoryJournal, Journal
from tests.core.journal_contract import ENTRY, JournalContract


class TestInMemoryJournal(JournalContract):
    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Journal]:
        yield InMemoryJournal()


def test_entries_stand_in_the_order_in_which_they_began() -> None:
    async def check() -> InMemoryJournal:
        journal = InMemoryJournal()
        second = replace(ENTRY, key="run-1:2")
        await journal.begin(ENTRY)
        await journal.begin(second)
        await journal.end(second.key, "ok", "paid")
        await journal.end(ENTRY.key, "error", "Error: no")
        return journal

    entries = asyncio.run(check()).entries

    assert list(entries) == ["run-1:1", "run-1:2"]
    assert [entry.outcome for entry in entries.values()] == ["error", "ok"]


def test_end_of_a_call_that_never_began_is_refused() -> None:
    with pytest.raises(KeyError):
        asyncio.run(InMemoryJournal().end("run-1:1", "ok", "paid"))
