"""langgraph: its agent (``langchain.agents.create_agent``) and its graphs."""

from __future__ import annotations

import operator
from functools import cached_property
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

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


class LangGraph:
    """Agents of langgraph."""

    def __init__(self, url: str) -> None:
        self._model = ChatOpenAI(model=MODEL, api_key=lambda: KEY, base_url=url, stream_usage=True)
        self._plain = create_agent(self._model, system_prompt=INSTRUCTIONS)

    @cached_property
    def _armed(self) -> Any:
        return create_agent(self._model, tools=[tool(add)], system_prompt=INSTRUCTIONS)

    @cached_property
    def _tools(self) -> list[Any]:
        return [tool(f"add_{index}")(add) for index in range(5)]

    @property
    def _input(self) -> Any:
        return {"messages": [{"role": "user", "content": PROMPT}]}

    async def ask(self) -> str:
        """Run without tools."""
        state = await self._plain.ainvoke(self._input)
        return str(state["messages"][-1].content)

    async def call_tools(self) -> str:
        """Run with the tool."""
        state = await self._armed.ainvoke(self._input, {"recursion_limit": 2000})
        return str(state["messages"][-1].content)

    async def stream(self) -> str:
        """Run as a stream."""
        pieces = []
        chunk: Any
        async for chunk, _ in self._plain.astream(self._input, stream_mode="messages"):
            pieces.append(chunk.content)
        return "".join(pieces)

    def construct(self) -> Any:
        """Return a new agent."""
        return create_agent(self._model, tools=self._tools, system_prompt=INSTRUCTIONS)


class State(TypedDict):
    """What the graphs work on."""

    value: int
    parts: Annotated[list[int], operator.add]


async def _increment(state: State) -> dict[str, Any]:
    return {"value": state["value"] + 1}


async def _one(_: State) -> dict[str, Any]:
    return {"parts": [1]}


class Graphs:
    """Graphs of langgraph."""

    def __init__(self) -> None:
        from langgraph.graph import END, START, StateGraph

        chain: Any = StateGraph(State)
        fan: Any = StateGraph(State)
        for index in range(STEPS):
            chain.add_node(f"s{index}", _increment)
            chain.add_edge(f"s{index - 1}" if index else START, f"s{index}")
            fan.add_node(f"s{index}", _one)
            fan.add_edge(START, f"s{index}")
            fan.add_edge(f"s{index}", END)
        chain.add_edge(f"s{STEPS - 1}", END)
        self._chain = chain.compile()
        self._fan = fan.compile()

    async def chain(self) -> int:
        """Run the nodes in a row."""
        state = await self._chain.ainvoke({"value": 0, "parts": []}, {"recursion_limit": 100})
        return int(state["value"])

    async def fan_out(self) -> int:
        """Run the nodes side by side."""
        state = await self._fan.ainvoke({"value": 0, "parts": []})
        return sum(state["parts"])


def create(url: str) -> LangGraph:
    """Return the peer for a server."""
    return LangGraph(url)


def create_workflows() -> Graphs:
    """Return the peer's workflows."""
    return Graphs()
