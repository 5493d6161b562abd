"""A run on record: its events as JSON Lines, read back, rebuilt, and gone on with."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path

from agent_factory.core import Agent, Model, ToolMessage
from agent_factory.core.records import read_events, rebuild_run, write_events
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.integrations.tools import create_calculate

__all__ = ["create_calculator", "main", "record"]


def create_calculator(model: Model) -> Agent[None, str]:
    """Return an agent that can calculate.

    Args:
        model: The model that answers.
    """
    return Agent(name="calculator", model=model, tools=[create_calculate()])


async def record(agent: Agent[None, str], prompt: str, file: Path) -> None:
    """Run an agent, and write every event as soon as it happens.

    Args:
        agent: The agent.
        prompt: What it is asked.
        file: Where the events go.
    """
    with file.open("w", encoding="ascii") as lines:
        async with aclosing(agent.stream(prompt)) as events:
            async for event in events:
                lines.writelines(write_events([event]))


def main() -> None:
    """Record a run, and see what the record knows."""
    model = ScriptedModel(
        [
            create_tool_call("calculate", {"expression": "6 * 7"}),
            "It is 42.",
            "It still is 42.",
        ]
    )
    agent = create_calculator(model)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.jsonl"
        asyncio.run(record(agent, "What is 6 * 7?", file))
        with file.open(encoding="ascii") as lines:
            events = list(read_events(lines))
    print(*(event.type for event in events))
    run = rebuild_run(events)
    print(f"{run.status}: {run.output} ({run.usage.requests} model calls)")
    # As after a crash in the middle of the tool call: whether it was carried out is not known.
    half = rebuild_run(events[:4])
    last = half.messages[-1]
    if isinstance(last, ToolMessage):
        print(f"{half.status}: {last.name} has the outcome {last.outcome!r}")
    print(agent.run_sync("And now?", history=run.messages).output)


if __name__ == "__main__":
    main()
