"""What every adapter of core's `MemoryStore` port promises; each adapter's tests run it.

```python
class TestMyStore(MemoryStoreContract):
    @asynccontextmanager
    async def create(self) -> AsyncIterator[MemoryStore]:
        yield MyStore(...)
```
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.exceptions import HistoryError, MemoryConflictError
from agent_factory.core.memory import MemoryScope, MemoryStore
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    check_history,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["MemoryStoreContract"]

ADA = MemoryScope("acme", "ada")
BOB = MemoryScope("acme", "bob")
OTHER_ADA = MemoryScope("umbrella", "ada")

HELLO: tuple[Message, ...] = (UserMessage("Hello"), AssistantMessage("Good morning."))
CALL = AssistantMessage("", (ToolCall("call-1", "look", '{"at": "it"}'),))
RESULT = ToolMessage("call-1", "look", "seen")


class MemoryStoreContract(ABC):
    """The contract. A subclass says how to create an empty store."""

    @abstractmethod
    def create(self) -> AbstractAsyncContextManager[MemoryStore]:
        """Create an empty store; leaving the context disposes of it."""

    def use(self, work: Callable[[MemoryStore], Awaitable[None]]) -> None:
        """Do something with an empty store."""

        async def main() -> None:
            async with self.create() as store:
                await work(store)

        asyncio.run(main())

    def test_is_a_memory_store(self) -> None:
        async def work(store: MemoryStore) -> None:
            assert isinstance(store, MemoryStore)

        self.use(work)

    def test_unknown_conversation_is_empty(self) -> None:
        async def work(store: MemoryStore) -> None:
            assert await store.load(ADA) == ()

        self.use(work)

    def test_messages_come_back_in_their_order(self) -> None:
        async def work(store: MemoryStore) -> None:
            await store.append(ADA, HELLO, expected=0)
            await store.append(ADA, [CALL, RESULT], expected=2)
            await store.append(ADA, [], expected=4)

            assert await store.load(ADA) == (*HELLO, CALL, RESULT)

        self.use(work)

    def test_messages_come_back_with_everything_in_them(self) -> None:
        said: tuple[Message, ...] = (
            SystemMessage("Rules \u00e9"),
            UserMessage(
                "\u4f60\u597d \U0001f600\n\t\u0000\u202e ' \" \\ %s",
                (Image("https://a.example/b", "low"),),
            ),
            AssistantMessage(
                "",
                (ToolCall("1", "look", "{not json"), ToolCall("2", "look", "")),
                (Reasoning("thought", '{"id": "r"}', "openai.responses"), Reasoning("")),
            ),
            ToolMessage("2", "look", "", "unknown"),
            ToolMessage("1", "look", "no", "denied"),
            AssistantMessage("e\u0301 is not \u00e9"),
        )

        async def work(store: MemoryStore) -> None:
            await store.append(ADA, said, expected=0)

            assert await store.load(ADA) == said

        self.use(work)

    def test_scopes_with_strange_names_are_kept_apart(self) -> None:
        pairs = [
            ("a", "b/c"),
            ("a/b", "c"),
            ("a", "B/c"),
            ("a ", "b/c"),
            ("\u00e9", "%"),
            ("e\u0301", "%"),
        ]
        scopes = [MemoryScope(tenant, owner) for tenant, owner in pairs]

        async def work(store: MemoryStore) -> None:
            for index, scope in enumerate(scopes):
                await store.append(scope, [UserMessage(str(index))], expected=0)
            for index, scope in enumerate(scopes):
                assert await store.load(scope) == (UserMessage(str(index)),)

        self.use(work)

    @pytest.mark.parametrize("other", [BOB, OTHER_ADA], ids=["owner", "tenant"])
    def test_nothing_crosses_to_another_scope(self, other: MemoryScope) -> None:
        async def work(store: MemoryStore) -> None:
            await store.append(ADA, HELLO, expected=0)
            assert await store.load(other) == ()

            await store.append(other, [UserMessage("mine")], expected=0)
            await store.clear(other)
            assert await store.load(ADA) == HELLO

        self.use(work)

    @pytest.mark.parametrize("expected", [0, 1, 3, -1])
    def test_conversation_of_another_length_is_a_conflict(self, expected: int) -> None:
        async def work(store: MemoryStore) -> None:
            await store.append(ADA, HELLO, expected=0)
            with pytest.raises(MemoryConflictError) as info:
                await store.append(ADA, HELLO, expected=expected)

            assert info.value.retryable
            assert info.value.details == {"expected": expected, "found": 2}
            assert await store.load(ADA) == HELLO

        self.use(work)

    def test_unknown_conversation_has_no_messages(self) -> None:
        async def work(store: MemoryStore) -> None:
            with pytest.raises(MemoryConflictError):
                await store.append(ADA, HELLO, expected=2)

            assert await store.load(ADA) == ()

        self.use(work)

    @pytest.mark.parametrize(
        "broken",
        [(CALL,), (RESULT,), (*HELLO, CALL), (CALL, *HELLO, RESULT), (CALL, RESULT, RESULT)],
        ids=["call", "result", "late", "between", "twice"],
    )
    def test_conversation_that_is_not_whole_is_refused_whole(
        self, broken: tuple[Message, ...]
    ) -> None:
        async def work(store: MemoryStore) -> None:
            for before in ((), HELLO):
                await store.append(ADA, before, expected=0)
                with pytest.raises(HistoryError):
                    await store.append(ADA, broken, expected=len(before))
                assert await store.load(ADA) == before

        self.use(work)

    def test_conflict_is_told_before_what_is_not_whole(self) -> None:
        async def work(store: MemoryStore) -> None:
            with pytest.raises(MemoryConflictError):
                await store.append(ADA, [CALL], expected=1)

        self.use(work)

    def test_one_of_two_that_add_at_the_same_time_gets_a_conflict(self) -> None:
        async def work(store: MemoryStore) -> None:
            outcomes = await asyncio.gather(
                *(store.append(ADA, [UserMessage(str(index))], expected=0) for index in range(8)),
                return_exceptions=True,
            )

            failures = [outcome for outcome in outcomes if outcome is not None]
            assert len(failures) == 7
            assert all(isinstance(failure, MemoryConflictError) for failure in failures)
            assert await store.load(ADA) == (UserMessage(str(outcomes.index(None))),)

        self.use(work)

    def test_writers_that_try_again_lose_nothing(self) -> None:
        async def work(store: MemoryStore) -> None:
            async def add(name: str) -> None:
                said = (UserMessage(name), CALL, RESULT)
                while True:
                    known = len(await store.load(ADA))
                    try:
                        return await store.append(ADA, said, expected=known)
                    except MemoryConflictError:
                        await asyncio.sleep(0)

            await asyncio.gather(*(add(str(index)) for index in range(8)))

            said = check_history(await store.load(ADA))
            names = [message.text for message in said if isinstance(message, UserMessage)]
            assert sorted(names) == [str(index) for index in range(8)]
            assert said[1::3] == (CALL,) * 8

        self.use(work)

    def test_cleared_conversation_is_forgotten_and_may_begin_again(self) -> None:
        async def work(store: MemoryStore) -> None:
            await store.append(ADA, HELLO, expected=0)
            await store.clear(ADA)
            await store.clear(ADA)
            assert await store.load(ADA) == ()

            await store.append(ADA, [UserMessage("Again")], expected=0)
            assert await store.load(ADA) == (UserMessage("Again"),)

        self.use(work)

    def test_what_was_loaded_does_not_change_later(self) -> None:
        async def work(store: MemoryStore) -> None:
            said = list(HELLO)
            await store.append(ADA, said, expected=0)
            said.append(UserMessage("never said"))
            loaded = await store.load(ADA)
            await store.append(ADA, [UserMessage("More")], expected=2)

            assert loaded == HELLO

        self.use(work)
