"""Reading the file of a lock, strictly: what does not fit is told with its place."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.locks.lock import Lock
from agent_factory.core.locks.manifests import manifest_from_dict
from agent_factory.core.locks.shapes import SECTIONS, find_faults
from agent_factory.core.source import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.blueprints.document import Document

__all__ = ["read_lock"]

_AGAIN = "run 'agent-factory lock' to write it again"
_MAX_PROBLEMS = 100
_MARKER = re.compile(rb"^(?:<{7}|>{7}|\|{7})(?: .*)?\r?$", re.MULTILINE)


def read_lock(content: bytes, name: str) -> Lock:
    """Read a lock.

    Args:
        content: The bytes of the file.
        name: The file's name for messages.

    Returns:
        The lock.

    Raises:
        BlueprintError: It is no lock of this version, was edited by hand, or holds a merge conflict; it has every
            problem.
    """
    # Blueprints are put together with locks; locks need no more of them than this.
    from agent_factory.core.blueprints.document import read_document

    conflict = _MARKER.search(content)
    if conflict is not None:
        raise _to_error(name, [_describe_conflict(content, conflict, name)])
    if not content.strip():
        raise _to_error(name, [Problem(Location(name, 1, 1), f"the lock is empty: {_AGAIN}")])
    # JSON is YAML too: its reader bounds size and depth, finds duplicate keys, and knows the places.
    document = read_document(content, name)
    data = _parse(content, document)
    if document.problems:
        raise _to_error(name, document.problems)
    problems = [
        document.create_problem(fault.path, fault.message, at_key=fault.at_key)
        for fault in islice(find_faults(data), _MAX_PROBLEMS)
    ]
    if problems:
        raise _to_error(name, problems)
    try:
        blueprint = data["blueprint"]
        lock = Lock(
            blueprint["name"],
            blueprint["version"],
            blueprint["entry"],
            blueprint["digest"],
            manifest_from_dict(data["permissions"]["manifest"]),
            {section: data[section] for section in SECTIONS if section in data},
        )
    except ConfigurationError as error:
        raise _to_error(name, [document.create_problem((), error.message)]) from None
    if data["digest"] != lock.digest:
        said = f"the lock was changed by hand or by a merge: its content has another digest, so {_AGAIN}"
        raise _to_error(name, [document.create_problem(("digest",), said)])
    return lock


def _parse(content: bytes, document: Document) -> Any:
    """Return what JSON says; where the text is none, the document gets that as its only problem."""
    if not document.lines:
        return None  # it was not even taken for text
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        problem = document.create_problem_at(
            error.lineno - 1, error.colno - 1, f"not JSON: {error.msg}: {_AGAIN}"
        )
    except (RecursionError, ValueError) as error:
        if document.problems:
            return None
        said = str(error) if isinstance(error, ValueError) else "nested too deep"
        problem = document.create_problem_at(0, 0, f"not JSON: {said}: {_AGAIN}")
    document.problems[:] = [problem]
    return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _describe_conflict(content: bytes, match: re.Match[bytes], name: str) -> Problem:
    line = content.count(b"\n", 0, match.start()) + 1
    said = (
        "a merge left a conflict here: merge the blueprint first, take either side of the lock, and "
        f"{_AGAIN}"
    )
    return Problem(Location(name, line, 1), said, match[0].decode("utf-8", "replace").rstrip("\r"))


def _to_error(name: str, problems: Sequence[Problem]) -> BlueprintError:
    ordered = sorted(problems, key=lambda item: (item.location.line, item.location.column))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return BlueprintError(f"{name} has {count}", problems=ordered)
