"""pydantic-ai, with its OpenAI chat model."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic_ai import Agent, Tool, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from benchmarks.peers.base import ADDER, INSTRUCTIONS, KEY, MODEL, PROMPT

__all__ = ["create"]


async def add(a: int, b: int) -> int:
    """Return the sum.

    Args:
        a: The first number.
        b: The second number.
    """
    return ADDER.add(a, b)


class PydanticAI:
    """Agents of pydantic-ai."""

    def __init__(self, url: str) -> None:
        self._model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY))
        self._plain: Agent[object, str] = Agent(self._model, instructions=INSTRUCTIONS)
        self._limits = UsageLimits(request_limit=None)

    @cached_property
    def _armed(self) -> Agent[object, str]:
        return Agent(self._model, instructions=INSTRUCTIONS, tools=[Tool(add)])

    @cached_property
    def _tools(self) -> list[Tool[object]]:
        return [Tool(add, name=f"add_{index}") for index in range(5)]

    async def ask(self) -> str:
        """Run without tools."""
        return (await self._plain.run(PROMPT)).output

    async def call_tools(self) -> str:
        """Run with the tool."""
        return (await self._armed.run(PROMPT, usage_limits=self._limits)).output

    async def stream(self) -> str:
        """Run as a stream."""
        async with self._plain.run_stream(PROMPT) as result:
            # Without debouncing, which is for screens, each piece is given out at once.
            return "".join(
                [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
            )

    def construct(self) -> Any:
        """Return a new agent."""
        return Agent(self._model, instructions=INSTRUCTIONS, tools=self._tools)


def create(url: str) -> PydanticAI:
    """Return the peer for a server."""
    return PydanticAI(url)
