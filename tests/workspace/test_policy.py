"""The rules for tests hold: the kinds of a test, its sockets, its warnings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, test: str, *options: str) -> str:
    """Run one module of tests under the project's rules, and return what pytest prints."""
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (folder / "tests").mkdir()
    (folder / "tests/pytest_policy.py").write_text((ROOT / "tests/pytest_policy.py").read_text())
    (folder / "tests/conftest.py").write_text('pytest_plugins = ["tests.pytest_policy"]\n')
    (folder / "tests/test_it.py").write_text(f"import pytest\n\n{test}")
    paths = os.pathsep.join([str(folder), *(str(Path(path).absolute()) for path in sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={"PYTHONPATH": paths, "PATH": os.environ.get("PATH", os.defpath)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


CONNECT = "import socket\n\ndef test_it():\n    socket.create_connection(('{host}', 9), 0.1)\n"


def test_an_unmarked_test_is_a_unit_test(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, "def test_it():\n    pass\n", "-m", "unit")


def test_a_marked_module_is_no_unit_test(tmp_path: Path) -> None:
    module = "pytestmark = pytest.mark.slow\n\ndef test_it():\n    pass\n"

    assert "1 deselected" in run(tmp_path, module, "-m", "unit")


def test_a_marker_on_one_test_of_a_module_is_refused(tmp_path: Path) -> None:
    said = run(tmp_path, "@pytest.mark.slow\ndef test_it():\n    pass\n")

    assert "tests/test_it.py:3: test_it is marked slow, its module unit" in said


def test_an_unknown_marker_is_refused(tmp_path: Path) -> None:
    said = run(tmp_path, "pytestmark = pytest.mark.integraton\n\ndef test_it():\n    pass\n")

    assert "'integraton' not found in `markers` configuration option" in said


def test_a_unit_test_opens_no_socket(tmp_path: Path) -> None:
    assert "1 failed" in run(tmp_path, CONNECT.format(host="127.0.0.1"))


def test_an_integration_test_reaches_this_machine(tmp_path: Path) -> None:
    module = "pytestmark = pytest.mark.integration\n" + CONNECT.format(host="127.0.0.1")

    assert "ConnectionRefusedError" in run(tmp_path, module)


def test_an_integration_test_reaches_no_other_machine(tmp_path: Path) -> None:
    module = "pytestmark = pytest.mark.integration\n" + CONNECT.format(host="192.0.2.1")

    assert "SocketConnectBlockedError" in run(tmp_path, module)


def test_a_warning_fails_the_test(tmp_path: Path) -> None:
    said = run(tmp_path, "import warnings\n\ndef test_it():\n    warnings.warn('old')\n")

    assert "UserWarning: old" in said
    assert "1 failed" in said


def test_the_order_is_random(tmp_path: Path) -> None:
    assert "Using --randomly-seed=" in run(tmp_path, "def test_it():\n    pass\n")
