"""Running a scanner and reading its report, with errors that say what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from security.findings import ScanError

__all__ = ["Completed", "execute", "expect_list", "expect_mapping", "parse_report", "tracked_files"]

_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Completed:
    """What a finished program left behind.

    Attributes:
        code: The exit status.
        stdout: All it wrote to standard output.
        stderr: All it wrote to standard error.
    """

    code: int
    stdout: str
    stderr: str


def execute(command: Sequence[str], root: Path) -> Completed:
    """Run a program to its end.

    Args:
        command: The program, looked up on PATH, and its arguments.
        root: The directory to run it in.

    Returns:
        Its exit status and output; a status other than 0 is not an error here.

    Raises:
        ScanError: If the program is missing or takes longer than 15 minutes.
    """
    program = shutil.which(command[0])
    if program is None:
        raise ScanError(
            f"{command[0]} is not on PATH; install its lock into a virtual environment with "
            "`pip install --require-hashes -r LOCK` and put that environment's bin folder on PATH"
        )
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ScanError(
            f"{command[0]} did not finish in {_TIMEOUT_SECONDS} s; run it by hand"
        ) from error
    return Completed(done.returncode, done.stdout, done.stderr)


def parse_report(tool: str, text: str, stderr: str) -> object:
    """Parse a scanner's JSON report.

    Args:
        tool: The scanner's name, for the error.
        text: The report.
        stderr: What the scanner wrote to standard error, quoted when there is no report.

    Returns:
        The parsed document.

    Raises:
        ScanError: If the report is not JSON, which means that the scanner broke off.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        tail = "\n".join(stderr.strip().splitlines()[:20]) or "(it printed nothing)"
        raise ScanError(
            f"{tool} gave no readable report, so nothing was checked; it said:\n{tail}"
        ) from error


def expect_mapping(tool: str, value: object) -> dict[str, object]:
    """Return a part of a report that must be a JSON object.

    Args:
        tool: The scanner's name, for the error.
        value: The part.

    Returns:
        The same object.

    Raises:
        ScanError: If it is something else.
    """
    if not isinstance(value, dict):
        raise ScanError(
            f"{tool} changed its report format: an object was expected, not {value!r:.80}"
        )
    return value


def expect_list(tool: str, value: object) -> list[dict[str, object]]:
    """Return a part of a report that must be an array of JSON objects.

    Args:
        tool: The scanner's name, for the error.
        value: The part.

    Returns:
        The same array.

    Raises:
        ScanError: If it is something else.
    """
    if not isinstance(value, list):
        raise ScanError(
            f"{tool} changed its report format: an array was expected, not {value!r:.80}"
        )
    return [expect_mapping(tool, item) for item in value]


def tracked_files(root: Path, *patterns: str) -> list[str]:
    """List the files under version control.

    Args:
        root: The root of the repository.
        *patterns: Git path specifications.

    Returns:
        Existing paths relative to the root, sorted.

    Raises:
        ScanError: If `root` is not a git repository.
    """
    done = execute(["git", "ls-files", "-z", "--", *patterns], root)
    if done.code != 0:
        raise ScanError(f"git cannot list the files of {root}: {done.stderr.strip()}")
    return sorted(path for path in done.stdout.split("\0") if path and (root / path).is_file())
