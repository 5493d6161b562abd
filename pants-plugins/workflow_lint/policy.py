"""Rules of our own for everything that decides whether a check fails.

A gate that cannot fail is worse than none, so a step may not swallow a failure; and an action that is not pinned to a
commit is somebody else's decision about what runs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Problem", "check", "is_gate", "is_workflow"]

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_KEY = r"""(?:^|(?<=[\s{,-]))["']?%s["']?\s*:"""
_CONTINUE = re.compile(_KEY % "continue-on-error" + r"(?!\s*false\b)")
_USES = re.compile(_KEY % "uses" + r"""\s*["']?(?P<value>[^\s"'#}]+)["']?\s*(?P<comment>#.*)?""")
_COMMIT = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
_VERSION = re.compile(r"#\s*v\d+(\.\d+)*\b")
_IMAGE = re.compile(r"docker://\S+@sha256:[0-9a-f]{64}")
_SWALLOWED = re.compile(
    r"\|\|\s*(?:/bin/)?(?:true|:|exit\s+0|echo|printf)(?=[\s;)\"'}]|$)"
    r"|;\s*(?:/bin/)?(?:true|:)\s*$"
    r"|\bset\s+\+(?:e|o\s+errexit)\b"
)
_IGNORED_RECIPE = re.compile(r"^\t@?-")


@dataclass(frozen=True)
class Problem:
    """One violation.

    Attributes:
        path: The file.
        line: The line, counted from 1.
        column: The column, counted from 1.
        message: What is wrong, and what to do.
    """

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


def is_workflow(path: str) -> bool:
    """Tell whether a file is a workflow or an action.

    Args:
        path: The path relative to the root of the repository.

    Returns:
        True for the YAML files below ``.github/workflows`` and ``.github/actions``.
    """
    folders = (".github/workflows/", ".github/actions/")
    return path.startswith(folders) and path.endswith((".yml", ".yaml"))


def is_gate(path: str) -> bool:
    """Tell whether a file decides what fails: a workflow, an action, or what they call.

    Args:
        path: The path relative to the root of the repository.

    Returns:
        True if the rules apply to it.
    """
    return is_workflow(path) or path in ("Makefile", ".ci/run")


def check(path: str, text: str) -> list[Problem]:
    """Apply the rules to one file.

    Args:
        path: The path relative to the root of the repository.
        text: The content.

    Returns:
        The violations in the order of the file.
    """
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        for column, message in _line_problems(path, line):
            problems.append(Problem(path, number, column + 1, message))
    return problems


def _line_problems(path: str, line: str) -> Iterator[tuple[int, str]]:
    # Within an expression `||` is a default value; blanks keep the columns right.
    code = _EXPRESSION.sub(lambda match: "_" * len(match.group()), line)
    swallowed = _SWALLOWED.search(code)
    if swallowed:
        yield swallowed.start(), (
            f"{swallowed.group().strip()!r} hides a failure; let the step fail, or handle the case "
            "that you expect with an `if`"
        )
    if path == "Makefile" and _IGNORED_RECIPE.match(line):
        yield 1, "a leading '-' makes make ignore a failure; remove it"
    if not is_workflow(path):
        return
    match = _CONTINUE.search(line)
    if match:
        yield match.start(), (
            "'continue-on-error' hides a failure; remove it, and fix or delete the step that fails"
        )
    match = _USES.search(line)
    if match:
        problem = _uses_problem(match["value"], match["comment"] or "")
        if problem:
            yield match.start("value"), problem


def _uses_problem(value: str, comment: str) -> str | None:
    if value.startswith(("$/", "./")) or _IMAGE.fullmatch(value):
        return None
    if not _COMMIT.fullmatch(value):
        return (
            f"{value!r} is not pinned to a commit; look up the commit of the version in the action's "
            "repository and write OWNER/NAME@<40 hex digits> # vX.Y.Z"
        )
    if not _VERSION.match(comment):
        return f"{value!r} does not say its version; append a comment like '# v1.2.3'"
    return None
