"""zizmor: risky constructs in the workflows and actions of this repository."""

from __future__ import annotations

import os
from pathlib import Path

from security.execution import execute, expect_list, expect_mapping, parse_report
from security.findings import Finding, Scan, ScanError

__all__ = ["scan_workflows"]


def scan_workflows(root: Path) -> Scan:
    """Audit everything under ``.github``.

    With a GitHub token in ``GH_TOKEN`` the audits that ask GitHub run as well, for example whether
    a pinned commit belongs to the action's repository and carries the version in the comment.

    Args:
        root: The root of the repository.

    Returns:
        The findings of every severity; ignore comments and configuration files do not count.

    Raises:
        ScanError: If zizmor could not read a workflow or audited none.
    """
    online = bool(os.environ.get("GH_TOKEN"))
    command = ["zizmor", "--format=json", "--no-exit-codes", "--no-config", "--no-ignores"]
    command += ["--strict-collection", "--collect=all", "--no-progress", "--color=never"]
    done = execute([*command, *([] if online else ["--offline"]), ".github"], root)
    if done.code != 0:
        raise ScanError(
            f"zizmor did not finish, so nothing was checked; it said:\n{done.stderr.strip()[:800]}"
        )
    results = expect_list("zizmor", parse_report("zizmor", done.stdout, done.stderr))
    audited = [line.rsplit(" ", 1)[-1] for line in done.stderr.splitlines() if "completed" in line]
    if not audited:
        raise ScanError("zizmor audited no file; are there workflows under .github?")
    findings = tuple(_finding(result) for result in results)
    mode = "offline and online audits" if online else "offline audits only: GH_TOKEN is not set"
    return Scan("zizmor", findings, f"{len(audited)} files, {mode}")


def _finding(result: dict[str, object]) -> Finding:
    locations = expect_list("zizmor", result.get("locations"))
    symbolic = [expect_mapping("zizmor", location.get("symbolic")) for location in locations]
    index = next((i for i, item in enumerate(symbolic) if item.get("kind") == "Primary"), 0)
    if not locations:
        raise ScanError(f"zizmor changed its report format: {result.get('ident')} has no location")
    key = expect_mapping("zizmor", symbolic[index].get("key"))
    local = expect_mapping("zizmor", key.get("Local"))
    concrete = expect_mapping("zizmor", locations[index].get("concrete"))
    start = expect_mapping(
        "zizmor", expect_mapping("zizmor", concrete.get("location")).get("start_point")
    )
    return Finding(
        tool="zizmor",
        id=str(result.get("ident")),
        where=str(local.get("verbatim_path")),
        line=int(str(start.get("row", -1))) + 1,
        message=f"{result.get('desc')}: {symbolic[index].get('annotation')} ({result.get('url')})",
    )
