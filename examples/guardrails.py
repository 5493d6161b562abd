"""Guardrails: what they object to is redacted, sent back or stopped, and nobody sees it before, not even streamed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from agent_factory.core import (
    Agent,
    Guardrail,
    GuardrailChecked,
    GuardrailContext,
    GuardrailError,
    Model,
    TextReceived,
    UserMessage,
    Verdict,
)
from agent_factory.core.guardrails import detect_personal_data, limit_length
from agent_factory.core.testing import ScriptedModel

__all__ = ["create_agent", "main"]


def check_promises(text: str, _: GuardrailContext[object]) -> Verdict:
    """Send an answer back that promises something."""
    if "guarantee" in text.lower():
        return Verdict.retry("do not guarantee anything")
    return Verdict.allow()


def create_agent(model: Model) -> Agent[None, str]:
    """Return an agent with three guardrails; they look in this order.

    Args:
        model: The model that answers.
    """
    return Agent(
        name="clerk",
        model=model,
        guardrails=[
            limit_length(200, stages=["input"]),
            detect_personal_data(["email", "iban"], stages=["input", "output"]),
            Guardrail("no-promises", frozenset({"output"}), check_promises),
        ],
    )


async def ask(agent: Agent[None, str], prompt: str) -> None:
    """Ask, and print what is seen of the answer, and what the guardrails did."""
    try:
        async with aclosing(agent.stream(prompt)) as events:
            async for event in events:
                match event:
                    case GuardrailChecked() if event.decision != "allow":
                        print(f"[{event.guardrail}, {event.stage}: {event.decision}]")
                    case TextReceived():
                        print(event.text)
    except GuardrailError as error:
        print(f"Sorry: {error.message}")


def main() -> None:
    """Ask two questions."""
    model = ScriptedModel(["I guarantee that it works.", "It works. Write to help@example.org."])
    agent = create_agent(model)
    asyncio.run(ask(agent, "I am ann@example.org. Does it work?"))
    seen = [item.text for item in model.requests[0].messages if isinstance(item, UserMessage)]
    print("The model saw", seen)
    asyncio.run(ask(agent, "Does it work? " * 100))


if __name__ == "__main__":
    main()
