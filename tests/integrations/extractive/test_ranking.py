from __future__ import annotations

import json

import pytest

from agent_factory.integrations.extractive.findings import (
    FoundPassage,
    SearchFindings,
    read_findings,
)
from agent_factory.integrations.extractive.planning import read_question
from agent_factory.integrations.extractive.ranking import rank
from agent_factory.integrations.extractive.terms import Terms


def order(question: str, *passages: FoundPassage) -> list[str]:
    ranking = rank(read_question(question), [SearchFindings(passages=list(passages))])
    return [item.passage.file for item in ranking.passages]


def passage(file: str, text: str, *, heading: str = "", score: float = 1.0) -> FoundPassage:
    return FoundPassage(file=file, line=1, heading=heading, text=text, score=score)


def test_a_heading_with_the_words_counts() -> None:
    text = "Feed the zebra."
    assert order("zebra", passage("a", text), passage("b", text, heading="Zebra")) == ["b", "a"]


def test_the_score_of_the_search_counts() -> None:
    text = "Feed the zebra."
    assert order("zebra", passage("a", text), passage("b", text, score=2.0)) == ["b", "a"]


def test_words_side_by_side_count() -> None:
    apart = passage("a", "The unit has many fine tests.")
    beside = passage("b", "The fine unit tests has many.")
    assert order("unit tests", apart, beside) == ["b", "a"]


def test_words_in_one_sentence_count_more_than_in_two() -> None:
    apart = passage("a", "Zebras are striped here. Many lions are hungry.")
    beside = passage("b", "Zebras see lions there. Many others are hungry.")
    assert order("Do zebras like lions", apart, beside) == ["b", "a"]


def test_steps_count_for_a_question_that_asks_how() -> None:
    said = passage("a", "Feed the zebra. It is good.")
    shown = passage("b", "Feed the zebra. Call `feed zebra`.")
    assert order("How do I feed a zebra?", said, shown) == ["b", "a"]
    assert order("What is a zebra?", said, shown) == ["a", "b"]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common = [passage(f"c{number}", "Animals live here.") for number in range(5)]
    assert order("animals zebra", *common, passage("z", "A zebra lives here."))[0] == "z"


def test_a_synonym_counts_less_than_the_word() -> None:
    assert order(
        "remove zebras", passage("a", "Delete zebras here."), passage("b", "Remove zebras here.")
    ) == ["b", "a"]


def test_equal_passages_come_in_the_order_of_their_places() -> None:
    text = "Feed the zebra."
    assert order("zebra", passage("b", text), passage("a", text)) == ["a", "b"]


def test_a_passage_found_twice_is_ranked_once() -> None:
    found = SearchFindings(passages=[passage("a", "zebra")])
    assert len(rank(read_question("zebra"), [found, found]).passages) == 1


def test_a_passage_of_headings_alone_is_left_out() -> None:
    assert order("zebra", passage("a", "# Zebra")) == []


def test_keywords_that_no_passage_has_are_missing() -> None:
    found = SearchFindings(passages=[passage("a", "Erase the zebra.")])
    assert rank(read_question("Which zebras and unicorns?"), [found]).missing == ("unicorns",)


def test_an_example_of_the_question_in_a_document_counts_for_nothing() -> None:
    question = read_question("How do I feed a zebra?")
    example = 'ask "How do I feed a zebra?"'
    assert Terms(question, [example, "zebra feed"]).measure(example) == 0


def test_the_parts_of_a_name_in_a_document_are_words() -> None:
    terms = Terms(read_question("Why is the database locked?"), ["DatabaseLocked"])
    assert terms.measure("DatabaseLocked") == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no JSON", "Invalid JSON"),
        ("[]", "object"),
        ("{}", "passages: Field required"),
        ('{"passages": [{"file": "a", "text": "x"}]}', r"passages\.0\.line: Field required"),
    ],
)
def test_a_result_of_another_shape_is_refused_with_the_reason(content: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_findings(content)


def test_a_result_may_have_more_than_is_needed() -> None:
    content = {"passages": [{"file": "a", "line": 1, "text": "x", "more": 1}], "took": 3}
    assert read_findings(json.dumps(content)).passages[0].heading == ""
