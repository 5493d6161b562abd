"""gitleaks: secrets anywhere in the history."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from security.execution import execute, expect_list, parse_report
from security.findings import Finding, Scan, ScanError

__all__ = ["scan_secrets"]

_EXEMPTIONS = (".gitleaks.toml", ".gitleaksignore")
_LEAKS_FOUND = 1


def scan_secrets(root: Path) -> Scan:
    """Scan every commit that is reachable from the checked-out one.

    Args:
        root: The root of the repository, with its whole history.

    Returns:
        The findings, their texts redacted. The identifier is the fingerprint, so that an acceptance
        covers one line of one commit.

    Raises:
        ScanError: If the history is incomplete, gitleaks has exemptions of its own, or it scanned
            nothing.
    """
    for name in _EXEMPTIONS:
        if (root / name).exists():
            raise ScanError(
                f"{name} hides secrets from this gate; move its entries to security/accepted.toml"
            )
    shallow = execute(["git", "rev-parse", "--is-shallow-repository"], root)
    if shallow.code != 0 or shallow.stdout.strip() != "false":
        raise ScanError(
            "gitleaks needs the whole history; run `git fetch --unshallow` (in CI: fetch-depth: 0)"
        )
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [
            "gitleaks",
            "git",
            "--no-banner",
            "--no-color",
            "--redact=100",
            "--ignore-gitleaks-allow",
        ]
        done = execute([*command, "--report-format=json", f"--report-path={report}", "."], root)
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    results = expect_list("gitleaks", parse_report("gitleaks", text, done.stderr))
    if done.code not in (0, _LEAKS_FOUND) or (done.code == _LEAKS_FOUND) != bool(results):
        raise ScanError(f"gitleaks ended with status {done.code}: {done.stderr.strip()}")
    commits = re.search(r"(\d+) commits scanned", done.stderr)
    if commits is None or int(commits.group(1)) == 0:
        raise ScanError("gitleaks scanned no commit; run it in a clone that has at least one")
    findings = tuple(
        Finding(
            tool="gitleaks",
            id=str(result.get("Fingerprint")),
            where=str(result.get("File")),
            line=int(str(result.get("StartLine", 0))),
            message=f"{result.get('Description')} Revoke it first: it stays in the history.",
        )
        for result in results
    )
    return Scan("gitleaks", findings, f"{commits.group(1)} commits")
