"""Reports the branch coverage of each distribution, and fails when one is below its floor.

Reads what ``make test-cov`` has just measured. The floors are in ``pyproject.toml``.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Coverage", "main", "measure", "read_floors"]

REPORT = "dist/coverage/python/coverage.json"


@dataclass(frozen=True)
class Coverage:
    """What was executed of one distribution.

    Attributes:
        covered: Lines and branches that were executed.
        total: Lines and branches that there are.
    """

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """The share that was executed, from 0 to 100; 100 of nothing."""
        return 100 * self.covered / self.total if self.total else 100.0


def measure(report: Mapping[str, Any]) -> dict[str, Coverage]:
    """Add up a report by distribution.

    Args:
        report: The JSON report of coverage.py.

    Returns:
        The coverage of each distribution with at least one measured file, by its concern.
    """
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, file in report["files"].items():
        parts = Path(path).parts
        if parts[0] != "packages":
            continue
        summary = file["summary"]
        of_distribution = sums[parts[1]]
        of_distribution[0] += summary["covered_lines"] + summary.get("covered_branches", 0)
        of_distribution[1] += summary["num_statements"] + summary.get("num_branches", 0)
    return {name: Coverage(*of_distribution) for name, of_distribution in sorted(sums.items())}


def read_floors(settings: Mapping[str, Any]) -> dict[str, float]:
    """Find the floors.

    Args:
        settings: The content of ``pyproject.toml``.

    Returns:
        The least coverage in percent by concern, for those that have a floor.
    """
    return dict(settings["tool"]["agent_factory"]["coverage_floor"])


def main(argv: Sequence[str]) -> int:
    """Print the coverage of each distribution.

    Args:
        argv: The root of the repository, or nothing for the one that Pants runs in.

    Returns:
        The exit code: 1 when a distribution is below its floor or was not measured.
    """
    root = Path(argv[0] if argv else os.environ.get("PANTS_BUILDROOT_OVERRIDE", "."))
    report = root / REPORT
    if not report.is_file():
        print(f"{REPORT} is missing: run 'make test-cov'.", file=sys.stderr)
        return 1
    floors = read_floors(tomllib.loads((root / "pyproject.toml").read_text()))
    found = measure(json.loads(report.read_text()))
    low = False
    for name in sorted(set(found) | set(floors)):
        coverage = found.get(name, Coverage(0, 1))
        floor = floors.get(name)
        is_low = floor is not None and coverage.percent < floor
        low |= is_low
        note = "" if floor is None else f"  (floor {floor:g} %{': too low' if is_low else ''})"
        print(f"afactory-{name:<16}{coverage.percent:6.1f} %{note}")
    if low:
        print(
            "Add tests for the lines above that are not covered; the floor stands in "
            "[tool.agent_factory.coverage_floor] of pyproject.toml.",
            file=sys.stderr,
        )
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
