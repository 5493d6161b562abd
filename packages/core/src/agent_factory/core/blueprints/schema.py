"""What a blueprint may say: version 1 of the schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agent_factory.core.usage import DEFAULT_LIMITS

__all__ = [
    "SCHEMA_VERSION",
    "AgentSection",
    "Blueprint",
    "LimitsSection",
    "ToolSection",
]

SCHEMA_VERSION = "agent-factory/blueprint@1"
"""The value of ``schema`` in every file of this version."""


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=False, allow_inf_nan=False
    )


class ToolSection(_Section):
    """One tool of an agent.

    Attributes:
        use: Name of a registered tool.
        options: The tool's options, under the key ``with``; checked against the tool's own model.
    """

    use: str = Field(min_length=1)
    options: dict[str, Any] = Field(default_factory=dict, alias="with")


class LimitsSection(_Section):
    """What one run may use at most; what is left out has the default of `Limits`.

    Attributes:
        max_requests: Model calls.
        max_tool_calls: Tool calls.
        timeout: Seconds for the whole run.
    """

    max_requests: int = Field(DEFAULT_LIMITS.max_requests, ge=1, le=1000)
    max_tool_calls: int = Field(DEFAULT_LIMITS.max_tool_calls, ge=0, le=10_000)
    timeout: float = Field(DEFAULT_LIMITS.timeout, gt=0, le=86_400)


def _expand_tool(value: object) -> object:
    """Let a bare name stand for a tool without options."""
    return {"use": value} if isinstance(value, str) else value


class AgentSection(_Section):
    """The agent.

    Attributes:
        instructions: What the model is told before the conversation.
        model: Name of the model; ``default`` leaves the choice to whoever runs the blueprint.
        tools: The tools that the model may call: a name, or ``use`` and ``with``.
        limits: What one run may use at most.
    """

    instructions: str = Field(min_length=1)
    model: str = Field("default", min_length=1)
    tools: tuple[Annotated[ToolSection, BeforeValidator(_expand_tool)], ...] = Field(
        (), strict=False
    )
    limits: LimitsSection = Field(default_factory=lambda: LimitsSection.model_validate({}))


class Blueprint(_Section):
    """A whole blueprint.

    Attributes:
        schema_version: Version of the schema, under the key ``schema``.
        name: Name of the blueprint: lower-case letters, digits and hyphens, at most 64 characters.
        version: Version of the blueprint itself (Semantic Versioning 2.0.0).
        description: One line for people.
        agent: The agent.
    """

    schema_version: Literal["agent-factory/blueprint@1"] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    version: str = Field(
        pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
    )
    description: str = Field("", max_length=500)
    agent: AgentSection
