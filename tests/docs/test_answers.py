"""The main job of the README: the documents answer the questions that newcomers have, without a key."""

from __future__ import annotations

import re

import pytest

from agent_factory.core import Agent, ToolRegistry
from agent_factory.core.blueprints import Adapters, create_agent, load_blueprint
from agent_factory.integrations.extractive import ExtractiveModel
from agent_factory.integrations.tools import create_builtin_entries
from tests.docs.markdown import ROOT


@pytest.fixture(scope="module")
def agent() -> Agent[object, str]:
    adapters = Adapters(
        ToolRegistry(create_builtin_entries()),
        create_model=lambda use, settings: ExtractiveModel(),
    )
    return create_agent(load_blueprint(ROOT / "blueprints/ask-docs.yaml"), adapters)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How do I add a package?", "To add a package, create `packages/NAME/`"),
        ("Which model answers without a key?", "The extractive model answers without a key"),
        ("How do I run the unit tests?", "To run the unit tests, call"),
        ("What is a blueprint?", "A blueprint is a YAML file that describes"),
        ("Can a blueprint run code?", "A blueprint cannot contain code"),
        ("What does exit code 3 mean?", "| 3 | the blueprint is wrong"),
        ("How do I install the local model?", "To install it, add the extra `local`"),
        ("What is a tool?", "A tool is a function that a model may ask an agent to call."),
        ("How do I write a tool?", "To write a tool, put the decorator `@tool`"),
        ("How do I install the command line?", "To install the command line, run"),
        ("How do I use a model from Python?", "To use a model from Python, create it"),
        ("Can an agent read files outside the folder?", "nothing outside that folder can be read"),
        ("Which limits does a run have?", "Every run has"),
    ],
)
def test_question_gets_the_sentence_that_answers_it(
    agent: Agent[object, str], question: str, sentence: str
) -> None:
    answer = agent.run_sync(question, deps=None).output

    quoted = " ".join(re.sub(r"^> ?", "", line) for line in answer.splitlines())
    assert sentence in quoted


def test_quotations_stand_where_the_answer_says(agent: Agent[object, str]) -> None:
    answer = agent.run_sync("How do I add a package?", deps=None).output

    places = re.findall(r"(\S*docs/[\w/.-]+):(\d+)[^\n]*\n> (.+)", answer)
    assert places
    for file, line, quoted in places:
        page = ROOT / "docs" / file.rpartition("docs/")[2]
        assert page.read_text(encoding="utf-8").splitlines()[int(line) - 1] == quoted
