"""openai-agents, with its Chat Completions model; tracing is off, since it would go to another server."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from benchmarks.peers.base import ADDER, INSTRUCTIONS, KEY, MODEL, PROMPT

__all__ = ["create"]


async def add(a: int, b: int) -> int:
    """Return the sum.

    Args:
        a: The first number.
        b: The second number.
    """
    return ADDER.add(a, b)


class OpenAIAgents:
    """Agents of openai-agents."""

    def __init__(self, url: str) -> None:
        set_tracing_disabled(True)
        client = AsyncOpenAI(api_key=KEY, base_url=url)
        self._model = OpenAIChatCompletionsModel(MODEL, openai_client=client)
        self._plain = Agent(name="bench", instructions=INSTRUCTIONS, model=self._model)

    @cached_property
    def _armed(self) -> Agent[Any]:
        tools: list[Any] = [function_tool(add)]
        return Agent(name="bench", instructions=INSTRUCTIONS, model=self._model, tools=tools)

    @cached_property
    def _tools(self) -> list[Any]:
        return [function_tool(add, name_override=f"add_{index}") for index in range(5)]

    async def ask(self) -> str:
        """Run without tools."""
        return str((await Runner.run(self._plain, PROMPT)).final_output)

    async def call_tools(self) -> str:
        """Run with the tool."""
        return str((await Runner.run(self._armed, PROMPT, max_turns=500)).final_output)

    async def stream(self) -> str:
        """Run as a stream."""
        pieces = []
        result = Runner.run_streamed(self._plain, PROMPT)
        async for event in result.stream_events():
            if (
                event.type == "raw_response_event"
                and event.data.type == "response.output_text.delta"
            ):
                pieces.append(event.data.delta)
        return "".join(pieces)

    def construct(self) -> Any:
        """Return a new agent."""
        return Agent(name="bench", instructions=INSTRUCTIONS, model=self._model, tools=self._tools)


def create(url: str) -> OpenAIAgents:
    """Return the peer for a server."""
    return OpenAIAgents(url)
