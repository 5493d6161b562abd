"""Bills of materials: what an installation of each distribution consists of."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from release.wheels import ReleaseError, Wheel, normalise

__all__ = ["describe", "pins", "run", "write_boms"]

_PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?==[^\\]+")


def write_boms(wheels: Mapping[str, Wheel], staged: Path, lock: Path) -> list[Path]:
    """Install each staged distribution by itself and list what that brought in.

    Third-party versions are those of the lock, which are the ones that the tests ran with. Needs
    ``cyclonedx-py`` on PATH and the package index.

    Args:
        wheels: All wheels of the repository by distribution name.
        staged: The folder that the plan was written to, one folder per distribution.
        lock: The requirements-style lock of the runtime dependencies.

    Returns:
        The files written, ``<distribution>.cdx.json`` beside the folders.

    Raises:
        ReleaseError: If nothing is staged or a program fails.
    """
    names = sorted(path.name for path in staged.glob("*") if path.is_dir())
    if not names:
        raise ReleaseError(f"{staged}: holds no distribution; run `python3 -m release plan` first")
    return [_write_bom(wheels[name], wheels, staged / f"{name}.cdx.json", lock) for name in names]


def pins(lock: str) -> str:
    """Turn a lock with hashes into constraints without, which may stand beside local wheels.

    Args:
        lock: The text of the lock.

    Returns:
        The pins, one a line, markers kept.
    """
    lines = (_PIN.match(line) for line in lock.splitlines())
    return "".join(f"{line.group().strip()}\n" for line in lines if line is not None)


def describe(bom: dict[str, Any], wheel: Wheel) -> dict[str, Any]:
    """Make a distribution the subject of the bill of its environment.

    Args:
        bom: A CycloneDX document of an environment with the distribution in it.
        wheel: The distribution.

    Returns:
        The same bill with the distribution as its main component, and no longer among its parts.

    Raises:
        ReleaseError: If the environment does not hold it.
    """
    components: list[dict[str, Any]] = bom.get("components", [])
    subject = next(
        (c for c in components if normalise(str(c.get("name"))) == wheel.distribution), None
    )
    if subject is None:
        raise ReleaseError(
            f"{wheel.distribution} is missing from its own bill of materials; build it again"
        )
    main = {**subject, "type": "library", "purl": f"pkg:pypi/{wheel.distribution}@{wheel.version}"}
    main.pop("externalReferences", None)
    return {
        **bom,
        "metadata": {**bom.get("metadata", {}), "component": main},
        "components": [
            _without_paths(component) for component in components if component is not subject
        ],
    }


def run(command: Sequence[str]) -> str:
    """Run a program that must succeed.

    Args:
        command: The program and its arguments.

    Returns:
        Its standard output.

    Raises:
        ReleaseError: If it is missing or fails.
    """
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    except OSError as error:
        raise ReleaseError(f"{command[0]} cannot be run ({error.strerror}); install it") from error
    if done.returncode != 0:
        raise ReleaseError(
            f"{' '.join(command[:4])} … failed:\n{(done.stderr or done.stdout).strip()}"
        )
    return done.stdout


def _write_bom(wheel: Wheel, wheels: Mapping[str, Wheel], target: Path, lock: Path) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        environment, constraints = Path(folder, "environment"), Path(folder, "constraints.txt")
        constraints.write_text(pins(lock.read_text(encoding="utf-8")), encoding="utf-8")
        run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
        python = str(environment / "bin" / "python")
        # The names of our distributions must never be looked for on an index: somebody else may own
        # them there.
        own = [str(wheels[name].files[0]) for name in _closure(wheel, wheels)]
        install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        run([*install, "--constraint", str(constraints), *own])
        bom = json.loads(
            run(["cyclonedx-py", "environment", "--output-reproducible", "--of", "JSON", python])
        )
    target.write_text(
        json.dumps(describe(bom, wheel), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return target


def _closure(wheel: Wheel, wheels: Mapping[str, Wheel]) -> list[str]:
    names = {wheel.distribution}
    while True:
        grown = names.union(*(wheels[name].first_party for name in names))
        if grown == names:
            return sorted(names)
        names = grown


def _without_paths(component: dict[str, Any]) -> dict[str, Any]:
    # Wheels installed from a folder carry its address on the building machine, which is nobody's
    # business.
    references = component.get("externalReferences")
    if not references:
        return component
    kept = [
        reference
        for reference in references
        if not str(reference.get("url", "")).startswith("file:")
    ]
    return {**component, "externalReferences": kept}
