"""Throw-away git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["commit_files", "git", "new_repository"]


def git(root: Path, *arguments: str) -> str:
    """Run git in a repository, untouched by the configuration of whoever runs the tests.

    Args:
        root: The repository.
        *arguments: The command line after ``git``.

    Returns:
        Its standard output, stripped.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit_files(root: Path, **files: str | None) -> str:
    """Commit files.

    Args:
        root: The repository.
        **files: Contents by path; None deletes the file.

    Returns:
        The hash of the commit.
    """
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "change")
    return git(root, "rev-parse", "HEAD")


def new_repository(root: Path, **files: str | None) -> Path:
    """Make a repository with the branch ``main``.

    Args:
        root: Its folder.
        **files: The files of the first commit.

    Returns:
        The folder.
    """
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit_files(root, **files)
    return root
