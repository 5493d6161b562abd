"""Starts the server and the workers, and interleaves the peers round by round."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.environments import ROOT, Environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.workloads import Workload

__all__ = ["Cell", "Plan", "measure", "serving"]

_START_SECONDS = 120.0
_ROUND_SECONDS = 120.0
_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and how often.

    Attributes:
        workloads: The workloads.
        environments: The environments of the peers, by name.
        rounds: Rounds of each cell.
        seconds: About how long a round lasts.
        peers: The peers.
    """

    workloads: tuple[Workload, ...]
    environments: dict[str, Environment]
    rounds: int
    seconds: float
    peers: tuple[str, ...]


@dataclass(slots=True)
class Cell:
    """What was measured of one peer at one workload.

    Attributes:
        workload: The workload.
        peer: The peer.
        cpu: Seconds of the process's CPU for one run, one number a round.
        wall: Seconds by the clock for one run, one number a round.
        error: Why there are no figures; empty where there are.
    """

    workload: Workload
    peer: str
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    error: str = ""


class _FailedError(Exception):
    """A worker did not do what it should."""


async def measure(plan: Plan) -> list[Cell]:
    """Measure everything that a plan says.

    Args:
        plan: The plan.

    Returns:
        A cell for each workload and each of its peers.
    """
    cells = []
    async with serving() as url:
        for workload in plan.workloads:
            peers = [peer for peer in plan.peers if peer in workload.peers]
            row = [Cell(workload, peer) for peer in peers]
            if row:
                print(f"measuring {workload.name}", file=sys.stderr, flush=True)
            if workload.fresh:
                await _measure_starts(plan, row, url)
            else:
                await _measure_rounds(plan, row, url)
            cells += row
    return cells


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Run the server in a process of its own, and give its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from benchmarks.server import main; main()",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    try:
        port = (await process.stdout.readline()).decode().strip()
        if not port:
            raise RuntimeError("the benchmark server did not start: see what it printed above")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        await process.wait()


async def _measure_starts(plan: Plan, cells: list[Cell], url: str) -> None:
    # One more than counts: the first start after a change has to compile and to read from the disk.
    for index in range(plan.rounds + 1):
        for cell in cells:
            if cell.error:
                continue
            worker = await _Worker.create(plan, cell, url)
            try:
                figures = await worker.read(_START_SECONDS)
                await worker.end()
            except _FailedError as error:
                cell.error = str(error)
                await worker.kill()
                continue
            if index:
                cell.cpu.append(figures["cpu"])
                cell.wall.append(figures["wall"])


async def _measure_rounds(plan: Plan, cells: list[Cell], url: str) -> None:
    workers = []
    for cell in cells:
        # One after the other, so that none warms up while another one is slowed down by it.
        worker = await _Worker.create(plan, cell, url)
        workers.append(worker)
        try:
            await worker.read(_START_SECONDS)
        except _FailedError as error:
            cell.error = str(error)
    try:
        for index in range(plan.rounds):
            pairs = list(zip(cells, workers, strict=True))
            # From both ends in turn, so that no peer always has the same neighbour before it.
            for cell, worker in reversed(pairs) if index % 2 else pairs:
                if cell.error:
                    continue
                try:
                    figures = await worker.round()
                except _FailedError as error:
                    cell.error = str(error)
                    continue
                cell.cpu.append(figures["cpu"])
                cell.wall.append(figures["wall"])
    finally:
        for worker in workers:
            await worker.kill()


class _Worker:
    """A process of worker.py."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("all three are pipes")
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        # Read all the time: a peer that warns a lot would else wait for somebody to read it.
        self._said = asyncio.create_task(process.stderr.read())

    @classmethod
    async def create(cls, plan: Plan, cell: Cell, url: str) -> _Worker:
        """Start a worker for a cell."""
        workload = cell.workload
        core = workload.kind == "import_core"
        environment = plan.environments["agent_factory_core" if core else cell.peer]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            str(environment.python), "-P", str(ROOT / "benchmarks" / "worker.py"),
            cell.peer, workload.kind, workload.scenario, url, str(plan.seconds),
            stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE_BYTES, env=environment.variables,
        )  # fmt: skip
        return cls(process)

    async def round(self) -> dict[str, Any]:
        """Do a round, and return its figures."""
        self._input.write(b"\n")
        return await self.read(_ROUND_SECONDS)

    async def read(self, seconds: float) -> dict[str, Any]:
        """Return the next line of JSON."""
        try:
            line = await asyncio.wait_for(self._output.readline(), seconds)
        except TimeoutError:
            raise _FailedError(f"did not end within {seconds:g} s") from None
        try:
            figures = json.loads(line)
        except ValueError:
            await self.kill()
            said = (await self._said).decode(errors="replace").strip().splitlines()
            raise _FailedError(" ".join(said[-1:]) or "ended without a word") from None
        if not isinstance(figures, dict):
            raise _FailedError(f"said {line[:100]!r} instead of figures")
        return figures

    async def end(self) -> None:
        """Wait for the end of a worker that ends by itself."""
        await self._process.wait()
        await self._said

    async def kill(self) -> None:
        """End the worker."""
        if self._process.returncode is None:
            self._input.close()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await asyncio.wait([self._said])
