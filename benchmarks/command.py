"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environments import (
    Environment,
    EnvironmentFailedError,
    default_cache,
    prepare_environment,
)
from benchmarks.measuring import Plan, measure
from benchmarks.report import create_report, show_report, write_json
from benchmarks.workloads import PEERS, WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_ROUNDS, _SECONDS = 7, 0.15
_QUICK_ROUNDS, _QUICK_SECONDS = 3, 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables.

    Args:
        arguments: The words of the command line; those of this process if None.

    Returns:
        0; 1 if a peer failed at a workload; 2 if nothing could be measured.
    """
    options = _create_parser().parse_args(arguments)
    workloads = _choose(options.only, quick=options.quick)
    peers = [
        peer
        for peer in PEERS
        if peer in options.peers and any(peer in item.peers for item in workloads)
    ]
    try:
        environments = _prepare(peers, workloads, options.cache, options.wheels)
    except EnvironmentFailedError as error:
        print(error, file=sys.stderr)
        return 2
    plan = Plan(
        workloads,
        environments,
        rounds=options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS),
        seconds=_QUICK_SECONDS if options.quick else _SECONDS,
        peers=tuple(peers),
    )
    cells = asyncio.run(measure(plan))
    report = create_report(plan, cells)
    print(show_report(report))
    if options.json:
        write_json(report, options.json)
    return 1 if any(cell.error for cell in cells) else 0


def _choose(names: Sequence[str], *, quick: bool) -> tuple[Workload, ...]:
    if names:
        return tuple(item for item in WORKLOADS if item.name in names or item.kind in names)
    return tuple(item for item in WORKLOADS if item.quick or not quick)


def _prepare(
    peers: Sequence[str], workloads: Sequence[Workload], cache: Path, wheels: Path | None
) -> dict[str, Environment]:
    names = list(peers)
    if any(item.kind == "import_core" for item in workloads) and "agent_factory" in peers:
        names.append("agent_factory_core")
    return {name: prepare_environment(name, cache, wheels) for name in names}


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python benchmarks/run.py",
        description="Measures Agent Factory and its peers at the same work, against the same local server.",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="WORKLOAD",
        choices=sorted({item.name for item in WORKLOADS} | {item.kind for item in WORKLOADS}),
        help=f"measure only these: {', '.join(item.name for item in WORKLOADS)}",
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        default=list(PEERS),
        choices=PEERS,
        metavar="PEER",
        help=f"measure only these: {', '.join(PEERS)}",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds (default: {_ROUNDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    parser.add_argument(
        "--wheels",
        type=Path,
        metavar="FOLDER",
        help="measure the wheels of Agent Factory in this folder instead of the sources",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        default=default_cache(),
        help="where the environments are kept (default: %(default)s)",
    )
    return parser
