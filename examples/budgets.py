"""A budget that runs share: of three runs at the same time two fit, the third is refused before its model is called."""

from __future__ import annotations

import asyncio
from datetime import date

from agent_factory.core import (
    PRICES,
    Agent,
    AssistantMessage,
    BudgetExceededError,
    InMemoryBudget,
    ModelRateLimitError,
    ModelResponse,
    Price,
    RunOptions,
    Usage,
)
from agent_factory.core.testing import ScriptedModel

__all__ = ["create_clerk", "greet", "main"]


def create_clerk() -> Agent[None, str]:
    """Return an agent whose first model is asked too much, and whose second one answers."""
    error = ModelRateLimitError("too many requests", model="openai:large", status=429)
    usage = Usage(requests=1, input_tokens=8, output_tokens=4)
    answer = ModelResponse(AssistantMessage("Good morning."), usage)
    large = ScriptedModel([error] * 3, name="openai:large")
    small = ScriptedModel([answer] * 3, name="openai:small")
    return Agent(name="clerk", model=large, fallbacks=[small])


async def greet(clerk: Agent[None, str], options: RunOptions) -> str:
    """Return the answer and what it cost, or which budget was in the way."""
    try:
        result = await clerk.run("Hello", options=options)
    except BudgetExceededError as error:
        return f"{error.budget} has {error.left} {error.limit} left"
    return f"{result.output} It cost {result.usage.cost} millionths of a dollar."


async def greet_all(count: int) -> None:
    """Greet several times at once, on the budget of one tenant."""
    prices = PRICES.override(
        {
            # Millionths of a dollar for a million tokens: input, output, cached input.
            "openai:large": Price(3_000_000, 15_000_000, 300_000),
            "openai:small": Price(250_000, 2_000_000, 25_000),
        },
        as_of=date(2026, 11, 24),
    )
    tenant = InMemoryBudget("tenant:acme", max_requests=2, max_cost=200_000)
    options = RunOptions(budgets=(tenant,), prices=prices)
    clerk = create_clerk()
    for line in await asyncio.gather(*(greet(clerk, options) for _ in range(count))):
        print(line)
    used = tenant.used
    print(
        f"used: {used.requests} requests, {used.tokens} tokens, {used.cost} millionths of a dollar"
    )


def main() -> None:
    """Greet three times."""
    asyncio.run(greet_all(3))


if __name__ == "__main__":
    main()
