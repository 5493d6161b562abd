"""pip-audit: known vulnerabilities in every version that a lock pins."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from security.execution import execute, expect_list, expect_mapping, parse_report, tracked_files
from security.findings import Finding, Scan, ScanError

__all__ = ["locked_versions", "scan_dependencies"]

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")


def locked_versions(lock: Path) -> set[tuple[str, str]]:
    """Read the pins of a requirements-style lock, whatever platform they are for.

    Args:
        lock: The lock.

    Returns:
        Pairs of normalised project name and version.

    Raises:
        ScanError: If it pins nothing or holds a requirement that is not a pin.
    """
    pins: set[tuple[str, str]] = set()
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith(("#", "--hash")):
            continue
        pin = _PIN.match(text)
        if pin is None:
            raise ScanError(
                f"{lock}:{number}: {text!r:.60} is not pinned by ==; regenerate it with `make lock`"
            )
        pins.add((_normalise(pin["name"]), pin["version"]))
    if not pins:
        raise ScanError(f"{lock}: pins nothing; regenerate it with `make lock`")
    return pins


def scan_dependencies(root: Path) -> Scan:
    """Look up every pinned version of every tracked lock.

    Args:
        root: The root of the repository.

    Returns:
        The findings, one for each vulnerability of each project.

    Raises:
        ScanError: If there is no lock, or pip-audit skipped or missed any of the pinned versions.
    """
    locks = tracked_files(root, "*.lock")
    if not locks:
        raise ScanError(
            f"pip-audit: no tracked *.lock under {root}; run it at the root of the repository"
        )
    pins = sorted(set().union(*(locked_versions(root / lock) for lock in locks)))
    # It takes one version of a project in a run.
    dependencies = [item for layer in _layers(pins) for item in _audit(root, layer)]
    coverage = f"{len(pins)} pinned versions in {len(locks)} locks"
    return Scan("pip-audit", _findings(dependencies, pins), coverage)


def _audit(root: Path, pins: list[tuple[str, str]]) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        # The lock itself will not do: its platform markers would hide pins from the audit.
        requirements = Path(folder, "pins.txt")
        text = "".join(f"{name}=={version}\n" for name, version in pins)
        requirements.write_text(text, encoding="utf-8")
        command = ["pip-audit", "--format=json", "--disable-pip", "--no-deps"]
        command += ["--progress-spinner=off", "--requirement", str(requirements)]
        done = execute(command, root)
    report = expect_mapping("pip-audit", parse_report("pip-audit", done.stdout, done.stderr))
    return expect_list("pip-audit", report.get("dependencies"))


def _findings(
    dependencies: list[dict[str, object]], pins: list[tuple[str, str]]
) -> tuple[Finding, ...]:
    skipped = sorted({str(item["skip_reason"]) for item in dependencies if item.get("skip_reason")})
    if skipped:
        raise ScanError(
            f"pip-audit skipped {len(skipped)} of {len(pins)} pinned versions, so they are"
            " unchecked; run it where the vulnerability database can be reached. First:"
            f" {skipped[0]}"
        )
    audited = {
        (_normalise(str(item.get("name"))), str(item.get("version"))) for item in dependencies
    }
    missing = [f"{name}=={version}" for name, version in pins if (name, version) not in audited]
    if missing:
        raise ScanError(
            f"pip-audit audited {len(audited)} of {len(pins)} pinned versions; missing:"
            f" {missing[0]}"
        )
    found: dict[tuple[str, str], Finding] = {}
    for item in dependencies:
        name, version = _normalise(str(item.get("name"))), str(item.get("version"))
        for vulnerability in expect_list("pip-audit", item.get("vulns")):
            identifier = str(vulnerability.get("id"))
            fixes = vulnerability.get("fix_versions")
            remedy = (
                f"fixed in {', '.join(map(str, fixes))}"
                if isinstance(fixes, list) and fixes
                else "no fix yet"
            )
            found[identifier, name] = Finding(
                "pip-audit", identifier, name, 0, f"{name} {version} is vulnerable, {remedy}"
            )
    return tuple(found.values())


def _layers(pins: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    layers: list[dict[str, str]] = []
    for name, version in pins:
        layer = next((layer for layer in layers if name not in layer), None)
        if layer is None:
            layer = {}
            layers.append(layer)
        layer[name] = version
    return [list(layer.items()) for layer in layers]


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
