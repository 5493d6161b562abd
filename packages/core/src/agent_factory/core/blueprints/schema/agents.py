"""The agents of a blueprint, and what they have: guardrails and memory."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_factory.core.blueprints.schema.base import JsonSchema, Name, Section, Words
from agent_factory.core.blueprints.schema.eval_expectations import check_not_empty
from agent_factory.core.blueprints.schema.limits import LimitsSection
from agent_factory.core.blueprints.schema.prompts import InstructionsValue
from agent_factory.core.blueprints.schema.tools import ToolUseValue

__all__ = [
    "AgentSection",
    "GuardrailSection",
    "GuardrailValue",
    "MemorySection",
    "MemoryValue",
    "SummariseSection",
]

_GUARDRAILS = Literal[
    "limit_length",
    "match_pattern",
    "require_json_schema",
    "allow_hosts",
    "detect_personal_data",
    "detect_secrets",
    "judge",
]


class GuardrailSection(Section):
    """A guardrail. A name alone stands for one without options."""

    use: _GUARDRAILS = Field(description="Which guardrail.")
    options: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Options of the guardrail."
    )
    tools: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Names of the tools whose calls and results it looks at; all if empty.",
    )


def _expand_use(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


GuardrailValue = Annotated[
    GuardrailSection,
    BeforeValidator(_expand_use, json_schema_input_type=GuardrailSection | _GUARDRAILS),
]
"""A guardrail, or its name alone."""


class SummariseSection(Section):
    """Memory that replaces the older part of a conversation by a summary."""

    max_tokens: int = Field(ge=1, description="Tokens from which on the older part is summarised.")
    keep_tokens: int | None = Field(
        None, ge=0, description="Tokens of what is kept word by word; half of them if left out."
    )
    model: str = Field(
        "default", min_length=1, max_length=200, description="The model that writes the summary."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keep_tokens is not None and self.keep_tokens >= self.max_tokens:
            raise PydanticCustomError("range", "must have a 'keep_tokens' below its 'max_tokens'")
        return self


class MemorySection(Section):
    """What an agent's model sees of a long conversation: one of these ways."""

    keep_last: int | None = Field(
        None, ge=1, le=10_000, description="The newest turns, as many as this."
    )
    keep_window: int | None = Field(
        None, ge=1, description="The newest turns that have at most as many tokens as this."
    )
    summarise: SummariseSection | None = Field(
        None, description="A summary of the older part, and the newest turns."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = (self.keep_last, self.keep_window, self.summarise)
        if sum(item is not None for item in given) != 1:
            raise PydanticCustomError(
                "one_of", "must have one of 'keep_last', 'keep_window' and 'summarise'"
            )
        return self


def _expand_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


MemoryValue = Annotated[
    tuple[MemorySection, ...],
    Field(strict=False, json_schema_extra={"minItems": 1, "maxItems": 4}),
    AfterValidator(check_not_empty),
    BeforeValidator(_expand_list, json_schema_input_type=list[MemorySection] | MemorySection),
]
"""A way to keep memory, or several, applied one after the other."""


class AgentSection(Section):
    """An agent."""

    description: str = Field(
        "",
        max_length=1000,
        description="One line on what the agent is good for, for people and for models that may call it.",
    )
    model: str = Field(
        "default",
        min_length=1,
        max_length=200,
        description="Name of a model in models, or what may stand under 'use' there.",
    )
    instructions: InstructionsValue = Field(
        description="What the model is told before the conversation."
    )
    prompt: Words | None = Field(
        None,
        description="How the input is put to the model: a text with references such as {{input.question}}; the input "
        "itself if left out.",
    )
    tools: tuple[ToolUseValue, ...] = Field(
        (), strict=False, max_length=200, description="What the model may call; nothing else."
    )
    output: JsonSchema | None = Field(
        None, description="JSON Schema of the answer; words if left out."
    )
    output_mode: Literal["native", "tool", "prompt"] = Field(
        "native", description="How the model is asked for an answer that fits the schema."
    )
    guardrails: tuple[str, ...] = Field(
        (),
        strict=False,
        max_length=50,
        description="Names of guardrails in guardrails, or of built-in ones that need no options, in their order.",
    )
    memory: Name | None = Field(None, description="Name of a memory in memory.")
    limits: LimitsSection = Field(
        default_factory=lambda: LimitsSection.model_validate({}),
        description="What one run may use at most; what it does not say, limits says.",
    )
    handoffs: tuple[Name, ...] = Field(
        (),
        strict=False,
        max_length=50,
        description="Names of the agents that the model may hand the conversation over to.",
    )
