"""Decide what continuous integration checks: what a change affects, or everything.

On a pull request Pants selects the changed targets and their dependents. It does not know that some
files affect every target, such as its own configuration, so a change to one of those selects
everything.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["EVERYTHING", "GLOBAL_FILES", "SelectionError", "changed_files", "main", "select"]

EVERYTHING = "::"

# A VERSION is among them since it rewrites the metadata of every dependent distribution.
GLOBAL_FILES = (
    "pants",
    "pants.toml",
    "pants.*.toml",
    "pyproject.toml",
    "Makefile",
    "BUILD",
    "build-support/*",
    "pants-plugins/*",
    "3rdparty/*",
    "*.lock",
    "ci/*",
    ".ci/*",
    ".github/*",
    "packages/*/VERSION",
)


class SelectionError(Exception):
    """The changed files cannot be determined; the message says what to do."""


def select(changed: Iterable[str], base: str) -> tuple[str, str]:
    """Choose the targets for a pull request.

    Args:
        changed: Paths of the changed files relative to the root of the repository.
        base: The revision that the pull request goes to, for example ``origin/main``.

    Returns:
        The argument for Pants, and the reason for people.
    """
    for path in sorted(changed):
        if any(fnmatchcase(path, pattern) for pattern in GLOBAL_FILES):
            return EVERYTHING, f"{path} affects every target"
    return f"--changed-since={base}", f"what differs from {base}, with its dependents"


def changed_files(root: Path, base: str) -> list[str]:
    """List the files that differ from where HEAD left a branch, deleted ones included.

    Args:
        root: The root of the repository.
        base: The branch.

    Returns:
        Paths relative to the root.

    Raises:
        SelectionError: If git cannot compare the two.
    """
    command = ["git", "diff", "--name-only", "--no-renames", "-z", f"{base}...HEAD"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SelectionError(
            f"git cannot compare HEAD with {base}: {done.stderr.strip()}; fetch that branch and the"
            " whole history (in a workflow: fetch-depth: 0)"
        )
    return [path for path in done.stdout.split("\0") if path]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the targets on standard output and the reason on standard error.

    Args:
        arguments: The command line without the program; that of the process by default.

    Returns:
        0, or 1 if the changed files cannot be determined.
    """
    parser = argparse.ArgumentParser(
        description="Choose the targets that continuous integration checks."
    )
    parser.add_argument(
        "--event", required=True, help="name of the event, for example pull_request"
    )
    parser.add_argument("--base", default="origin/main", help="branch that a pull request goes to")
    parser.add_argument(
        "--root", type=Path, default=Path.cwd(), help="root of the repository (default: here)"
    )
    parser.add_argument(
        "--github-output", type=Path, help="append `targets=…` to this step output file as well"
    )
    options = parser.parse_args(arguments)

    if options.event == "pull_request":
        try:
            targets, reason = select(changed_files(options.root, options.base), options.base)
        except SelectionError as error:
            print(f"refused: {error}", file=sys.stderr)
            return 1
    else:
        targets, reason = EVERYTHING, f"a {options.event} checks everything"
    print(f"{targets}: {reason}", file=sys.stderr)
    print(targets)
    if options.github_output is not None:
        with options.github_output.open("a", encoding="utf-8") as stream:
            stream.write(f"targets={targets}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
