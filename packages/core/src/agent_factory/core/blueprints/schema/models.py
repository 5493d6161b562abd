"""The models of a blueprint."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agent_factory.core.blueprints.schema.base import Section

__all__ = ["ModelSection", "ModelSettings", "ModelValue"]


class ModelSettings(Section):
    """How a model is asked. What is left out is left to the server."""

    temperature: float | None = Field(
        None, ge=0, le=2, description="How freely the model chooses its words; 0 is the least."
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="Share of the likeliest words that the model chooses from."
    )
    seed: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        description="Number that makes a server repeat its answers, where it can.",
    )
    reasoning_effort: Literal["minimal", "low", "medium", "high"] | None = Field(
        None, description="How much a reasoning model thinks before it answers."
    )


class ModelSection(Section):
    """A model. A name alone stands for one without settings."""

    use: str = Field(
        min_length=1,
        max_length=200,
        description="Which model: 'default' leaves the choice to whoever runs the blueprint; else 'openai:NAME', "
        "'local', 'local:FILE.gguf' or 'extractive'.",
        examples=["default", "openai:gpt-5.4-mini", "extractive"],
    )
    settings: ModelSettings = Field(
        default_factory=lambda: ModelSettings.model_validate({}),
        description="How the model is asked.",
    )
    fallbacks: tuple[str, ...] = Field(
        (),
        strict=False,
        max_length=8,
        description="Models that are asked, in this order, where this one fails: names in models.",
    )


def _expand(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


ModelValue = Annotated[
    ModelSection, BeforeValidator(_expand, json_schema_input_type=ModelSection | str)
]
"""A model, or its name alone."""
