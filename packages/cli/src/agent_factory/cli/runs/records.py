"""The lines of the file of a run: the first says what ran; after it come the run's events, and what it was refused."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from agent_factory.cli.exceptions import StoreError

__all__ = ["MAX_HEADER_BYTES", "RecordHeader", "RecordedDenial", "read_denial", "read_header"]

MAX_HEADER_BYTES = 1 << 16

_VERSION = 1
_DENIED = b'{"type":"denied",'


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """What ran.

    Attributes:
        run_id: Identifier of the run.
        blueprint: Name of the blueprint.
        version: Version of the blueprint.
        digest: SHA-256 digest of the blueprint, as hexadecimal digits.
        file: Name of its file, without the folder.
        session: Identifier of the conversation that the run is a part of; empty if of none.
    """

    run_id: str
    blueprint: str
    version: str
    digest: str
    file: str
    session: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain JSON-compatible data."""
        return {"type": "record", "format": _VERSION, **asdict(self)}


def read_header(line: bytes) -> RecordHeader:
    """Return the header that the first line of a file holds.

    Args:
        line: The line.

    Raises:
        StoreError: It is none.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise StoreError("its first line is no header of a recorded run") from None
    if not isinstance(data, dict) or data.get("type") != "record":
        raise StoreError("its first line is no header of a recorded run")
    if data.get("format") != _VERSION:
        raise StoreError("it was written by another version of agent-factory")
    values = {name: data.get(name) for name in RecordHeader.__slots__}
    if not all(isinstance(value, str) for value in values.values()):
        raise StoreError("its header lacks what a header has")
    return RecordHeader(**{name: str(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class RecordedDenial:
    """Something that a run was refused.

    Attributes:
        time: When, in UTC.
        kind: What it was about, such as ``hosts``.
        target: What was asked for.
        reason: Why it was refused, and what would permit it.
    """

    type: ClassVar[str] = "denied"

    time: datetime
    kind: str
    target: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return the denial as plain JSON-compatible data."""
        return {
            "type": self.type,
            "time": self.time.isoformat(),
            "kind": self.kind,
            "target": self.target,
            "reason": self.reason,
        }


def read_denial(line: bytes) -> RecordedDenial | None:
    """Return the denial that a line of the file of a run holds; None where it is another line, or damaged.

    Args:
        line: The line.
    """
    if not line.startswith(_DENIED):
        return None
    try:
        data = json.loads(line)
        time = datetime.fromisoformat(data["time"])
        return RecordedDenial(time, str(data["kind"]), str(data["target"]), str(data["reason"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
