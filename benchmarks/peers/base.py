"""What a peer can be asked to do. Each module of this folder has one function, ``create``."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["ADDER", "INSTRUCTIONS", "KEY", "MODEL", "PROMPT", "Adder", "Peer", "WorkflowPeer"]

PROMPT = "What is the capital of France? Use the tool add wherever it helps."
INSTRUCTIONS = "You are a helpful assistant."
MODEL = "bench-1"
KEY = "sk-bench"


class Adder:
    """The tool that the runs call; counts, so that a run that left calls out does not pass for a fast one.

    Attributes:
        calls: Calls so far.
        total: Sum of what it returned so far.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.total = 0

    def add(self, a: int, b: int) -> int:
        """Return the sum of two numbers."""
        self.calls += 1
        self.total += a + b
        return a + b


ADDER = Adder()


class Peer(Protocol):
    """A framework with its client of one server."""

    async def ask(self) -> str:
        """Run an agent without tools to its end, and return the answer."""
        ...

    async def call_tools(self) -> str:
        """Run an agent with the tool ``add`` to its end, and return the answer."""
        ...

    async def stream(self) -> str:
        """Run an agent without tools as a stream, and return the pieces of text put together."""
        ...

    def construct(self) -> Any:
        """Return a new agent with five tools that were made before, and a model that was made before."""
        ...


class WorkflowPeer(Protocol):
    """A framework that has workflows."""

    async def chain(self) -> int:
        """Run `STEPS` steps in a row, each of which adds one, and return the result."""
        ...

    async def fan_out(self) -> int:
        """Run `STEPS` steps side by side, each of which returns one, and return the sum."""
        ...
