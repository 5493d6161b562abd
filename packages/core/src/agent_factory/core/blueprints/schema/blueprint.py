"""A whole blueprint."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_factory.core.blueprints.schema.agents import (
    AgentSection,
    GuardrailValue,
    MemoryValue,
)
from agent_factory.core.blueprints.schema.base import JsonSchema, Name, RelativePath, Section
from agent_factory.core.blueprints.schema.evals import SuiteSection
from agent_factory.core.blueprints.schema.limits import LimitsSection
from agent_factory.core.blueprints.schema.models import ModelValue
from agent_factory.core.blueprints.schema.permissions import PermissionsSection
from agent_factory.core.blueprints.schema.prompts import PromptValue
from agent_factory.core.blueprints.schema.tools import ToolsetSection, ToolValue
from agent_factory.core.blueprints.schema.workflows import WorkflowSection

__all__ = ["SCHEMA_VERSION", "Blueprint", "DependencySection", "MetadataSection"]

SCHEMA_VERSION = "agent-factory/blueprint@1"
"""The value of ``schema`` in every file of this version."""


_PRE = r"(0|[1-9][0-9]{0,17}|[0-9]{0,18}[A-Za-z-][0-9A-Za-z-]{0,63})"
_VERSION = (
    rf"^(0|[1-9][0-9]{{0,8}})\.(0|[1-9][0-9]{{0,8}})\.(0|[1-9][0-9]{{0,8}})(-{_PRE}(\.{_PRE}){{0,15}})?"
    r"(\+[0-9A-Za-z-]{1,64}(\.[0-9A-Za-z-]{1,64}){0,7})?$"
)


class MetadataSection(Section):
    """What people and catalogues want to know."""

    authors: tuple[str, ...] = Field(
        (), strict=False, max_length=50, description="Who wrote the blueprint."
    )
    license: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="SPDX expression of the licence.",
        examples=["Apache-2.0"],
    )
    homepage: str | None = Field(
        None, pattern=r"^https?://\S{1,500}$", description="Address where people read more."
    )
    keywords: tuple[str, ...] = Field(
        (), strict=False, max_length=50, description="Words that people search for."
    )


class DependencySection(Section):
    """Another blueprint that this one uses. A path alone stands for one of any version."""

    path: str = Field(
        min_length=1,
        max_length=500,
        description="File of the blueprint, relative to the folder of this one. Outside of it, permissions.files.read must "
        "name it.",
    )
    version: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Versions that fit; any if left out.",
        examples=["^1.2", ">=1.0, <2"],
    )


def _expand_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


_Dependency = Annotated[
    DependencySection,
    BeforeValidator(_expand_path, json_schema_input_type=DependencySection | str),
]


class Blueprint(Section):
    """A whole blueprint."""

    schema_version: Literal["agent-factory/blueprint@1"] = Field(
        alias="schema", description="Version of the schema that the file follows."
    )
    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,63}$",
        description="Name of the blueprint: lower-case letters, digits and '-', a letter first.",
        examples=["ask-docs"],
    )
    version: str = Field(
        pattern=_VERSION,
        max_length=256,
        description="Version of the blueprint itself (Semantic Versioning 2.0.0).",
        examples=["0.1.0"],
    )
    description: str = Field("", max_length=500, description="One line for people.")
    metadata: MetadataSection = Field(
        default_factory=lambda: MetadataSection.model_validate({}),
        description="What people and catalogues want to know.",
    )
    inputs: JsonSchema | None = Field(
        None, description="JSON Schema of the input; a text if left out."
    )
    outputs: JsonSchema | None = Field(
        None, description="JSON Schema of the result; whatever the entry gives if left out."
    )
    entry: Name | None = Field(
        None,
        description="Name of the agent or workflow that runs. Needed where there are several workflows, or several agents and "
        "no workflow.",
    )
    models: dict[Name, ModelValue] = Field(default_factory=dict, description="Models by name.")
    prompts: dict[Name, PromptValue] = Field(default_factory=dict, description="Prompts by name.")
    tools: dict[Name, ToolValue] = Field(
        default_factory=dict, description="Tools by the name that models call them by."
    )
    toolsets: dict[Name, ToolsetSection] = Field(
        default_factory=dict, description="Groups of tools from outside by name."
    )
    agent: AgentSection | None = Field(
        None, description="The agent, where there is one only; its name is that of the blueprint."
    )
    agents: dict[Name, AgentSection] = Field(default_factory=dict, description="Agents by name.")
    workflows: dict[Name, WorkflowSection] = Field(
        default_factory=dict, description="Workflows by name."
    )
    guardrails: dict[Name, GuardrailValue] = Field(
        default_factory=dict, description="Guardrails by name."
    )
    memory: dict[Name, MemoryValue] = Field(
        default_factory=dict, description="Ways to keep memory by name."
    )
    limits: LimitsSection = Field(
        default_factory=lambda: LimitsSection.model_validate({}),
        description="What one run of an agent may use at most, where the agent does not say it.",
    )
    permissions: PermissionsSection = Field(
        default_factory=lambda: PermissionsSection.model_validate({}),
        description="What the blueprint may touch. Everything that is not named is denied.",
    )
    dependencies: dict[Name, _Dependency] = Field(
        default_factory=dict, description="Other blueprints by the name that they are used by."
    )
    evals: dict[Name, SuiteSection] = Field(
        default_factory=dict, description="Suites of test cases by name."
    )
    evals_file: RelativePath | None = Field(
        None, description="File with more suites by name, below the folder of the blueprint."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.agent is not None and "agents" in self.model_fields_set:
            raise PydanticCustomError("one_of", "must have either 'agent' or 'agents', not both")
        if self.agent is None and not self.agents and not self.workflows:
            raise PydanticCustomError("one_of", "must have 'agent', 'agents' or 'workflows'")
        return self
