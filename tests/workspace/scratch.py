"""A copy of the repository in which Pants can be run, and things can be broken."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

__all__ = ["Scratch"]

_KEPT_VARIABLES = (
    "HOME",
    "LANG",
    "PATH",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PYENV_ROOT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
)


class Scratch:
    """A clone whose branch ``main`` is the working tree as it is now, with what git does not ignore.

    Pants shares the machine's caches with every other checkout, so only its start takes time.

    Args:
        root: An empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        original = os.environ.get("PANTS_BUILDROOT_OVERRIDE")
        if original is None:
            pytest.fail("These tests copy the repository: run them with './pants test'.")
        listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for name in self._run(*listed, cwd=Path(original)).stdout.split("\0"):
            source = Path(original, name)
            if name and source.is_file():
                target = root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", "test")
        self._git("config", "user.email", "test@example.org")
        self.commit()

    def commit(self) -> None:
        """Record everything, so that ``restore`` comes back to it."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message=state")

    def restore(self) -> None:
        """Undo what was changed since the last commit."""
        self._git("reset", "--quiet", "--hard")
        self._git("clean", "--quiet", "--force", "-d")

    def write(self, path: str, text: str) -> None:
        """Write a file, and its folder where there is none."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        """Put something at the end of a file."""
        self.write(path, (self.root / path).read_text(encoding="utf-8") + text)

    def pants(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``./pants``; what it prints comes back as ``stdout``, both streams in one."""
        return self._run("./pants", "--no-dynamic-ui", *arguments, check=False)

    def follow(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run the lines of a shell script until one fails; both streams come back as ``stdout``."""
        return self._run("sh", "-eu", "-c", script, check=False)

    def list(self, *arguments: str) -> set[str]:
        """The lines that ``./pants`` prints; it must succeed."""
        done = self._run("./pants", "--level=error", *arguments)
        return set(done.stdout.splitlines())

    def close(self) -> None:
        """End the daemon of this clone."""
        for file in self.root.glob(".pids/*/pantsd/pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGTERM)

    def _git(self, *arguments: str) -> None:
        self._run("git", *arguments)

    def _run(
        self, *command: str, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done
