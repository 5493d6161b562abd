"""Turns what was measured into tables."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measuring import Cell, Plan
    from benchmarks.workloads import Workload

__all__ = ["create_report", "fit_exponent", "show_report", "write_json"]

_OURS = "agent_factory"
_NOT_PEERS = (_OURS, "openai_sdk", "aiohttp_by_hand")
_MAIN = {
    "openai_sdk": "openai",
    "aiohttp_by_hand": "aiohttp",
    "pydantic_ai": "pydantic-ai-slim",
    "openai_agents": "openai-agents",
    "langgraph": "langgraph",
    "agno": "agno",
    "agent_factory": "afactory-core",
    "agent_factory_core": "afactory-core",
}
_FACTORS = {"ms": 1e3, "us": 1e6}


def create_report(plan: Plan, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return everything that was measured, as plain data.

    Args:
        plan: What was to be measured.
        cells: What was measured.
    """
    workloads = [
        _report_workload(workload, [cell for cell in cells if cell.workload is workload])
        for workload in plan.workloads
    ]
    return {
        "machine": _describe_machine(),
        "rounds": plan.rounds,
        "versions": {
            peer: environment.versions.get(_MAIN.get(peer, ""), "")
            for peer, environment in plan.environments.items()
        },
        "distributions": {
            peer: environment.distributions for peer, environment in plan.environments.items()
        },
        "workloads": workloads,
        "growth": _report_growth(workloads),
    }


def show_report(report: dict[str, Any]) -> str:
    """Return the tables as Markdown.

    Args:
        report: From `create_report`.
    """
    machine = report["machine"]
    lines = [
        f"{machine['date']}, {machine['cores']} cores ({machine['processor']}), {machine['system']}, "
        f"Python {machine['python']}, load {machine['load']}, medians of {report['rounds']} rounds",
        "",
        "| peer | version | distributions |",
        "|---|---|---|",
    ]
    for peer, count in report["distributions"].items():
        lines.append(f"| {peer} | {report['versions'][peer] or '-'} | {count} |")
    peers = _unique(peer for item in report["workloads"] for peer in item["figures"])
    lines += ["", f"| workload | unit | {' | '.join(peers)} |", f"|{'---|' * (len(peers) + 2)}"]
    for item in report["workloads"]:
        row = [_show_figure(item, peer) for peer in peers]
        lines.append(f"| {item['title']} | {item['unit']} | {' | '.join(row)} |")
    if report["growth"]:
        exponents = [
            f"{report['growth'][peer]:.2f}" if peer in report["growth"] else "" for peer in peers
        ]
        lines.append(
            f"| growth with sequential calls: CPU ~ calls^x | x | {' | '.join(exponents)} |"
        )
    lines += [
        "",
        "| workload | best peer | agent_factory | to reach | reached |",
        "|---|---|---|---|---|",
    ]
    lines += [_show_target(item) for item in report["workloads"] if item["targets"]]
    failures = [
        f"- {item['name']}, {peer}: {error}"
        for item in report["workloads"]
        for peer, error in item["errors"].items()
    ]
    return "\n".join(lines + (["", "failed:", *failures] if failures else [])) + "\n"


def write_json(report: dict[str, Any], path: Path) -> None:
    """Write a report as JSON.

    Args:
        report: From `create_report`.
        path: The file to write.
    """
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def fit_exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return x of the curve ``y ~ n ** x`` that fits points best (least squares of the logarithms).

    Args:
        points: At least two pairs of n and y, all greater than 0.
    """
    logs = [(math.log(n), math.log(y)) for n, y in points]
    return statistics.linear_regression([n for n, _ in logs], [y for _, y in logs]).slope


def _report_workload(workload: Workload, cells: Sequence[Cell]) -> dict[str, Any]:
    good = [cell for cell in cells if not cell.error]
    figures = {cell.peer: _median(cell) for cell in good}
    base = figures.get(workload.yardstick)
    return {
        "name": workload.name,
        "title": workload.title,
        "unit": workload.unit,
        "yardstick": workload.yardstick,
        "more_is_better": workload.more_is_better,
        "figures": figures,
        "ratios": {peer: figure / base for peer, figure in figures.items()} if base else {},
        "targets": {
            name: value
            for name, value in (("ratio", workload.ratio), ("absolute", workload.absolute))
            if value is not None
        },
        "rounds": {cell.peer: {"cpu": cell.cpu, "wall": cell.wall} for cell in good},
        "errors": {cell.peer: cell.error for cell in cells if cell.error},
    }


def _median(cell: Cell) -> float:
    workload = cell.workload
    if workload.unit == "runs/s":
        return workload.divisor / statistics.median(cell.wall)
    return statistics.median(cell.cpu) * _FACTORS[workload.unit] / workload.divisor


def _report_growth(workloads: Sequence[dict[str, Any]]) -> dict[str, float]:
    points: dict[str, list[tuple[float, float]]] = {}
    for item in workloads:
        kind, _, calls = item["name"].partition("-")
        if kind == "sequence":
            for peer, figure in item["figures"].items():
                points.setdefault(peer, []).append((int(calls), figure))
    return {peer: fit_exponent(pairs) for peer, pairs in points.items() if len(pairs) > 1}


def _describe_machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": processor,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }


def _show_figure(item: dict[str, Any], peer: str) -> str:
    if peer in item["errors"]:
        return "failed"
    if peer not in item["figures"]:
        return ""
    figure = item["figures"][peer]
    shown = f"{figure:.3g}" if figure < 1000 else f"{figure:.0f}"
    return f"{shown} ({item['ratios'][peer]:.2f}x)" if peer in item["ratios"] else shown


def _show_target(item: dict[str, Any]) -> str:
    more, unit = item["more_is_better"], item["unit"]
    rivals = {peer: value for peer, value in item["figures"].items() if peer not in _NOT_PEERS}
    best = (max if more else min)(rivals, key=lambda peer: rivals[peer]) if rivals else ""
    wanted, reached = [], []
    for name, target in item["targets"].items():
        sign = ">=" if more else "<="
        of = f"x {item['yardstick']}" if name == "ratio" else unit
        wanted.append(f"{sign} {target:g} {of}")
        got = item["ratios" if name == "ratio" else "figures"].get(_OURS)
        if got is not None:
            reached.append(got >= target if more else got <= target)
    answer = "yes" if len(reached) == len(wanted) else "not measured"
    answer = answer if all(reached) else "no"
    return (
        f"| {item['title']} | {f'{best} {_show_figure(item, best)}' if best else ''} | "
        f"{_show_figure(item, _OURS)} | {' and '.join(wanted)} | {answer} |"
    )


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
