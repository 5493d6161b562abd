from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.memory import InMemoryLongTermMemory, LongTermMemory, MemoryScope
from tests.core.memory.long_term_contract import LongTermMemoryContract, read_texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_factory.core.memory import MemoryItem

ADA = MemoryScope("acme", "ada")


class TestInMemoryLongTermMemory(LongTermMemoryContract):
    @asynccontextmanager
    async def create(self) -> AsyncIterator[LongTermMemory]:
        yield InMemoryLongTermMemory()


def find(query: str, *texts: str) -> tuple[MemoryItem, ...]:
    """Return what a memory of some texts finds."""

    async def main() -> tuple[MemoryItem, ...]:
        memory = InMemoryLongTermMemory()
        for text in texts:
            await memory.remember(ADA, text)
        return await memory.recall(ADA, query, limit=100)

    return asyncio.run(main())


def test_score_is_the_part_of_the_best_score_possible() -> None:
    (found,) = find("tea sugar", "tea")

    # By hand: two words, of which one item of one has one, once, in a text of mean length.
    known, unknown = math.log(1 + 0.5 / 1.5), math.log(1 + 1.5 / 0.5)
    assert found.score == pytest.approx(known * (1 / 2.2) / (known + unknown))


def test_rare_words_count_more_than_common_ones() -> None:
    found = find("blue tea", "tea one", "tea two", "tea three", "blue four")

    assert found[0].text == "blue four"


def test_short_texts_that_say_it_count_more_than_long_ones() -> None:
    found = find("tea", "tea", "tea and a great many other words that have nothing to do with it")

    assert found[0].text == "tea"


def test_newest_of_equals_comes_first() -> None:
    assert read_texts(find("tea", "tea b", "tea a", "tea c")) == ["tea c", "tea a", "tea b"]


def test_text_without_a_word_of_the_question_is_not_found() -> None:
    assert find("automobile", "A car.") == ()
    assert find("?!", "A car?!") == ()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("cafe", "Caf\u00e9 Zentral"),
        ("zu\u0308rich", "Z\u00dcRICH"),
        ("strasse", "Stra\u00dfe"),
        ("\uff34\uff25\uff21", "tea"),
        ("\u8336", "\u7eff\u8336\u3002"),
        (
            "\u0928\u092e\u0938\u094d\u0924\u0947",
            "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
        ),
        ("\uc548\ub155", "\uc548\ub155 \uc138\uc0c1"),
        ("order-17", "Order 17 is late."),
    ],
    ids=["accent", "combining", "sharp s", "width", "han", "devanagari", "hangul", "digits"],
)
def test_case_accents_and_width_do_not_matter(query: str, text: str) -> None:
    assert read_texts(find(query, "unrelated", text)) == [text]


def test_letters_are_no_words_where_a_script_has_spaces() -> None:
    assert find("t", "tea") == ()
    assert find("\u0924", "\u0928\u092e\u0938\u094d\u0924\u0947") == ()


def test_oldest_is_forgotten_where_a_scope_is_full() -> None:
    async def main() -> None:
        memory = InMemoryLongTermMemory(max_items=2)
        other = MemoryScope("acme", "bob")
        await memory.remember(other, "tea of bob")
        first = await memory.remember(ADA, "tea 1")
        await memory.remember(ADA, "tea 2")
        await memory.remember(ADA, "tea 1")
        await memory.remember(ADA, "tea 3")

        assert read_texts(await memory.recall(ADA, "")) == ["tea 3", "tea 2"]
        assert read_texts(await memory.recall(ADA, "tea")) == ["tea 3", "tea 2"]
        assert await memory.forget(ADA, first.id) is False
        assert read_texts(await memory.recall(other, "tea")) == ["tea of bob"]

    asyncio.run(main())


@pytest.mark.parametrize("value", [0, -1, True, 1.5])
def test_bound_that_is_no_positive_number_is_refused(value: int) -> None:
    with pytest.raises(ConfigurationError, match="max_items must be a whole number of at least 1"):
        InMemoryLongTermMemory(max_items=value)


def test_time_comes_from_the_clock() -> None:
    class Noon:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, 12, tzinfo=UTC)

    memory = InMemoryLongTermMemory(clock=Noon())

    assert asyncio.run(memory.remember(ADA, "tea")).created_at == Noon().now()


def test_tags_of_an_item_cannot_be_changed() -> None:
    item = asyncio.run(InMemoryLongTermMemory().remember(ADA, "tea", tags={"a": "1"}))

    with pytest.raises(TypeError):
        item.tags["a"] = "2"  # type: ignore[index]


words = st.sampled_from(["tea", "green", "\u8336", "caf\u00e9", "x", "17"])
sentences = st.lists(words | st.text(max_size=3), min_size=1, max_size=6).map(" ".join)


@given(st.lists(sentences.filter(str.strip), max_size=8), sentences, st.integers(1, 8))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_scores_fall_from_1_to_0_and_removal_leaves_no_trace(
    texts: list[str], query: str, kept: int
) -> None:
    async def main() -> None:
        memory, fresh = InMemoryLongTermMemory(), InMemoryLongTermMemory()
        texts_once = list(dict.fromkeys(texts))
        items = [await memory.remember(ADA, text) for text in texts_once]
        for item in items[kept:]:
            await memory.forget(ADA, item.id)
        for text in texts_once[:kept]:
            await fresh.remember(ADA, text)
        found = await memory.recall(ADA, query, limit=100)
        scores = [item.score for item in found]

        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score < 1 for score in scores)
        expected = await fresh.recall(ADA, query, limit=100)
        assert read_texts(found) == read_texts(expected)
        assert scores == pytest.approx([item.score for item in expected])

    asyncio.run(main())
