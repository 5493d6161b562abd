"""Prints how many tests passed and how many failed, from the JUnit reports in a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["count", "main"]


def count(folder: Path) -> tuple[int, int]:
    """Add up the reports.

    Args:
        folder: Where the reports are; each is an XML file with one suite or more.

    Returns:
        How many tests passed, and how many failed or could not be run. Skipped ones are neither.
    """
    passed = failed = 0
    for report in sorted(folder.glob("*.xml")):
        # Written by our own pytest a moment ago.
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += bad
            passed += int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) - bad
    return passed, failed


def main(argv: Sequence[str]) -> int:
    """Print both numbers.

    Args:
        argv: The folder.

    Returns:
        The exit code: 0.
    """
    print(*count(Path(argv[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
