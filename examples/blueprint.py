"""A blueprint that is assembled in Python and run: the same objects as in Python, under the blueprint's permissions."""

from __future__ import annotations

from pathlib import Path

from agent_factory.core import BlueprintError, RunOptions, ToolFinished, ToolRegistry
from agent_factory.core.blueprints import Adapters, ModelSettings, assemble, parse_blueprint
from agent_factory.core.models import Model
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.integrations.tools import create_builtin_entries

__all__ = ["create_model", "main"]

BLUEPRINT = b"""\
schema: agent-factory/blueprint@1
name: till
version: 0.1.0

inputs:
  type: object
  additionalProperties: false
  required: [prices]
  properties:
    prices: {type: array, items: {type: number}}
outputs:
  type: object
  additionalProperties: false
  required: [total]
  properties:
    total: {type: number}

agent:
  instructions: Add up prices.
  prompt: "The prices are {{input.prices}}."
  tools: [calculate]

permissions:
  models: [default]
  tools: [calculate]
"""


def create_model(use: str, settings: ModelSettings) -> Model:
    """Return a model that follows a script; a program would make an `OpenAIModel` of the name.

    Args:
        use: The name in the blueprint.
        settings: How the model is asked.
    """
    del settings
    print(f"making the model {use!r}")
    return ScriptedModel(
        [create_tool_call("calculate", {"expression": "1.10 + 2.20"}), '{"total": 3.3}']
    )


def main() -> None:
    """Run the blueprint, and show what is said of one with mistakes."""
    adapters = Adapters(ToolRegistry(create_builtin_entries()), create_model)
    assembly = assemble(parse_blueprint(BLUEPRINT, name="till.yaml", folder=Path()), adapters)
    value = {"prices": [1.10, 2.20]}
    assembly.check_input(value)

    def show(event: object) -> None:
        if isinstance(event, ToolFinished):
            print("calculate:", event.content)

    agent = assembly.agents[assembly.entry]
    options = assembly.create_options(RunOptions(observers=(show,)))
    result = agent.run_sync(assembly.create_prompt(agent.name, value), deps=None, options=options)
    print(result.output)

    wrong = BLUEPRINT.replace(b"[calculate]", b"[calcluate]", 1)
    try:
        assemble(parse_blueprint(wrong, name="till.yaml", folder=Path()), adapters)
    except BlueprintError as error:
        print(error)


if __name__ == "__main__":
    main()
