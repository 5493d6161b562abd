"""Findings of the scanners, and the verdict on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from security.accepted import Acceptance

__all__ = ["Finding", "Scan", "ScanError", "Verdict", "judge"]


class ScanError(Exception):
    """A scan did not cover what it should have, so that its silence proves nothing."""


@dataclass(frozen=True)
class Finding:
    """One thing that a scanner objects to.

    Attributes:
        tool: The scanner.
        id: The scanner's identifier, as an acceptance must quote it.
        where: The file, or for pip-audit the package.
        line: The line in that file, counted from 1; 0 where there is none.
        message: The scanner's explanation in one line.
    """

    tool: str
    id: str
    where: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.tool} {self.id}: {self.message}"


@dataclass(frozen=True)
class Scan:
    """The outcome of one complete scan.

    Attributes:
        tool: The scanner.
        findings: All that it found.
        coverage: What was scanned, for people, for example ``"41 files"``.
    """

    tool: str
    findings: tuple[Finding, ...]
    coverage: str


@dataclass(frozen=True)
class Verdict:
    """A scan held against the accepted findings.

    Attributes:
        rejected: Findings that no entry accepts: the gate fails when there are any.
        accepted: Findings that an entry accepts.
        unused: One sentence for each entry of this scanner that accepts more than was found.
    """

    rejected: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    unused: tuple[str, ...]


def judge(scan: Scan, acceptances: Iterable[Acceptance]) -> Verdict:
    """Separate the accepted findings of a scan from the others.

    Args:
        scan: A complete scan.
        acceptances: Entries that have not expired; those of other scanners are ignored.

    Returns:
        The verdict. Where more findings exist than an entry's count, all of them are rejected,
        since nobody can tell which of them was meant.
    """
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in scan.findings:
        groups[finding.id, finding.where].append(finding)
    entries = {(entry.id, entry.where): entry for entry in acceptances if entry.tool == scan.tool}

    rejected: list[Finding] = []
    accepted: list[Finding] = []
    for key, group in groups.items():
        entry = entries.get(key)
        (accepted if entry is not None and len(group) <= entry.count else rejected).extend(group)
    unused = tuple(
        f"{entry.origin}: accepts {entry.count} of {entry.tool} {entry.id} in {entry.where}, "
        f"{len(groups.get(key, ()))} found; lower `count` or remove the entry"
        for key, entry in entries.items()
        if len(groups.get(key, ())) < entry.count
    )
    return Verdict(tuple(rejected), tuple(accepted), unused)
