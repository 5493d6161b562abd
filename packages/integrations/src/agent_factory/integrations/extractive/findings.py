"""What a search tool found, read from its result."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["FoundPassage", "SearchFindings", "read_findings"]


class FoundPassage(BaseModel):
    """A passage as a search tool returns it.

    Attributes:
        file: Path of the file, as it is cited.
        line: Number of the passage's first line in the file, from 1.
        heading: The headings above it.
        text: Its lines, word for word.
        score: How well it fits; larger is better, comparable within one search.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    heading: str = ""
    text: str
    score: float = 0.0


class SearchFindings(BaseModel):
    """The result of a search tool, as far as it is used here.

    Attributes:
        passages: What it found, best first.
        skipped: What it could not search, with reasons.
    """

    passages: list[FoundPassage]
    skipped: list[str] = []


def read_findings(content: str) -> SearchFindings:
    """Read the result of a search tool.

    Args:
        content: JSON text of an object with a list ``passages``.

    Raises:
        ValueError: It is something else; the message says what is missing.
    """
    try:
        return SearchFindings.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
