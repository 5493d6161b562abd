"""Blueprints for tests, and what they are put together with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_factory.core.blueprints import Adapters, Assembly, assemble, parse_blueprint
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.permissions import Need
from agent_factory.core.registry import InstalledTool, ToolEntry, ToolEnvironment, ToolRegistry
from agent_factory.core.testing import ScriptedModel
from agent_factory.core.tools import Tool, tool
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.blueprints import ModelSettings
    from agent_factory.core.models import Model

__all__ = ["HEAD", "PERMITTED", "Options", "create_adapters", "create_assembly", "find_messages"]

HEAD = """\
schema: agent-factory/blueprint@1
name: helper
version: 0.1.0
"""

PERMITTED = """\
permissions:
  models: [default, other]
  tools: [echo, fetch]
  secrets: [TOKEN]
  hosts: [api.example.com]
"""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str = "red"


class Square(Part):
    kind: Literal["square"]


class Circle(Part):
    kind: Literal["circle"]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = "echo"
    folder: str = "."
    part: Optional[Part] = None  # noqa: UP045 - both spellings are tested
    parts: list[Part] = []
    named: dict[str, Part] = {}
    pair: tuple[Part, ...] = ()
    mixed: Part | int = 0
    shape: Annotated[Square | Circle, Field(discriminator="kind")] | None = None

    @field_validator("folder")
    @classmethod
    def refuse_root(cls, value: str) -> str:
        if value == "/":
            raise ValueError("the root is too much")
        return value


class FetchOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "api.example.com"
    secret: str = "TOKEN"


def create_echo(options: Options, environment: ToolEnvironment) -> Tool[object]:
    """Return the tool, or refuse a folder that is not there."""
    if options.folder == "missing":
        raise ConfigurationError(f"{environment.folder / options.folder} is not there")
    return create_test_tool(options.name, result=str(environment.folder / options.folder))


def create_fetch(options: FetchOptions, environment: ToolEnvironment) -> Tool[object]:
    """Return a tool that asks for permission, and gives its secret away."""

    @tool(effect="read")
    async def fetch(host: str) -> dict[str, list[str]]:
        """Fetch.

        Args:
            host: The host.
        """
        environment.grant.check_address("https", host, 443)
        return {"sent": [f"Bearer {environment.grant.get_secret(options.secret)}"]}

    return fetch


class Secrets:
    """Secrets of a test."""

    def get(self, name: str) -> str | None:
        """Return the one that there is."""
        return {"TOKEN": "very-secret-token"}.get(name)


def create_adapters(
    answers: Mapping[str, Sequence[Any]] | None = None,
    installed: Sequence[InstalledTool] = (),
) -> Adapters:
    """Return what blueprints are put together with: two tools, and two scripted models with their answers."""
    known = {"default": [], "other": [], **(answers or {})}

    def check_model(use: str) -> None:
        if use not in known:
            raise ConfigurationError(f"no model is named {use!r}: there are: default, other")

    def create_model(use: str, settings: ModelSettings) -> Model:
        del settings
        check_model(use)
        return ScriptedModel(known[use])

    entries: list[ToolEntry[Any]] = [
        ToolEntry("echo", "Echoes.", Options, create_echo),
        ToolEntry(
            "fetch",
            "Fetches.",
            FetchOptions,
            create_fetch,
            lambda options: (
                Need("hosts", options.host, ("host",)),
                Need("secrets", options.secret, ("secret",)),
            ),
        ),
        ToolEntry("now", "Tells the time.", Options, create_echo),
    ]
    return Adapters(ToolRegistry(entries, installed), create_model, check_model, secrets=Secrets())


def create_assembly(
    text: str, adapters: Adapters | None = None, folder: Path = Path("/base")
) -> Assembly:
    """Return a blueprint put together."""
    file = parse_blueprint((HEAD + text).encode(), name="a.yaml", folder=folder)
    return assemble(file, create_adapters() if adapters is None else adapters)


def find_messages(
    text: str, adapters: Adapters | None = None, folder: Path = Path("/base")
) -> list[str]:
    """Return everything that is wrong with a blueprint, without the excerpts."""
    with pytest.raises(BlueprintError) as caught:
        create_assembly(text, adapters, folder)
    return [f"{item.location}: {item.message}" for item in caught.value.problems]
