from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_factory.core import ToolSpec
from agent_factory.integrations.extractive.planning import (
    find_calculator,
    find_search_tools,
    plan_first_search,
    plan_relaxed_search,
    read_arithmetic,
    read_question,
    write_search_arguments,
)
from agent_factory.integrations.extractive.words import stem

TEXT = {"type": "string"}


def spec(name: str, required: list[str], **properties: Any) -> ToolSpec:
    return ToolSpec(name, "", {"type": "object", "properties": properties, "required": required})


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("How do I add a package?", ["add", "package"]),
        ("What does `max_requests` mean?", ["max_requests"]),
        ("What's OPENAI_API_KEY, and why don't I need it?", ["OPENAI_API_KEY"]),
        ("Which of --changed-since or ./pants.toml?", ["--changed-since", "pants.toml"]),
        ("Key key KEY", ["Key"]),
        ("how do you do", ["how", "do", "you"]),
        ("Wie füge ich ein Paket hinzu?", ["Wie", "füge", "ich", "ein", "Paket", "hinzu"]),
        ("?!", []),
    ],
)
def test_the_words_that_say_something_are_the_keywords(text: str, keywords: list[str]) -> None:
    assert list(read_question(text).keywords) == keywords


def test_quoted_words_and_neighbours_are_phrases() -> None:
    question = read_question('Where is the "lock file" of unit tests?')
    assert question.phrases == ("lock file", "unit tests")
    assert plan_first_search(question) == (
        "lock file unit tests",
        '"lock file" "unit tests"',
    )


def test_a_second_search_uses_other_words() -> None:
    (query,) = plan_relaxed_search(read_question("How do I remove a frobnicator?"), ["frobnicator"])
    assert {"remove", "delete", "drop"} <= set(query.split())
    assert "frobnicator" not in query


def test_there_is_no_second_search_without_other_words() -> None:
    assert plan_relaxed_search(read_question("zebra?"), ["zebra"]) == ()


@given(st.text(max_size=3000))
def test_queries_of_any_question_are_few_and_short(text: str) -> None:
    question = read_question(text)
    for queries in (plan_first_search(question), plan_relaxed_search(question, question.keywords)):
        assert len(queries) <= 3
        assert all(0 < len(query) <= 600 for query in queries)


@pytest.mark.parametrize("text", ["-" * 200_000, "a" + "." * 200_000, "1" * 200_000, '"' * 200_000])
def test_a_hostile_question_does_not_hang_the_plan(text: str) -> None:
    assert len(read_question(text).keywords) <= 1
    assert read_arithmetic(text) is None


@pytest.mark.parametrize(
    ("tool", "found"),
    [
        (spec("search_documents", ["query"], query=TEXT, limit={"type": "integer"}), True),
        (spec("webSearch", ["query"], query=TEXT), True),
        (spec("lookup", ["query"], query=TEXT), False),
        (spec("search", ["query", "site"], query=TEXT, site=TEXT), False),
        (spec("search", [], query=TEXT), False),
        (spec("search", ["query"], query={"type": "integer"}), False),
        (spec("search", ["query"]), False),
        (ToolSpec("search", "", {}), False),
    ],
)
def test_a_search_tool_is_known_by_its_shape(tool: ToolSpec, found: bool) -> None:
    assert bool(find_search_tools([tool])) is found


def test_a_calculator_is_known_by_its_name_and_shape() -> None:
    wanted = spec("calculate", ["expression"], expression=TEXT)
    assert find_calculator([spec("calculate", ["x"], x=TEXT), wanted]) is wanted
    assert find_calculator([spec("compute", ["expression"], expression=TEXT)]) is None


@pytest.mark.parametrize(
    ("limit", "arguments"),
    [
        ({"type": "integer"}, {"query": "x", "limit": 10}),
        ({"type": "integer", "maximum": 3}, {"query": "x", "limit": 3}),
        ({"type": "string"}, {"query": "x"}),
    ],
)
def test_a_limit_is_given_where_the_tool_takes_one(
    limit: dict[str, object], arguments: dict[str, object]
) -> None:
    tool = spec("search", ["query"], query=TEXT, limit=limit)
    assert json.loads(write_search_arguments(tool, "x")) == arguments


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("What is 12 * (3 + 4)?", "12 * (3 + 4)"),
        ("please calculate 2^10", "2**10"),
        ("how much is 3 times 4 plus 1", "3 * 4 + 1"),
        ("What's 15 percent of 80?", "15 / 100 * 80"),
        ("1,234,567 / 2 =", "1234567 / 2"),
        ("sqrt(16) - max(1, 2)", "sqrt(16) - max(1, 2)"),
        ("what is the square root of 2 minus 1?", "sqrt(2) - 1"),
        ("6 \u00d7 7 \u00f7 2", "6 * 7 / 2"),
        ("-5 + 3", "-5 + 3"),
        ("What is 42?", None),
        ("What is 2026-11-22?", None),
        ("1.2.3", None),
        ("10/12/2026", None),
        ("How do I add 2 packages?", None),
        ("pants 2.17", None),
        ("", None),
        ("+ - *", None),
    ],
)
def test_plain_arithmetic_is_recognised(text: str, expression: str | None) -> None:
    assert read_arithmetic(text) == expression


@pytest.mark.parametrize(
    "forms",
    [
        "add adds added adding",
        "run runs running",
        "package packages packaged packaging",
        "configure configures configuring configuration",
        "dependency dependencies",
        "test tests tested testing",
        "use uses used using",
        "need needs needed needing",
        "feed feeds feeding",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("test", "text"), ("run", "rule"), ("key", "keep"), ("class", "clap"), ("string", "strip")],
)
def test_other_words_have_other_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)
