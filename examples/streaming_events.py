"""What happens in a run, while it happens: events from the first model call to the result."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from agent_factory.core import Agent, RunFinished, TextReceived, ToolFinished, ToolStarted
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.integrations.tools import create_calculate

__all__ = ["main", "show"]


async def show(agent: Agent[object, str], prompt: str) -> None:
    """Run an agent and print its tool calls and its text as they come.

    Args:
        agent: The agent.
        prompt: What it is asked.
    """
    # Closing the events ends the run, also when this function is cancelled halfway.
    async with aclosing(agent.stream(prompt, deps=None)) as events:
        async for event in events:
            match event:
                case ToolStarted():
                    print(f"-> {event.call.name} {event.call.arguments}")
                case ToolFinished():
                    print(f"<- {event.content}")
                case TextReceived():
                    print(event.text, end="", flush=True)
                case RunFinished():
                    print(f"\n{event.result.usage.requests} model calls")


def main() -> None:
    """Show one run."""
    model = ScriptedModel(
        [
            create_tool_call("calculate", {"expression": "0.1 + 0.2"}),
            "It is exactly 0.3.",
        ]
    )
    agent = Agent(name="calculator", model=model, tools=[create_calculate()])
    asyncio.run(show(agent, "What is 0.1 + 0.2?"))


if __name__ == "__main__":
    main()
