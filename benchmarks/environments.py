"""One virtual environment for each peer, outside the repository, made once for each set of pins."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Environment", "EnvironmentFailedError", "default_cache", "prepare_environment"]

ROOT = Path(__file__).resolve().parents[1]
_PINS = ROOT / "3rdparty" / "benchmarks"
_OURS = {"agent_factory": ("core", "integrations"), "agent_factory_core": ("core",)}
_LIST = """
import json
from importlib.metadata import distributions
print(json.dumps({item.metadata["Name"].lower(): item.version for item in distributions()}))
"""
_NOT_COUNTED = ("pip", "setuptools")


class EnvironmentFailedError(Exception):
    """An environment could not be made."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's environment.

    Attributes:
        name: Name of the file with its pins, without ending.
        python: Its interpreter.
        sources: Folders that are put on the import path; none where all is installed.
        versions: What is installed, by name.
        distributions: How many distributions it has, Agent Factory's own among them.
    """

    name: str
    python: Path
    sources: tuple[Path, ...]
    versions: dict[str, str]
    distributions: int

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its processes: what this process has, without what changes imports."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        path = os.pathsep.join(map(str, self.sources))
        return {**kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0"} if path else kept


def default_cache() -> Path:
    """Return where environments are kept, unless an option says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base, "agent-factory", "benchmarks").expanduser()


def prepare_environment(name: str, cache: Path, wheels: Path | None = None) -> Environment:
    """Return a peer's environment; make it if it is not there yet.

    Args:
        name: Name of the file with its pins, without ending.
        cache: Where environments are kept.
        wheels: Folder with the wheels of Agent Factory to measure instead of the sources.

    Raises:
        EnvironmentFailedError: It could not be made.
    """
    pins = _PINS / f"{name}.txt"
    packages = _OURS.get(name, ())
    found = _find_wheels(packages, wheels) if wheels else []
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode())
    for wheel in found:
        key.update(wheel.read_bytes())
    folder = cache / f"{name}-{key.hexdigest()[:12]}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"making the environment of {name} in {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run(name, sys.executable, "-m", "venv", str(folder))
        _run(name, str(python), "-m", "pip", "install", "--quiet", "--requirement", str(pins))
        if found:
            _run(
                name,
                str(python), "-m", "pip", "install", "--quiet", "--no-deps", *map(str, found),
            )  # fmt: skip
        # Compiled once, so that the first start is not slower than the others.
        _run(name, str(python), "-m", "compileall", "-q", str(folder / "lib"), check=False)
        done.touch()
    versions: dict[str, str] = json.loads(_run(name, str(python), "-I", "-c", _LIST))
    counted = [item for item in versions if item not in _NOT_COUNTED]
    sources = () if found else tuple(ROOT / "packages" / item / "src" for item in packages)
    if sources:
        version = (ROOT / "packages" / "core" / "VERSION").read_text(encoding="utf-8").strip()
        versions["afactory-core"] = f"{version} (sources)"
    return Environment(name, python, sources, versions, len(counted) + len(sources))


def _find_wheels(packages: tuple[str, ...], folder: Path) -> list[Path]:
    found = []
    for package in packages:
        wheels = sorted(folder.glob(f"afactory_{package}-*.whl"))
        if len(wheels) != 1:
            raise EnvironmentFailedError(
                f"{folder} has {len(wheels)} wheels afactory_{package}-*.whl instead of one: "
                "build them into an empty folder"
            )
        found += wheels
    return found


def _run(name: str, *command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise EnvironmentFailedError(
            f"the environment of {name} cannot be made; '{' '.join(command)}' says:\n{done.stderr}"
        )
    return done.stdout
