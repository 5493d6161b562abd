"""Agents that hand a conversation over: one finds out what it is about, a specialist goes on with it."""

from __future__ import annotations

from agent_factory.core import Agent, HandedOff, Model, RunEvent, RunOptions
from agent_factory.core.testing import ScriptedModel, create_tool_call

__all__ = ["create_reception", "main", "report"]


def create_reception(reception: Model, billing: Model, repairs: Model) -> Agent[None, str]:
    """Return an agent that hands over to one of two specialists.

    Args:
        reception: The model that finds out who is needed.
        billing: The model that knows about invoices.
        repairs: The model that knows about what is broken.
    """
    specialists = [
        Agent(
            name="billing",
            model=billing,
            instructions="You answer questions about invoices.",
            description="Knows invoices and payments.",
        ),
        Agent(
            name="repairs",
            model=repairs,
            instructions="You help with broken articles.",
            description="Knows what to do about broken articles.",
        ),
    ]
    return Agent(
        name="reception",
        model=reception,
        instructions="Find out what it is about, and hand over.",
        handoffs=specialists,
    )


def report(event: RunEvent[object]) -> None:
    """Print who hands over to whom.

    Args:
        event: What happened.
    """
    if isinstance(event, HandedOff):
        print(f"{event.agent} -> {event.to}")


def main() -> None:
    """Ask about a broken article."""
    repairs = ScriptedModel(["Send us the lid, we will replace it."])
    # The model hands over with a tool that has the name of the specialist.
    reception = ScriptedModel([create_tool_call("transfer_to_repairs", {})])
    agent = create_reception(reception, ScriptedModel([]), repairs)
    result = agent.run_sync("The lid of my A-17 broke.", options=RunOptions(observers=(report,)))
    print(f"{result.agent}: {result.output}")
    # The specialist goes on with the conversation, under instructions of its own.
    print([message.role for message in repairs.requests[0].messages])


if __name__ == "__main__":
    main()
