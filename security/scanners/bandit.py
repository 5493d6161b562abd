"""bandit: risky constructs in our own Python code."""

from __future__ import annotations

from pathlib import Path

from security.execution import execute, expect_list, expect_mapping, parse_report, tracked_files
from security.findings import Finding, Scan, ScanError

__all__ = ["scan_code"]

# Both flag every use of subprocess, whatever it runs: B404 the import, B603 each call without a
# shell. The calls that matter have rules of their own (B602, B604 to B607).
_SKIPPED = "B404,B603"


def scan_code(root: Path) -> Scan:
    """Scan every tracked Python file outside the tests.

    Args:
        root: The root of the repository.

    Returns:
        The findings of every severity; ``# nosec`` comments do not count.

    Raises:
        ScanError: If there is nothing to scan or bandit could not read a file.
    """
    files = [path for path in tracked_files(root, "*.py") if not _is_test(path)]
    if not files:
        raise ScanError(
            f"bandit: no tracked Python file under {root}; run it at the root of the repository"
        )
    done = execute(
        ["bandit", "-q", "-f", "json", "--ignore-nosec", "--skip", _SKIPPED, *files], root
    )
    report = expect_mapping("bandit", parse_report("bandit", done.stdout, done.stderr))
    errors = expect_list("bandit", report.get("errors"))
    if errors:
        broken = "; ".join(f"{error.get('filename')}: {error.get('reason')}" for error in errors)
        raise ScanError(f"bandit skipped files, so they are unchecked: {broken}")
    scanned = {
        name.removeprefix("./")
        for name in expect_mapping("bandit", report.get("metrics"))
        if name != "_totals"
    }
    missing = sorted(set(files) - scanned)
    if missing:
        raise ScanError(
            f"bandit did not scan {len(missing)} of {len(files)} files, first {missing[0]}"
        )
    findings = tuple(
        Finding(
            tool="bandit",
            id=str(result.get("test_id")),
            where=str(result.get("filename")).removeprefix("./"),
            line=int(str(result.get("line_number", 0))),
            message=(
                f"{result.get('issue_text')} (severity {str(result.get('issue_severity')).lower()})"
            ),
        )
        for result in expect_list("bandit", report.get("results"))
    )
    return Scan("bandit", findings, f"{len(files)} Python files")


def _is_test(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return path.startswith("tests/") or name.startswith("test_") or name.endswith("_test.py")
