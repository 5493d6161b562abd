"""Says what pydantic found wrong with what a model wrote, for the model to correct, and never at any length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ValidationError

__all__ = ["MAX_PROBLEMS", "MAX_PROBLEM_CHARS", "cut", "explain"]

MAX_PROBLEMS = 10
"""Problems that are told; of the rest, only how many there are."""

MAX_PROBLEM_CHARS = 200
"""Characters of the place of a problem, and of what is said of it."""


def explain(error: ValidationError, whole: str) -> str:
    """Return the problems in one line.

    Args:
        error: What pydantic found.
        whole: What the value as a whole is called, for a problem that has no place within it.
    """
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [
        f"{cut('.'.join(map(str, item['loc']))) or whole}: {cut(item['msg'])}"
        for item in problems[:MAX_PROBLEMS]
    ]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_PROBLEMS:,} more")
    return "; ".join(lines)


def cut(text: str) -> str:
    """Return a text of at most `MAX_PROBLEM_CHARS` characters.

    Args:
        text: A text of any length, such as one that quotes what a model wrote.
    """
    return text if len(text) <= MAX_PROBLEM_CHARS else f"{text[: MAX_PROBLEM_CHARS - 3]}..."
