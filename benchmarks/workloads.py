"""What is measured, in which unit, and what Agent Factory is to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["GROWTH", "PEERS", "STEPS", "WORKLOADS", "Workload"]

STEPS: Final = 10
"""Steps of the workflows."""

PEERS: Final = (
    "openai_sdk",
    "aiohttp_by_hand",
    "pydantic_ai",
    "openai_agents",
    "langgraph",
    "agno",
    "agent_factory",
)
"""The modules of the folder ``peers``, in the order of the tables."""

GROWTH: Final = (10, 20, 40, 80)
"""Numbers of sequential tool calls between which the growth of the CPU time is fitted."""

_WITH_WORKFLOWS = ("langgraph", "agno", "agent_factory")
_WITH_AGENTS = ("pydantic_ai", "openai_agents", "langgraph", "agno", "agent_factory")


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to measure.

    Attributes:
        name: Name on the command line.
        title: What it is, for the tables.
        kind: What a worker does: ``ask``, ``call_tools``, ``stream``, ``concurrent``, ``construct``, ``chain`` or
            ``fan_out`` in one process for all rounds; ``start`` and ``import_core`` in a new process each round.
        scenario: What the server answers; empty where it is not asked.
        unit: What the figures mean.
        divisor: How many things of the unit one run is.
        peers: The peers that can do it.
        yardstick: The peer that the ratios refer to; empty for none.
        ratio: Ratio that Agent Factory is to reach; None for none.
        absolute: Figure that Agent Factory is to reach; None for none.
        quick: Whether it is measured in a quick run that does not name it.
    """

    name: str
    title: str
    kind: str
    scenario: str = ""
    unit: Literal["ms", "us", "runs/s"] = "ms"
    divisor: int = 1
    peers: tuple[str, ...] = PEERS
    yardstick: str = "openai_sdk"
    ratio: float | None = None
    absolute: float | None = None
    quick: bool = True

    @property
    def fresh(self) -> bool:
        """Whether each round has a process of its own."""
        return self.kind in ("start", "import_core")

    @property
    def more_is_better(self) -> bool:
        """Whether a higher figure is a better one."""
        return self.unit == "runs/s"


def _sequence(calls: int) -> Workload:
    return Workload(
        f"sequence-{calls}",
        f"{calls} sequential tool calls, CPU",
        "call_tools",
        f"sequence-{calls}",
        ratio=0.10 if calls == 10 else None,
        # The growth shows between the first and the last of them as well.
        quick=calls in (GROWTH[0], GROWTH[-1]),
    )


WORKLOADS: Final = (
    Workload("one", "one request, no tools, CPU", "ask", "one", ratio=0.20),
    *map(_sequence, GROWTH),
    Workload(
        "parallel-50",
        "50 tool calls in one response, CPU",
        "call_tools",
        "parallel-50",
        ratio=0.15,
    ),
    Workload(
        "stream", "streaming, CPU a token", "stream", "stream", "us", divisor=1000, ratio=0.10
    ),
    Workload(
        "concurrent-200", "200 concurrent runs", "concurrent", "one", "runs/s", 200, ratio=8.0
    ),
    Workload("start", "import and first answer, whole process, CPU", "start", "one", ratio=0.60),
    Workload(
        "chain",
        "workflow: a step of a chain, CPU",
        "chain",
        unit="us",
        divisor=STEPS,
        peers=_WITH_WORKFLOWS,
        yardstick="agno",
        ratio=0.30,
        absolute=20.0,
    ),
    Workload(
        "fan-out",
        "workflow: a step of a fan-out, CPU",
        "fan_out",
        unit="us",
        divisor=STEPS,
        peers=_WITH_WORKFLOWS,
        yardstick="agno",
        ratio=0.30,
        absolute=20.0,
    ),
    Workload(
        "construct",
        "construct an agent with 5 shared tools, CPU",
        "construct",
        unit="us",
        peers=_WITH_AGENTS,
        yardstick="",
        absolute=10.0,
    ),
    Workload(
        "import-core",
        "import core alone, whole process, CPU",
        "import_core",
        peers=("agent_factory",),
        yardstick="",
        absolute=300.0,
    ),
)
"""Everything that is measured."""
