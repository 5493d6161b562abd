"""The programs that tests of the documentation start, and their environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["create_environment", "run_program"]

_CHOSEN = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENT_FACTORY_MODEL")


def create_environment() -> dict[str, str]:
    """Return the environment without what chooses a model, in which Python finds what this process finds."""
    kept = {name: value for name, value in os.environ.items() if name not in _CHOSEN}
    # Absolute, since the programs run in folders of their own.
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path)}


def run_program(folder: Path, *arguments: str) -> str:
    """Run a Python program without a terminal and without a key, and return what it prints.

    Args:
        folder: Where it runs.
        arguments: Its file, and what follows on the command line.

    Raises:
        AssertionError: It failed, warned, or wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=create_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
