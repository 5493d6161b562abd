"""Finds the Pythons that our wheels must work on, and what they need there without an index."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.integration.downloads import cached, run

__all__ = ["LOCKS", "create_environment", "find_python", "provide_wheelhouse"]

LOCKS = (Path("3rdparty/default.lock"), Path("3rdparty/tools/setuptools.lock"))


def find_python(version: str) -> str | None:
    """Return a CPython that really runs, or None.

    Args:
        version: Major and minor version, such as ``3.12``.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(map(str, root.glob(f"versions/{version}.*/bin/python")), reverse=True),
        *sorted(map(str, Path("/opt/hostedtoolcache/Python").glob(f"{version}.*/*/bin/python"))),
        f"/usr/bin/python{version}",
    ]
    check = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in candidates:
        if candidate is None or not Path(candidate).exists():
            continue
        # A pyenv shim may exist and still not run.
        if (
            subprocess.run([candidate, "-c", check], capture_output=True, check=False).returncode
            == 0
        ):
            return candidate
    return None


def create_environment(python: str, folder: Path) -> Path:
    """Create an empty virtual environment and return its Python.

    Args:
        python: The interpreter.
        folder: Where to put it.
    """
    run([python, "-m", "venv", str(folder)])
    return folder / "bin" / "python"


def provide_wheelhouse(python: str, version: str) -> Path:
    """Return a folder with every third-party wheel of the locks, for one Python.

    Args:
        python: The interpreter.
        version: Its major and minor version.
    """
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()[:16]

    def download(folder: Path) -> None:
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        for lock in LOCKS:
            run(
                [python, "-m", "pip", "download", *options, "-d", str(folder), "-r", str(lock)],
                timeout=600,
            )

    return cached(f"wheels/{version}-{digest}", download)
