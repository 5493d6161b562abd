"""The scanners, one module each, behind one function signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from security.findings import Scan
from security.scanners.bandit import scan_code
from security.scanners.gitleaks import scan_secrets
from security.scanners.pip_audit import scan_dependencies
from security.scanners.zizmor import scan_workflows

__all__ = ["SCANNERS"]

SCANNERS: Mapping[str, Callable[[Path], Scan]] = {
    "bandit": scan_code,
    "gitleaks": scan_secrets,
    "pip-audit": scan_dependencies,
    "zizmor": scan_workflows,
}
