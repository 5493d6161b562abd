"""A blueprint whose agent answers as a script says, for tests of what goes on around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent_factory.cli.assembly import AssembledBlueprint
from agent_factory.cli.denials import Denials
from agent_factory.core.blueprints import Adapters, assemble, parse_blueprint
from agent_factory.core.models import Model
from agent_factory.core.registry import ToolEntry, ToolEnvironment, ToolRegistry
from agent_factory.core.tools import Tool

__all__ = ["create_clerk"]


class Options(BaseModel, extra="forbid"):
    """The tools have none."""


def create_clerk(model: Model, tools: Sequence[Tool[Any]] = ()) -> AssembledBlueprint:
    """Return the blueprint.

    Args:
        model: What answers.
        tools: The tools of the agent.
    """

    def create_entry(tool: Tool[Any]) -> ToolEntry[Options]:
        def create(options: Options, environment: ToolEnvironment) -> Tool[object]:
            del options, environment
            return tool

        return ToolEntry(tool.name, tool.spec.description, Options, create)

    names = [tool.name for tool in tools]
    text = (
        "schema: agent-factory/blueprint@1\nname: clerk\nversion: 1.0.0\n"
        f"agent: {{model: scripted, instructions: Work., tools: {names}}}\n"
        f"permissions: {{models: [scripted], tools: {names}, spend: 1 USD}}\n"
    )
    denials = Denials()
    assembly = assemble(
        parse_blueprint(text.encode(), name="clerk.yaml", folder=Path.cwd()),
        Adapters(ToolRegistry(map(create_entry, tools)), lambda _use, _settings: model),
        on_denied=denials,
    )
    return AssembledBlueprint("clerk", "1.0.0", "d" * 64, "clerk.yaml", assembly, denials)
