"""Questions of workflows and tools to the person at the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from agent_factory.cli.terminal import TerminalClosedError
from agent_factory.cli.text import clean, format_json
from agent_factory.core.exceptions import CoreError

if TYPE_CHECKING:
    from agent_factory.cli.terminal import Terminal
    from agent_factory.core.workflows.people import Question

__all__ = ["AbsentPerson", "NobodyToAskError", "TerminalPerson", "parse_answer"]

_MAX_VALUE = 2000
_WORDS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


class NobodyToAskError(CoreError):
    """A question needs a person, and there is none."""

    code = "nobody_to_ask"


class TerminalPerson:
    """Puts questions to the person at the terminal, and asks again until the answer is one.

    Args:
        terminal: Where the person is.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def ask(self, question: Question) -> Any:
        """Return the person's answer.

        Args:
            question: The question.

        Raises:
            NobodyToAskError: The input ended.
        """
        schema = question.answer_schema
        lines = ["", clean(question.text)]
        about = _show(question.value)
        if about and about != clean(question.text):
            lines += [f"    {line}" for line in about.splitlines()]
        choices = _find_choices(schema)
        lines += [f"  {number}. {_show(item)}" for number, item in enumerate(choices, start=1)]
        text = "\n".join(lines)
        while True:
            try:
                answer = await self._terminal.ask(
                    text, f"{describe_answer(schema)}: ", discard=True
                )
            except TerminalClosedError:
                raise NobodyToAskError(
                    "the input ended before the question was answered",
                    details={"path": question.path},
                ) from None
            try:
                return parse_answer(answer, schema)
            except ValueError as error:
                text = f"That is no answer: {error}."


class AbsentPerson:
    """Answers no question, and says why."""

    async def ask(self, question: Question) -> Any:
        """Refuse a question.

        Args:
            question: The question.

        Raises:
            NobodyToAskError: Always.
        """
        raise NobodyToAskError(
            f"nobody can be asked {clean(question.text)[:200]!r}: run it at a terminal",
            details={"path": question.path},
        )


def describe_answer(schema: dict[str, Any]) -> str:
    """Return in a few words what an answer looks like.

    Args:
        schema: The JSON Schema of the answer.
    """
    choices = _find_choices(schema)
    if choices:
        return f"Your choice, 1 to {len(choices)}"
    words = {
        "boolean": "Yes or no",
        "integer": "A whole number",
        "number": "A number",
        "string": "Your answer",
        "null": "Enter to go on",
    }
    return words.get(str(schema.get("type")), "Your answer, as JSON")


def parse_answer(text: str, schema: dict[str, Any]) -> Any:
    """Return what a person typed as the value that a schema asks for.

    Args:
        text: What was typed, without its line break.
        schema: The JSON Schema of the answer; what it says beyond types and choices is not checked here.

    Raises:
        ValueError: It is no such value; the text says what would be.
    """
    choices = _find_choices(schema)
    if choices:
        return _choose(text, choices)
    kind = schema.get("type")
    if kind == "boolean":
        if text.lower() not in _WORDS:
            raise ValueError("type y or n")
        return _WORDS[text.lower()]
    if kind == "string":
        return text
    if kind == "null":
        return None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        value = ...
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer" and not (is_number and isinstance(value, int)):
        raise ValueError("type a whole number")
    if kind == "number" and not is_number:
        raise ValueError("type a number")
    if value is ...:
        raise ValueError(f"type JSON that fits {json.dumps(schema)[:500]}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _choose(text: str, choices: list[Any]) -> Any:
    for choice in choices:
        if text == (choice if isinstance(choice, str) else json.dumps(choice)):
            return choice
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(choices):
        return choices[int(text[:9]) - 1]
    raise ValueError(f"type a number from 1 to {len(choices)}")


def _find_choices(schema: dict[str, Any]) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    choices = schema.get("enum")
    return list(choices) if isinstance(choices, list) else []


def _show(value: Any) -> str:
    if value is None:
        return ""
    text = clean(value) if isinstance(value, str) else format_json(json.dumps(value, default=str))
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
