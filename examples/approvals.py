"""A tool that a person has to approve: a call runs only after somebody said yes to this very call."""

from __future__ import annotations

import json
import sys

from agent_factory.core import (
    Agent,
    Approval,
    ApprovalRequest,
    Approver,
    RunOptions,
    ToolMessage,
    tool,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.core.threads import run_in_thread

__all__ = ["HouseRule", "Terminal", "main", "refund"]


@tool(effect="once", needs_approval=True)
def refund(order: str, cents: int) -> str:
    """Pay the money for an order back."""
    return f"{cents / 100:.2f} EUR paid back for {order}"


class Terminal:
    """Asks whoever sits at the terminal."""

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Ask; anything but "y" is a no.

        Args:
            request: What is to be approved, the arguments as they were validated and as they will run.
        """
        question = f"{request.agent} wants {request.tool} {request.arguments}. Approve? [y/N] "
        # Not asyncio.to_thread, which would wait for the answer even after Ctrl-C or when the time is up.
        answer = await run_in_thread(lambda: input(question))
        return request.approve("terminal") if answer == "y" else request.deny("terminal")


class HouseRule:
    """Stands for a person where there is no terminal: small amounts are fine."""

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Approve up to 50 EUR.

        Args:
            request: What is to be approved.
        """
        if json.loads(request.arguments)["cents"] <= 5000:
            return request.approve("house rule")
        return request.deny("house rule", reason="refunds above 50 EUR go to the manager")


def main() -> None:
    """Ask for a small refund and a large one."""
    model = ScriptedModel(
        [
            create_tool_call("refund", {"order": "A-17", "cents": 1999}),
            create_tool_call("refund", {"order": "B-4", "cents": 90000}),
            "That is what I could do.",
        ]
    )
    approver: Approver = Terminal() if sys.stdin.isatty() and sys.stdout.isatty() else HouseRule()
    agent = Agent(name="clerk", model=model, tools=[refund])
    result = agent.run_sync("Refund A-17 and B-4.", options=RunOptions(approver=approver))
    for message in result.messages:
        if isinstance(message, ToolMessage):
            print(f"{message.outcome}: {message.content}")
    print(result.output)


if __name__ == "__main__":
    main()
