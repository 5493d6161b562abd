from __future__ import annotations

import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.mcp.words import LastWords, clean


def test_last_words_are_the_last_ones() -> None:
    words = LastWords()
    for number in range(1000):
        words.add(f"line {number}\n\n")

    said = words.tell()

    assert said.startswith("; it last said:\n")
    assert said.endswith("line 998\nline 999")
    assert "line 1\n" not in said


def test_nothing_said_is_nothing_told() -> None:
    assert LastWords().tell() == ""


@given(st.lists(st.text(max_size=5000), max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_last_words_are_bounded_and_can_be_seen(texts: list[str]) -> None:
    words = LastWords()
    for text in texts:
        words.add(text)

    said = words.tell()

    assert len(said) <= 2100
    assert all(
        char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs")
        for char in said
    )


def test_long_text_is_cut_with_a_word_on_how_much_is_missing() -> None:
    assert clean("a" * 1500, 10) == "aaaaaaaaaa\n[... 1,490 more characters left out]"
