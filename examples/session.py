"""A conversation that goes on from run to run, and facts that outlive it: two kinds of memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent_factory.core import (
    Agent,
    InMemoryLongTermMemory,
    InMemoryStore,
    LongTermMemory,
    MemoryScope,
    Model,
    RunOptions,
    Session,
    ToolContext,
    create_memory_tools,
    keep_window,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call

__all__ = ["User", "create_assistant", "main"]


@dataclass(frozen=True)
class User:
    """Who talks to the assistant."""

    tenant: str
    name: str


def find_scope(context: ToolContext[User]) -> MemoryScope:
    """Return whose memory a run may use. The model has no say in it."""
    return MemoryScope(context.deps.tenant, context.deps.name)


def create_assistant(model: Model, facts: LongTermMemory) -> Agent[User, str]:
    """Return an agent that sees the newest turns only, and can look up what it remembers.

    Args:
        model: The model that answers.
        facts: Where facts are remembered.
    """
    tools = create_memory_tools(facts, scope=find_scope)
    return Agent(name="assistant", model=model, tools=tools, memory=keep_window(max_tokens=70))


def main() -> None:
    """Tell the assistant something, go on, and ask in another conversation."""
    # Each day is a conversation of its own; what is remembered belongs to the user.
    model = ScriptedModel(
        [
            create_tool_call("remember", {"text": "Ada drinks green tea."}),
            "I will remember it.",
            "Hello again.",
            create_tool_call("recall", {"query": "What does Ada drink? Tea?"}),
            "Green tea.",
        ]
    )
    ada, store, facts = User("acme", "ada"), InMemoryStore(), InMemoryLongTermMemory()
    assistant = create_assistant(model, facts)
    for day, prompt in [("monday", "I drink green tea."), ("monday", "Hello?"), ("friday", "Tea?")]:
        scope = MemoryScope(ada.tenant, f"{ada.name}/{day}")
        options = RunOptions(session=Session(store, scope))
        result = assistant.run_sync(prompt, deps=ada, options=options)
        seen = len(model.requests[-1].messages)
        print(f"{day}: {result.output} ({len(result.messages)} messages, the model saw {seen})")
    for item in asyncio.run(facts.recall(MemoryScope("acme", "ada"), "tea")):
        print(f"remembered: {item.text}")


if __name__ == "__main__":
    main()
