"""agno: its agent and its workflow; telemetry is off, since it would go to another server."""

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


class Agno:
    """Agents of agno."""

    def __init__(self, url: str) -> None:
        from agno.agent import Agent
        from agno.models.openai import OpenAIChat

        self._agent = Agent
        self._model = OpenAIChat(id=MODEL, api_key=KEY, base_url=url)
        self._plain = self._create([])

    @cached_property
    def _armed(self) -> Any:
        return self._create([add])

    @cached_property
    def _tools(self) -> list[Any]:
        from agno.tools import Function

        return [Function.from_callable(add, name=f"add_{index}") for index in range(5)]

    def _create(self, tools: list[Any]) -> Any:
        return self._agent(
            model=self._model, instructions=INSTRUCTIONS, tools=tools, telemetry=False
        )

    async def ask(self) -> str:
        """Run without tools."""
        return str((await self._plain.arun(PROMPT)).content)

    async def call_tools(self) -> str:
        """Run with the tool."""
        return str((await self._armed.arun(PROMPT)).content)

    async def stream(self) -> str:
        """Run as a stream."""
        pieces = []
        async for event in self._plain.arun(PROMPT, stream=True):
            if event.event == "RunContent":
                pieces.append(event.content)
        return "".join(pieces)

    def construct(self) -> Any:
        """Return a new agent."""
        return self._create(self._tools)


class AgnoWorkflows:
    """Workflows of agno."""

    def __init__(self) -> None:
        from agno.workflow import Parallel, Step, StepInput, StepOutput, Workflow

        async def increment(step_input: StepInput) -> StepOutput:
            before: Any = step_input.previous_step_content
            return StepOutput(content=(before or 0) + 1)

        async def one(step_input: StepInput) -> StepOutput:
            del step_input  # agno looks for the name
            return StepOutput(content="1")

        chain: list[Any] = [Step(name=f"s{index}", executor=increment) for index in range(STEPS)]
        fan: list[Any] = [Step(name=f"s{index}", executor=one) for index in range(STEPS)]
        self._chain = Workflow(name="chain", steps=chain, telemetry=False)
        self._fan = Workflow(name="fan", steps=[Parallel(*fan, name="all")], telemetry=False)

    async def chain(self) -> int:
        """Run the steps in a row."""
        return int(str((await self._chain.arun("go")).content))

    async def fan_out(self) -> int:
        """Run the steps side by side."""
        result: Any = await self._fan.arun("go")
        return sum(int(str(step.content)) for step in result.step_results[0].steps)


def create(url: str) -> Agno:
    """Return the peer for a server."""
    return Agno(url)


def create_workflows() -> AgnoWorkflows:
    """Return the peer's workflows."""
    return AgnoWorkflows()
