"""The file of accepted findings: what it may contain, and when an entry stops counting."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MAX_DAYS", "TOOLS", "Acceptance", "AcceptedFileError", "load_accepted"]

TOOLS = ("bandit", "gitleaks", "pip-audit", "zizmor")
MAX_DAYS = 366

_FIELDS = frozenset({"tool", "id", "where", "count", "reason", "expires"})
_MIN_REASON = 20


class AcceptedFileError(Exception):
    """The file of accepted findings is malformed or holds entries that have expired.

    Attributes:
        problems: One line per problem, each starting with ``file:line``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Acceptance:
    """One accepted finding.

    Attributes:
        tool: The scanner that reports it, one of `TOOLS`.
        id: The scanner's identifier of the finding.
        where: The file, or for pip-audit the package, in which it is reported.
        count: How many findings with this identifier are accepted there, at least 1.
        reason: Why it is acceptable.
        expires: The last day on which the entry counts.
        origin: ``file:line`` of the entry.
    """

    tool: str
    id: str
    where: str
    count: int
    reason: str
    expires: dt.date
    origin: str


def load_accepted(path: Path, today: dt.date) -> tuple[Acceptance, ...]:
    """Read and check the accepted findings.

    Args:
        path: The TOML file, an array of tables named ``accepted``; it may be empty of entries.
        today: The date that decides which entries have expired.

    Returns:
        The entries in file order.

    Raises:
        AcceptedFileError: If the file is missing, malformed, or an entry has expired.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise AcceptedFileError(
            [f"{path}:1: cannot be read ({error.strerror}); restore it"]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AcceptedFileError([f"{path}:1: not valid TOML: {error}; correct it"]) from error

    problems = [
        f"{path}:1: unknown key {key!r}; only [[accepted]] entries belong here"
        for key in document
        if key != "accepted"
    ]
    entries = document.get("accepted", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AcceptedFileError([f"{path}:1: `accepted` must be written as [[accepted]] tables"])
    lines = _entry_lines(text)
    accepted: list[Acceptance] = []
    seen: dict[tuple[str, str, str], str] = {}
    for index, entry in enumerate(entries):
        origin = f"{path}:{lines[index] if index < len(lines) else 1}"
        faults = _faults(entry, today)
        problems.extend(f"{origin}: {fault}" for fault in faults)
        if faults:
            continue
        acceptance = Acceptance(
            tool=entry["tool"],
            id=entry["id"],
            where=entry["where"],
            count=entry.get("count", 1),
            reason=entry["reason"],
            expires=entry["expires"],
            origin=origin,
        )
        key = (acceptance.tool, acceptance.id, acceptance.where)
        if key in seen:
            problems.append(f"{origin}: repeats {seen[key]}; merge the two and raise `count`")
        seen[key] = origin
        accepted.append(acceptance)
    if problems:
        raise AcceptedFileError(problems)
    return tuple(accepted)


def _entry_lines(text: str) -> list[int]:
    return [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.split("#", 1)[0].replace(" ", "").strip() == "[[accepted]]"
    ]


def _faults(entry: Mapping[str, object], today: dt.date) -> list[str]:
    faults = [
        f"unknown key {key!r}; an entry has {', '.join(sorted(_FIELDS))}"
        for key in sorted(entry.keys() - _FIELDS)
    ]
    for name in ("tool", "id", "where", "reason"):
        value = entry.get(name)
        if not isinstance(value, str) or not value.strip():
            faults.append(f"`{name}` must be a non-empty string")
    tool, reason = entry.get("tool"), entry.get("reason")
    if isinstance(tool, str) and tool.strip() and tool not in TOOLS:
        faults.append(f"unknown tool {tool!r}; write one of {', '.join(TOOLS)}")
    if isinstance(reason, str) and 0 < len(reason.strip()) < _MIN_REASON:
        faults.append(f"the reason {reason!r} is too short; say why the finding is acceptable")
    count = entry.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        faults.append("`count` must be an integer of at least 1")
    return faults + _date_faults(entry, today)


def _date_faults(entry: Mapping[str, object], today: dt.date) -> list[str]:
    expires = entry.get("expires")
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        return ["`expires` must be a date without quotes, for example expires = 2027-02-22"]
    if expires < today:
        return [
            (
                f"the acceptance of {entry.get('id')} ({entry.get('tool')}, {entry.get('where')})"
                f" expired on {expires}; fix the finding and remove the entry, or argue it anew with a"
                " later date"
            )
        ]
    if expires > today + dt.timedelta(days=MAX_DAYS):
        return [f"`expires` = {expires} is more than {MAX_DAYS} days ahead; choose an earlier date"]
    return []
