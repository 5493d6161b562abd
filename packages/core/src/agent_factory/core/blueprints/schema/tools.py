"""The tools and toolsets of a blueprint."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_factory.core.blueprints.schema.base import Name, RelativePath, Section, Words

__all__ = [
    "AuthenticationSection",
    "McpSection",
    "OpenApiSection",
    "SecretValue",
    "ToolSection",
    "ToolUseSection",
    "ToolUseValue",
    "ToolValue",
    "ToolsetSection",
]


class ToolSection(Section):
    """A tool of the registry. A name alone stands for one without options."""

    use: str = Field(
        min_length=1,
        max_length=100,
        description="Name of a tool in the registry.",
        examples=["calculate"],
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        alias="with",
        description="Options of the tool; what there is, its own reference says.",
    )
    description: Words | None = Field(
        None,
        max_length=4000,
        description="What the model is told in place of the tool's own words.",
    )
    approval: bool = Field(False, description="Whether a person has to approve each call.")
    timeout: float | None = Field(
        None,
        gt=0,
        le=86_400,
        description="Seconds that one call may take, in place of the tool's own.",
    )


class ToolUseSection(Section):
    """What an agent may call: a tool, a toolset, another agent, or a dependency."""

    use: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Name of a tool in tools, or of one in the registry.",
    )
    options: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Options of a tool of the registry."
    )
    toolset: Name | None = Field(
        None, description="Name of a toolset in toolsets: all of its tools."
    )
    agent: Name | None = Field(
        None,
        description="Name of an agent in agents: it runs with the prompt that the model writes.",
    )
    blueprint: Name | None = Field(
        None,
        description="Name of a blueprint in dependencies: it runs with the prompt that the model writes.",
    )
    name: Name | None = Field(
        None, description="Name that the model calls it by, in place of its own; not for toolsets."
    )
    description: Words | None = Field(
        None,
        max_length=4000,
        description="What the model is told in place of its own words.",
    )
    approval: bool = Field(False, description="Whether a person has to approve each call.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [item for item in (self.use, self.toolset, self.agent, self.blueprint) if item]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_of", "must have one of 'use', 'toolset', 'agent' and 'blueprint'"
            )
        if self.options and self.use is None:
            raise PydanticCustomError("one_of", "has 'with', which is for 'use' only")
        if self.toolset is not None and (self.name or self.description):
            raise PydanticCustomError(
                "one_of", "has a name or a description, which a toolset cannot have here"
            )
        return self


def _expand(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


ToolValue = Annotated[
    ToolSection, BeforeValidator(_expand, json_schema_input_type=ToolSection | str)
]
"""A tool, or its name alone."""

ToolUseValue = Annotated[
    ToolUseSection, BeforeValidator(_expand, json_schema_input_type=ToolUseSection | str)
]
"""What an agent may call, or the name of a tool alone."""


class SecretValue(Section):
    """A value that is, or contains, a secret. A text alone stands for itself."""

    secret: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Name of the secret, which permissions.secrets must name.",
    )
    prefix: str = Field(
        "", max_length=200, description="Text before the secret, such as 'Bearer '."
    )
    text: str | None = Field(None, description="The value itself, where it is no secret.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.secret is None) == (self.text is None):
            raise PydanticCustomError("one_of", "must have either 'secret' or 'text'")
        return self


def _expand_secret(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


_Secret = Annotated[
    SecretValue, BeforeValidator(_expand_secret, json_schema_input_type=SecretValue | str)
]


class McpSection(Section):
    """An MCP server: a program that is started (stdio), or an address (streamable HTTP)."""

    command: tuple[str, ...] = Field(
        (),
        strict=False,
        description="The program and its arguments; permissions.commands must name the program.",
        examples=[["my-server", "--stdio"]],
    )
    environment: dict[str, _Secret] = Field(
        default_factory=dict, description="Environment variables of the program."
    )
    folder: str | None = Field(
        None, description="Folder that the program starts in; permissions.files.read must name it."
    )
    url: str | None = Field(
        None,
        description="Address of the server; permissions must name its host.",
        examples=["https://mcp.example.com/mcp"],
    )
    headers: dict[str, _Secret] = Field(
        default_factory=dict, description="Headers of every request to the address."
    )
    effects: dict[str, Literal["read", "idempotent", "once"]] = Field(
        default_factory=dict,
        description="What tools do to the world, by their names; 'once' where nothing is said.",
    )
    trust_hints: bool = Field(
        False,
        description="Whether the server is believed what it says of the effects of its tools.",
    )
    timeout: float = Field(30.0, gt=0, le=3600, description="Seconds that connecting may take.")
    call_timeout: float = Field(
        60.0, gt=0, le=86_400, description="Seconds that one call may take."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.command) == (self.url is not None):
            raise PydanticCustomError("one_of", "must have either 'command' or 'url'")
        if self.url is not None and (self.environment or self.folder is not None):
            raise PydanticCustomError(
                "one_of", "has 'environment' or 'folder', which go with 'command'"
            )
        if self.command and self.headers:
            raise PydanticCustomError("one_of", "has 'headers', which go with 'url'")
        return self


class AuthenticationSection(Section):
    """How an API is told who calls."""

    kind: Literal["bearer", "basic", "header", "query"] = Field(
        description="Where the secret goes: a bearer token, a password, a header, or a parameter of the address."
    )
    secret: str = Field(
        min_length=1,
        max_length=200,
        description="Name of the secret, which permissions.secrets must name.",
    )
    name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Name of the header, the parameter, or the user.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kind == "bearer") == (self.name is not None):
            raise PydanticCustomError(
                "one_of", "must have a 'name' for basic, header and query, and none for bearer"
            )
        return self


class OpenApiSection(Section):
    """An API that an OpenAPI document describes."""

    file: RelativePath = Field(
        description="The document (OpenAPI 3.0 or 3.1, YAML or JSON), below the folder of the blueprint."
    )
    server: str | None = Field(
        None,
        description="Address of the API, in place of the document's; permissions must name its host.",
        examples=["https://api.example.com/v1"],
    )
    operations: tuple[str, ...] = Field(
        (), strict=False, description="The operations to offer, by operationId; all if empty."
    )
    authentication: AuthenticationSection | None = Field(
        None, description="How the API is told who calls."
    )
    timeout: float = Field(30.0, gt=0, le=3600, description="Seconds that one call may take.")


class ToolsetSection(Section):
    """A group of tools from outside: an MCP server, or an API."""

    mcp: McpSection | None = Field(None, description="An MCP server.")
    openapi: OpenApiSection | None = Field(None, description="An API with an OpenAPI document.")
    prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,32}$",
        description="Text before the name of each tool, as the model sees it.",
    )
    approval: bool = Field(False, description="Whether a person has to approve each call.")
    approval_for: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Names of the tools of which a person has to approve each call, without the prefix.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.mcp is None) == (self.openapi is None):
            raise PydanticCustomError("one_of", "must have either 'mcp' or 'openapi'")
        return self
