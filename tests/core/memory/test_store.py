from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.exceptions import ConfigurationError, MemoryConflictError
from agent_factory.core.memory import InMemoryStore, MemoryScope, MemoryStore
from agent_factory.core.messages import UserMessage
from tests.core.memory.store_contract import MemoryStoreContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TestInMemoryStore(MemoryStoreContract):
    @asynccontextmanager
    async def create(self) -> AsyncIterator[MemoryStore]:
        yield InMemoryStore()


def test_threads_with_event_loops_of_their_own_lose_nothing() -> None:
    store = InMemoryStore()
    scope = MemoryScope("acme", "ada")

    async def add() -> None:
        for index in range(50):
            while True:
                known = len(await store.load(scope))
                try:
                    await store.append(scope, [UserMessage(str(index))], expected=known)
                except MemoryConflictError:
                    continue
                break

    threads = [Thread(target=lambda: asyncio.run(add())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asyncio.run(store.load(scope))) == 200


@pytest.mark.parametrize(("tenant", "owner"), [("", "ada"), ("acme", ""), (" ", "ada")])
def test_scope_of_nobody_is_refused(tenant: str, owner: str) -> None:
    with pytest.raises(ConfigurationError, match="of a memory scope must be a text"):
        MemoryScope(tenant, owner)
