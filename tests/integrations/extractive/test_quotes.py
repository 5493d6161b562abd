from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_factory.integrations.extractive.findings import FoundPassage
from agent_factory.integrations.extractive.planning import read_question
from agent_factory.integrations.extractive.quotes import Quote, choose_quote
from agent_factory.integrations.extractive.terms import Terms


def quote(text: str, question: str, *, heading: str = "") -> Quote | None:
    passage = FoundPassage(file="a.md", line=10, heading=heading, text=text)
    return choose_quote(passage, Terms(read_question(question), [text]).measure)


def test_the_paragraph_with_the_words_is_quoted_at_its_line() -> None:
    text = "# Title\n\nNothing here.\n\nThe zebra\nis striped.\n\nMore."
    assert quote(text, "zebra") == Quote(14, "The zebra\nis striped.")


def test_below_a_heading_with_the_words_the_beginning_is_quoted() -> None:
    text = "## Adding zebras\n\nFirst do this.\n\nThen that."
    assert quote(text, "How do I add zebras?", heading="Zoo > Adding zebras") == Quote(
        12, "First do this.\n\nThen that."
    )


def test_code_comes_with_the_sentence_that_announces_it() -> None:
    text = "Intro.\n\nTo begin, call:\n\n```sh\nfeed zebra\n\n# done\n```\n\nEnd."
    expected = Quote(12, "To begin, call:\n\n```sh\nfeed zebra\n\n# done\n```")
    assert quote(text, "zebra") == expected
    assert quote(text, "begin") == expected


def test_a_list_comes_with_the_sentence_that_announces_it() -> None:
    text = "Animals:\n\n- a lion\n- a zebra\n\nEnd."
    assert quote(text, "animals") == Quote(10, "Animals:\n\n- a lion\n- a zebra")


def test_one_point_of_a_list_is_quoted_alone() -> None:
    assert quote("Intro.\n\n- a lion\n- a zebra\n  of stripes\n- an owl", "zebra") == Quote(
        13, "- a zebra\n  of stripes"
    )


def test_a_table_comes_with_the_sentence_that_announces_it() -> None:
    table = "| animal | look |\n|---|---|\n| zebra | striped |"
    assert quote(f"Intro.\n\nThe animals:\n\n{table}", "animals") == Quote(
        12, f"The animals:\n\n{table}"
    )
    assert quote(f"Intro.\n\n{table}", "zebra") == Quote(14, "| zebra | striped |")


def test_steps_are_quoted_together() -> None:
    steps = "1. Open it.\n2. Feed the zebra.\n3. Close it."
    assert quote(f"Intro.\n\n{steps}", "zebra") == Quote(12, steps)


def test_a_long_paragraph_is_cut_to_its_best_sentences() -> None:
    filler = "Nothing of interest stands in this sentence. " * 30
    found = quote(f"{filler}\nThe zebra is striped. {filler}", "zebra")
    assert found is not None
    assert found.line == 11
    assert found.text.startswith("The zebra is striped. Nothing")
    assert found.text.endswith("sentence.")
    assert len(found.text) <= 900


def test_long_code_is_cut_at_its_end() -> None:
    found = quote("```\n" + "zebra()\n" * 50 + "```", "zebra")
    assert found is not None
    assert (found.line, found.text.count("\n")) == (10, 13)


@pytest.mark.parametrize(
    "text", ["# Only a heading", "Title\n=====", "<p>\n\n![picture](x.png)", "---"]
)
def test_headings_and_decoration_are_not_quoted(text: str) -> None:
    assert quote(text, "heading title picture") is None


LINES = st.lists(
    st.sampled_from(
        ["", "zebra.", "# A", "---", "```", "- x", "1. y", "a: ", "| x |", "word " * 250, "<b>"]
    )
    | st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30),
    max_size=60,
)


@given(LINES)
def test_a_quotation_is_word_for_word_and_short_whatever_the_text(lines: list[str]) -> None:
    found = quote("\n".join(lines), "zebra word")
    if found is not None:
        assert found.text.strip()
        assert "\n".join(lines[found.line - 10 :]).find(found.text.split("\n")[0]) >= 0
        assert found.text in "\n".join(lines[found.line - 10 :])
        assert found.text.split("\n")[0] in lines[found.line - 10]
        assert len(found.text) <= 900
