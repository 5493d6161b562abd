"""Agents as tools of another agent: two of them work side by side, and their use counts as its own."""

from __future__ import annotations

from agent_factory.core import Agent, AssistantMessage, Limits, Model, ToolMessage
from agent_factory.core.testing import ScriptedModel, create_tool_call

__all__ = ["create_editor", "main"]


def create_editor(editor: Model, historian: Model, critic: Model) -> Agent[None, str]:
    """Return an agent that may ask two others.

    Args:
        editor: The model that asks them and writes the answer.
        historian: The model of the agent that knows the past.
        critic: The model of the agent that finds weak points.
    """
    team = [
        Agent(name="historian", model=historian, description="Knows how things came about."),
        Agent(name="critic", model=critic, description="Finds what is wrong with a text."),
    ]
    return Agent(
        name="editor",
        model=editor,
        tools=[agent.as_tool() for agent in team],
        # The calls of the others count too.
        limits=Limits(max_requests=6, timeout=60.0),
    )


def main() -> None:
    """Have a sentence about lids written."""
    both = (
        create_tool_call("historian", {"prompt": "Since when are there lids?"}, call_id="1"),
        create_tool_call("critic", {"prompt": "What is wrong with 'Lids are new'?"}, call_id="2"),
    )
    agent = create_editor(
        ScriptedModel([AssistantMessage("", both), "People have used lids for ages."]),
        ScriptedModel(["For some thousands of years."]),
        ScriptedModel(["It is not true."]),
    )
    result = agent.run_sync("Write a sentence about lids.")
    for message in result.messages:
        if isinstance(message, ToolMessage):
            print(f"{message.name}: {message.content}")
    print(result.output)
    print(f"{result.usage.requests} model calls, {result.usage.tool_calls} tool calls")


if __name__ == "__main__":
    main()
