"""Agent Factory itself."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from benchmarks.peers.base import ADDER, INSTRUCTIONS, KEY, MODEL, PROMPT
from benchmarks.workloads import STEPS

__all__ = ["create", "create_workflows"]


async def add(a: int, b: int) -> int:
    """Return the sum.

    Args:
        a: The first number.
        b: The second number.
    """
    return ADDER.add(a, b)


class AgentFactory:
    """Agents of Agent Factory."""

    def __init__(self, url: str) -> None:
        from agent_factory.core import Agent, Limits, TextReceived, tool
        from agent_factory.integrations.openai import OpenAIModel

        self._agent, self._text, self._tool = Agent, TextReceived, tool
        self._model = OpenAIModel(MODEL, api_key=KEY, base_url=url)
        self._limits = Limits(max_requests=500, max_tool_calls=500)
        self._plain = self._create([])

    @cached_property
    def _armed(self) -> Any:
        return self._create([self._tool(effect="read")(add)])

    @cached_property
    def _tools(self) -> list[Any]:
        return [self._tool(effect="read", name=f"add_{index}")(add) for index in range(5)]

    def _create(self, tools: list[Any]) -> Any:
        return self._agent(
            name="bench",
            model=self._model,
            instructions=INSTRUCTIONS,
            tools=tools,
            limits=self._limits,
        )

    async def ask(self) -> str:
        """Run without tools."""
        return str((await self._plain.run(PROMPT)).output)

    async def call_tools(self) -> str:
        """Run with the tool."""
        return str((await self._armed.run(PROMPT)).output)

    async def stream(self) -> str:
        """Run as a stream."""
        pieces = []
        async for event in self._plain.stream(PROMPT):
            if isinstance(event, self._text):
                pieces.append(event.text)
        return "".join(pieces)

    def construct(self) -> Any:
        """Return a new agent."""
        return self._create(self._tools)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._model.aclose()


class Workflows:
    """Workflows of Agent Factory."""

    def __init__(self) -> None:
        from agent_factory.core.workflows import Workflow, map_each, step

        async def increment(value: int) -> int:
            return value + 1

        async def one(value: int) -> int:  # noqa: ARG001 - a step takes a value
            return 1

        async def sum_up(values: list[int]) -> int:
            return sum(values)

        chain: Any = Workflow("chain", step(increment, name="s0"))
        for index in range(1, STEPS):
            chain = chain.then(step(increment, name=f"s{index}"))
        self._chain = chain
        self._fan = Workflow("fan", map_each("all", step(one), limit=STEPS)).then(step(sum_up))

    async def chain(self) -> int:
        """Run the steps in a row."""
        return int(await self._chain.run(0))

    async def fan_out(self) -> int:
        """Run the steps side by side."""
        return await self._fan.run(list(range(STEPS)))


def create(url: str) -> AgentFactory:
    """Return the peer for a server."""
    return AgentFactory(url)


def create_workflows() -> Workflows:
    """Return the workflows."""
    return Workflows()
