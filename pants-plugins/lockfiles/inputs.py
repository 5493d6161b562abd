"""What a lock was made from, and whether it still is.

A lock starts with two digests: of its inputs (the ``.in`` file beside it and the locks that it is
constrained by) and of its own lines. ``make lock`` writes them and the ``lint`` goal compares them,
so an edited input and an edited lock are both noticed without asking an index.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FIX", "Inputs", "is_stale", "read_inputs", "render_lock"]

FIX = "run 'make lock'"

_DIRECTIVE = re.compile(r"^# (?P<name>python|constraints): (?P<value>.+)$", re.MULTILINE)
_HEADER = re.compile(r"\A# Made by 'make lock' .*\n# inputs: (\w+)\n# content: (\w+)\n")
_DEFAULT_PYTHON = "3.11"


@dataclass(frozen=True)
class Inputs:
    """What an ``.in`` file asks for.

    Attributes:
        python: The oldest Python that the lock has to work on, as ``major.minor``.
        constraints: The locks to agree with, as paths below ``3rdparty``, in the order given.
        requirements: The requirement lines, without comments and blank lines.
    """

    python: str
    constraints: tuple[str, ...]
    requirements: tuple[str, ...]


def read_inputs(text: str) -> Inputs:
    """Read an ``.in`` file.

    Args:
        text: The file's content: requirements, one a line, and the directives ``# python: 3.9``
            (default 3.11) and ``# constraints: OTHER.lock ANOTHER.lock``.

    Returns:
        What it asks for.
    """
    directives = {match["name"]: match["value"].split() for match in _DIRECTIVE.finditer(text)}
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return Inputs(
        python=directives.get("python", [_DEFAULT_PYTHON])[0],
        constraints=tuple(directives.get("constraints", [])),
        requirements=tuple(line for line in lines if line and not line.startswith("#")),
    )


def render_lock(source: str, text: str, locks: Mapping[str, str], resolved: str) -> str:
    """Put the header before what the resolver found.

    Args:
        source: The name of the ``.in`` file, for the reader.
        text: Its content.
        locks: The content of every lock it is constrained by, by its path below ``3rdparty``.
        resolved: The pinned and hashed requirements.

    Returns:
        The content of the lock.
    """
    header = (
        f"# Made by 'make lock' from {source}; edit that file, not this one.\n"
        f"# inputs: {_digest_of_inputs(text, locks)}\n"
        f"# content: {_digest(resolved)}\n"
    )
    return header + resolved


def is_stale(text: str, locks: Mapping[str, str], lock: str) -> str | None:
    """Compare a lock with its inputs.

    Args:
        text: The content of the ``.in`` file.
        locks: The content of every lock it is constrained by, by its path below ``3rdparty``.
        lock: The content of the lock.

    Returns:
        What is wrong with the lock, or None when nothing is.
    """
    header = _HEADER.match(lock)
    if header is None:
        return "was not made by 'make lock'"
    inputs, content = header.groups()
    if inputs != _digest_of_inputs(text, locks):
        return "is stale: what it was made from has changed"
    if content != _digest(lock[header.end() :]):
        return "was edited by hand"
    return None


def _digest_of_inputs(text: str, locks: Mapping[str, str]) -> str:
    inputs = read_inputs(text)
    parts = [inputs.python, *sorted(inputs.requirements)]
    for name in inputs.constraints:
        body = (line for line in locks[name].splitlines() if not line.lstrip().startswith("#"))
        parts += [name, *body]
    return _digest("\n".join(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
