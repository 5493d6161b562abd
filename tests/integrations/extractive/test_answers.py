from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_factory.core import Agent, RunResult, ToolError, tool
from agent_factory.integrations.extractive import ExtractiveModel
from agent_factory.integrations.tools import create_calculate, create_search_documents
from tests.integrations.extractive.handbook import DOCUMENTS, QUESTIONS, write_documents

PLACE = re.compile(r"^(\S+):(\d+)(?: \(.*\))?$")


@pytest.fixture
def agent(tmp_path: Path) -> Agent[object]:
    write_documents(tmp_path)
    search = create_search_documents(tmp_path, prefix="")
    return Agent(name="clerk", model=ExtractiveModel(), tools=[search, create_calculate()])


def ask(agent: Agent[object], question: str) -> RunResult[str]:
    return agent.run_sync(question, deps=None)


def read_quotes(answer: str) -> list[tuple[str, int, str]]:
    """Return file, line and text of each quotation."""
    quotes: list[tuple[str, int, str]] = []
    for line in answer.splitlines():
        if match := PLACE.match(line):
            quotes.append((match[1], int(match[2]), ""))
        elif quotes and line.startswith(">"):
            file, number, text = quotes[-1]
            quotes[-1] = file, number, f"{text}{line.removeprefix('>').removeprefix(' ')}\n"
    return quotes


@pytest.mark.parametrize(("question", "place", "words"), QUESTIONS)
def test_the_best_passage_comes_first(
    agent: Agent[object], question: str, place: str, words: str
) -> None:
    file, line, text = read_quotes(ask(agent, question).output)[0]
    assert (f"{file}:{line}", words in text) == (place, True), text


@pytest.mark.parametrize("question", [question for question, _, _ in QUESTIONS])
def test_every_quotation_stands_at_its_place_word_for_word(
    agent: Agent[object], question: str
) -> None:
    quotes = read_quotes(ask(agent, question).output)
    assert 1 <= len(quotes) <= 3
    for file, number, text in quotes:
        lines = DOCUMENTS[file].splitlines()[number - 1 :]
        assert "\n".join(lines).startswith(text.rstrip("\n"))


def test_an_answer_says_that_it_is_from_no_language_model_and_how_to_get_one(
    agent: Agent[object],
) -> None:
    first, *_, last = ask(agent, "What is a reading?").output.splitlines()
    assert first.startswith("No language model is configured")
    assert "OPENAI_API_KEY" in last
    assert "OPENAI_BASE_URL" in last


def test_the_same_question_has_the_same_answer(agent: Agent[object]) -> None:
    answers = {ask(agent, "How do I add a sensor?").output for _ in range(3)}
    assert len(answers) == 1


def test_an_example_of_the_question_is_no_answer_to_it(agent: Agent[object]) -> None:
    assert 'weather ask "How do I add a sensor?"' not in ask(agent, "How do I add a sensor?").output


def test_what_the_documents_do_not_say_is_not_answered(agent: Agent[object]) -> None:
    answer = ask(agent, "Who won the football championship?").output
    assert "Nothing in the documents answers this" in answer
    assert "'won', 'football' or 'championship'" in answer
    assert read_quotes(answer) == []


def test_a_word_that_no_passage_has_is_named(agent: Agent[object]) -> None:
    assert (
        "No passage found has 'Kubernetes'."
        in ask(agent, "How do I run the unit tests on Kubernetes?").output
    )


def test_a_question_in_other_words_is_searched_twice_and_no_more(agent: Agent[object]) -> None:
    result = ask(agent, "How do I create a probe sensor?")
    assert result.usage.requests == 3
    assert read_quotes(result.output)


def test_a_run_counts_its_requests_and_no_tokens(agent: Agent[object]) -> None:
    usage = ask(agent, "What is a reading?").usage
    assert usage.requests == 2
    assert (usage.input_tokens, usage.output_tokens) == (0, 0)


def test_a_second_question_is_answered_for_itself(agent: Agent[object]) -> None:
    first = ask(agent, "What is a reading?")
    second = agent.run_sync("How do I add a sensor?", deps=None, history=first.messages)
    assert read_quotes(second.output)[0][0] == "CONTRIBUTING.md"


@pytest.mark.parametrize("question", ["???", "-", '""'])
def test_a_question_without_words_is_answered_honestly(agent: Agent[object], question: str) -> None:
    assert "no word in this question" in ask(agent, question).output


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What is 6 * 7?", "6 * 7 = 42"),
        ("17% of 2,340", "17 / 100 * 2340 = 397.8"),
        ("please calculate sqrt(2)", "sqrt(2) ≈ 1.41421356237309504880168872421"),
        ("1/3 =", "1/3 ≈ 0.333333333333333333333333333333 (exactly 1/3)"),
    ],
)
def test_plain_arithmetic_is_calculated(agent: Agent[object], question: str, line: str) -> None:
    assert line in ask(agent, question).output.splitlines()


def test_arithmetic_without_a_result_is_reported(agent: Agent[object]) -> None:
    assert "division by zero" in ask(agent, "What is 1/0?").output


def test_arithmetic_without_a_calculator_is_searched(tmp_path: Path) -> None:
    write_documents(tmp_path)
    agent = Agent(name="a", model=ExtractiveModel(), tools=[create_search_documents(tmp_path)])
    assert "Nothing in the documents" in agent.run_sync("What is 6 * 77?", deps=None).output


def test_without_a_search_tool_it_says_what_it_needs() -> None:
    agent = Agent[object](name="a", model=ExtractiveModel(), tools=[create_calculate()])
    answer = agent.run_sync("How do I add a sensor?", deps=None).output
    assert "its tools are calculate" in answer
    assert "search_documents" in answer


def test_a_search_that_fails_is_reported() -> None:
    @tool
    def search_wiki(query: str) -> str:
        raise ToolError("the wiki is down")

    agent = Agent[object](name="a", model=ExtractiveModel(), tools=[search_wiki])
    answer = agent.run_sync("What is a reading?", deps=None).output
    assert "the search failed" in answer
    assert "- search_wiki: Error: the wiki is down" in answer


def test_a_result_of_another_shape_is_reported() -> None:
    @tool
    def search_wiki(query: str) -> list[str]:
        return [query]

    agent = Agent[object](name="a", model=ExtractiveModel(), tools=[search_wiki])
    assert "has no passages that can be read" in ask(agent, "What is a reading?").output


def test_one_search_of_two_that_fails_is_told_with_the_answer(tmp_path: Path) -> None:
    @tool
    def search_wiki(query: str) -> str:
        raise ToolError("the wiki is down")

    write_documents(tmp_path)
    search = create_search_documents(tmp_path, prefix="")
    agent = Agent[object](name="a", model=ExtractiveModel(), tools=[search, search_wiki])
    answer = agent.run_sync("What is a reading?", deps=None).output
    assert read_quotes(answer)[0][0] == "docs/concepts.rst"
    assert "A search failed:\n- search_wiki: Error: the wiki is down" in answer


def test_what_could_not_be_searched_is_told(agent: Agent[object], tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"bad{number}.md").write_bytes(b"\xff")
    answer = ask(agent, "What is a reading?").output
    assert "Not searched:\n- bad0.md: 'bad0.md' is not UTF-8 text" in answer
    assert "- and 2 more" in answer
