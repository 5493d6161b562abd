"""The prompts of a blueprint."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_factory.core.blueprints.schema.base import Name, RelativePath, Section, Words

__all__ = ["InstructionsSection", "InstructionsValue", "PromptSection", "PromptValue"]


class PromptSection(Section):
    """A prompt: its text, or the file that has it. A text alone stands for itself."""

    text: Words | None = Field(None, description="The text.")
    file: RelativePath | None = Field(
        None,
        description="File with the text, UTF-8, below the folder of the blueprint.",
        examples=["prompts/review.md"],
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise PydanticCustomError("one_of", "must have either 'text' or 'file'")
        return self


class InstructionsSection(Section):
    """Instructions: a text, a named prompt, or a file. A text alone stands for itself."""

    text: Words | None = Field(None, description="The text.")
    prompt: Name | None = Field(None, description="Name of a prompt in prompts.")
    file: RelativePath | None = Field(
        None, description="File with the text, UTF-8, below the folder of the blueprint."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(item is not None for item in (self.text, self.prompt, self.file)) != 1:
            raise PydanticCustomError("one_of", "must have one of 'text', 'prompt' and 'file'")
        return self


def _expand(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


PromptValue = Annotated[
    PromptSection, BeforeValidator(_expand, json_schema_input_type=PromptSection | str)
]
"""A prompt, or its text alone."""

InstructionsValue = Annotated[
    InstructionsSection, BeforeValidator(_expand, json_schema_input_type=InstructionsSection | str)
]
"""Instructions, or their text alone."""
