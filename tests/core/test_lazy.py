from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["", ".guardrails", ".memory"])
def test_package_lists_its_names_before_they_are_imported(package: str) -> None:
    name = f"agent_factory.core{package}"
    program = f"import {name} as package; print(*dir(package))"
    listed = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()

    assert set(importlib.import_module(name).__all__) <= set(listed)
    assert listed == sorted(listed)
