"""A machine of the test's making: the folder that is all of a script's PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["Machine", "machine"]

_SCRIPTS = Path(__file__).resolve().parents[2] / "docker"
_TOOLS = (
    "bash",
    "cat",
    "dirname",
    "env",
    "grep",
    "head",
    "id",
    "mkdir",
    "mktemp",
    "rm",
    "sed",
    "timeout",
)


class Machine:
    """The commands that a script under test finds, and the script's runs.

    Args:
        home: An empty folder for everything that belongs to the machine.
    """

    def __init__(self, home: Path) -> None:
        self.bin = home / "bin"
        self.cache = home / "cache"
        self.calls = home / "calls"
        self.bin.mkdir()
        for tool in _TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is missing on this machine"
            (self.bin / tool).symlink_to(found)

    def install(self, name: str, script: str) -> None:
        """Put a command on the PATH, one that notes how it is called.

        Args:
            name: The command's name; an existing one is replaced.
            script: What it does then, in bash.
        """
        path = self.bin / name
        path.unlink(missing_ok=True)
        note = f'echo "{name} $*" >>"{self.calls}"'
        path.write_text(f"#!{shutil.which('bash')}\n{note}\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def called(self) -> list[str]:
        """Tell how the installed commands were called.

        Returns:
            One line for each call, the oldest first.
        """
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []

    def run(
        self, script: str, *arguments: str, folder: Path = _SCRIPTS
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of `docker/` on this machine.

        Args:
            script: Its name.
            *arguments: Its arguments.
            folder: Where the script lies; by default the repository's own folder.

        Returns:
            The exit code and the output.
        """
        environment = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(self.cache), "HOME": os.devnull}
        return subprocess.run(
            [str(self.bin / "bash"), str(folder / script), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with the usual tools, but with no Docker and no package manager."""
    home = tmp_path / "machine"
    home.mkdir()
    return Machine(home)
