"""What git and the package folders say: versions, tags, and files as they were at a tag."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from release.wheels import ReleaseError

__all__ = ["Repository"]

_VERSION = re.compile(r"\d+\.\d+\.\d+")


class Repository:
    """A clone of this repository, with its tags.

    Args:
        root: Its root folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def version(self, concern: str) -> str:
        """Read the version of a package.

        Args:
            concern: The folder under ``packages``.

        Returns:
            The content of its VERSION file.

        Raises:
            ReleaseError: If there is no such package or the file holds no ``X.Y.Z``.
        """
        path = Path("packages", concern, "VERSION")
        try:
            text = (self._root / path).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise ReleaseError(
                f"{path}: no such file, so there is no package {concern!r}; the packages are "
                f"{', '.join(self.concerns()) or '(none)'}"
            ) from error
        if not _VERSION.fullmatch(text):
            raise ReleaseError(f"{path}:1: {text!r} is not a version of the form X.Y.Z; correct it")
        return text

    def concerns(self) -> tuple[str, ...]:
        """List the packages: the folders under ``packages`` with a VERSION file, sorted."""
        return tuple(sorted(p.parent.name for p in self._root.glob("packages/*/VERSION")))

    def changelog_mentions(self, concern: str, version: str) -> bool:
        """Tell whether a package's CHANGELOG has a section for a version.

        Args:
            concern: The folder under ``packages``.
            version: The version.

        Returns:
            True if a second-level heading names it.
        """
        path = self._root / "packages" / concern / "CHANGELOG.md"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return re.search(rf"^## \[?v?{re.escape(version)}\b", text, re.MULTILINE) is not None

    def tags(self) -> frozenset[str]:
        """List all tags."""
        return frozenset(self._git("tag", "--list").split())

    def commit(self, revision: str) -> str:
        """Resolve a revision.

        Args:
            revision: A tag, a branch or ``HEAD``.

        Returns:
            The full hash of its commit.

        Raises:
            ReleaseError: If there is none.
        """
        return self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()

    def is_ancestor(self, revision: str, branch: str) -> bool:
        """Tell whether a branch contains a revision.

        Args:
            revision: The revision.
            branch: The branch.

        Returns:
            True if it does.
        """
        done = self._run("merge-base", "--is-ancestor", revision, branch)
        return done.returncode == 0

    def file_at(self, tag: str, path: Path) -> str | None:
        """Read a file as it was at a tag.

        Args:
            tag: The tag.
            path: The file, relative to the root.

        Returns:
            Its text, or None if it did not exist then.
        """
        done = self._run("show", f"refs/tags/{tag}:{path.as_posix()}")
        return done.stdout if done.returncode == 0 else None

    def read(self, path: Path) -> str | None:
        """Read a file of the working tree.

        Args:
            path: The file, relative to the root.

        Returns:
            Its text, or None if it does not exist.
        """
        target = self._root / path
        return target.read_text(encoding="utf-8") if target.is_file() else None

    def _git(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode != 0:
            raise ReleaseError(
                f"git {' '.join(arguments)} failed: {done.stderr.strip() or 'nothing found'}; "
                "a release needs a full clone with all tags (in CI: fetch-depth: 0)"
            )
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=self._root, capture_output=True, text=True, check=False
        )
