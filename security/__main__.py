"""Command line of the security gate: ``python3 -m security run TOOL`` and ``… validate``."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from security.accepted import TOOLS, AcceptedFileError, load_accepted
from security.findings import ScanError, judge
from security.scanners import SCANNERS

__all__ = ["main"]

_ACCEPTED = Path("security/accepted.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate.

    Args:
        arguments: The command line without the program; that of the process by default.

    Returns:
        0 if the gate is passed, 1 if there are findings or expired acceptances, 2 if a scan was
        incomplete.
    """
    parser = argparse.ArgumentParser(
        prog="python3 -m security", description="Security gate of this repository."
    )
    parser.add_argument(
        "--root", type=Path, default=Path.cwd(), help="root of the repository (default: here)"
    )
    parser.add_argument(
        "--today", type=dt.date.fromisoformat, help="judge expiry on this day (YYYY-MM-DD)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "validate", help="check the file of accepted findings, and that none has expired"
    )
    run = commands.add_parser(
        "run", help="run one scanner and hold its findings against the accepted ones"
    )
    run.add_argument("tool", choices=TOOLS)
    options = parser.parse_args(arguments)

    root: Path = options.root
    try:
        acceptances = load_accepted(
            root / _ACCEPTED, options.today or dt.datetime.now(dt.UTC).date()
        )
    except AcceptedFileError as error:
        for problem in error.problems:
            print(problem.removeprefix(f"{root}/"), file=sys.stderr)
        return 1
    if options.command == "validate":
        print(f"{_ACCEPTED}: {len(acceptances)} accepted findings, none expired")
        return 0
    try:
        scan = SCANNERS[options.tool](root)
    except ScanError as error:
        print(f"{options.tool}: incomplete scan: {error}", file=sys.stderr)
        return 2
    verdict = judge(scan, acceptances)
    for finding in verdict.rejected:
        print(finding)
    for sentence in verdict.unused:
        print(f"unused: {sentence.removeprefix(f'{root}/')}")
    print(
        f"{scan.tool}: scanned {scan.coverage}: {len(verdict.rejected)} findings,"
        f" {len(verdict.accepted)} accepted, {len(verdict.unused)} unused acceptances"
    )
    if verdict.rejected:
        print(
            f"Fix each finding, or accept it for a limited time in {_ACCEPTED} (its header says"
            " how)."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
