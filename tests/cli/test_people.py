"""Answers of a person at the terminal, read as what a question asks for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.cli.approvals import DenyingApprover, TerminalApprover
from agent_factory.cli.people import (
    AbsentPerson,
    NobodyToAskError,
    TerminalPerson,
    parse_answer,
)
from agent_factory.cli.terminal import Terminal, TerminalClosedError
from agent_factory.core import Agent, RunOptions, tool
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.core.workflows.people import Question


class ScriptedTerminal(Terminal):
    """A terminal at which the lines that are given are typed; afterwards its input ends."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = list(lines)
        self.shown: list[str] = []

    async def ask(self, text: str, prompt: str, *, discard: bool = False) -> str:
        assert discard, "what was typed before the question is no answer to it"
        self.shown.append(f"{text}\n{prompt}")
        if not self.lines:
            raise TerminalClosedError
        return self.lines.pop(0)


def run(terminal: Terminal) -> list[str]:
    """Let an agent call a tool that needs approval, and return what it did."""
    done: list[str] = []

    @tool(needs_approval=True)
    def wipe(path: str) -> str:
        """Wipes a path.

        Args:
            path: The path.
        """
        done.append(path)
        return "wiped"

    model = ScriptedModel([create_tool_call("wipe", {"path": "/a\u202e\x9b"}), "done"])
    agent = Agent(name="clerk", model=model, tools=[wipe])
    agent.run_sync("x", options=RunOptions(approver=TerminalApprover(terminal)))
    return done


@pytest.mark.parametrize("answer", ["y", "Y", "yes"])
def test_only_a_yes_lets_a_call_run(answer: str) -> None:
    assert run(ScriptedTerminal(answer)) == ["/a\u202e\x9b"]


@pytest.mark.parametrize("answer", ["", "n", "no", "yeah", "y y", "always", "1", "true"])
def test_anything_else_denies_it(answer: str) -> None:
    assert run(ScriptedTerminal(answer)) == []


def test_input_that_ends_denies_it() -> None:
    assert run(ScriptedTerminal()) == []


def test_whole_call_is_shown_without_what_could_deceive() -> None:
    terminal = ScriptedTerminal("n")

    run(terminal)

    (shown,) = terminal.shown
    assert "clerk wants to call the tool wipe with" in shown
    assert '"path": "/a\ufffd\ufffd"' in shown
    assert shown.endswith("Approve this call? [y/N] ")


def test_where_nobody_is_there_the_model_is_told_why() -> None:
    @tool(needs_approval=True)
    def wipe() -> str:
        """Wipes."""
        raise AssertionError("it ran")

    model = ScriptedModel([create_tool_call("wipe", {}), "done"])
    agent = Agent(name="clerk", model=model, tools=[wipe])
    agent.run_sync("x", options=RunOptions(approver=DenyingApprover("nobody is here")))

    assert "nobody is here" in str(model.requests[-1].messages[-1])


def ask(terminal: Terminal, schema: dict[str, Any], value: Any = None) -> Any:
    question = Question("r:p", "w", "r", "p", "Publish it?", value, schema, 60.0)
    return asyncio.run(TerminalPerson(terminal).ask(question))


@pytest.mark.parametrize(
    ("schema", "typed", "answer"),
    [
        ({"type": "boolean"}, "y", True),
        ({"type": "boolean"}, "No", False),
        ({"type": "string"}, "as it is", "as it is"),
        ({"type": "string"}, "", ""),
        ({"type": "integer"}, "-4", -4),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "null"}, "", None),
        ({"enum": ["keep", "discard"]}, "2", "discard"),
        ({"enum": ["keep", "discard"]}, "keep", "keep"),
        ({"enum": ["2", "1"]}, "2", "2"),
        ({"enum": [True, 7]}, "7", 7),
        ({"const": "ok"}, "1", "ok"),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "null", None),
    ],
)
def test_answer_is_read_as_the_schema_asks(schema: dict[str, Any], typed: str, answer: Any) -> None:
    found = ask(ScriptedTerminal(typed), schema)

    assert (found, type(found)) == (answer, type(answer))


@pytest.mark.parametrize(
    ("schema", "typed"),
    [
        ({"type": "boolean"}, "maybe"),
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, "true"),
        ({"type": "number"}, "many"),
        ({"type": "number"}, "NaN"),
        ({"enum": ["keep", "discard"]}, "3"),
        ({"enum": ["keep", "discard"]}, "0"),
        ({"type": "array"}, "a, b"),
    ],
)
def test_question_is_put_again_until_there_is_an_answer(schema: dict[str, Any], typed: str) -> None:
    terminal = ScriptedTerminal(typed)

    with pytest.raises(NobodyToAskError):
        ask(terminal, schema)

    assert "That is no answer: type " in terminal.shown[1]


def test_question_is_shown_with_its_value_and_choices() -> None:
    terminal = ScriptedTerminal("1")

    ask(terminal, {"enum": ["keep", "discard"]}, {"title": "Lids\x1b[2J"})

    (shown,) = terminal.shown
    assert "Publish it?" in shown
    assert '"title": "Lids' in shown
    assert "  2. discard" in shown
    assert "\x1b" not in shown


def test_question_without_a_terminal_fails_and_says_what_to_do() -> None:
    question = Question("r:p", "w", "r", "p", "Publish it?", None, {"type": "boolean"}, 60.0)

    with pytest.raises(NobodyToAskError, match="run it at a terminal"):
        asyncio.run(AbsentPerson().ask(question))


@given(
    st.text(max_size=40),
    st.sampled_from(["boolean", "integer", "number", "string", "null", "array", "object"]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_typed_is_an_answer_or_a_value_error(text: str, kind: str) -> None:
    try:
        parse_answer(text, {"type": kind})
    except ValueError as error:
        said = str(error)
    else:
        said = "type nothing else"
    assert said.startswith("type ")
