"""Reading recorded runs: what came of them, and what happened."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agent_factory.cli.exceptions import StoreError
from agent_factory.cli.runs.records import (
    MAX_HEADER_BYTES,
    RecordedDenial,
    RecordHeader,
    read_denial,
    read_header,
)
from agent_factory.core.events import RunFailed, RunFinished, RunStarted
from agent_factory.core.records.encoding import event_from_dict
from agent_factory.core.records.exceptions import RecordError
from agent_factory.core.records.lines import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from agent_factory.core.events import RunEvent

__all__ = ["RunSummary", "read_lines", "read_record", "summarize"]

MAX_LINE_BYTES = 64 << 20
_BLOCK = 1 << 16

Outcome: TypeAlias = Literal["finished", "failed", "unfinished"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What came of a run.

    Attributes:
        header: What ran.
        agent: Name of the agent.
        model: Name of the model.
        started_at: When it began, in UTC.
        outcome: How it ended; ``unfinished`` while it runs, or where its process was killed.
        error: Code of the error of a run that failed; empty for another.
        seconds: How long it took, up to its last event.
        tokens: Tokens read and written; None where the record does not say it.
        cost: What it cost, in millionths of the currency's unit; None where that is not known.
    """

    header: RecordHeader
    agent: str
    model: str
    started_at: datetime
    outcome: Outcome
    error: str
    seconds: float
    tokens: int | None
    cost: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON-compatible data."""
        return {
            "type": "run",
            "run_id": self.header.run_id,
            "started_at": self.started_at.isoformat(),
            "blueprint": self.header.blueprint,
            "version": self.header.version,
            "digest": self.header.digest,
            "file": self.header.file,
            "session": self.header.session,
            "agent": self.agent,
            "model": self.model,
            "outcome": self.outcome,
            "error": self.error,
            "seconds": round(self.seconds, 6),
            "tokens": self.tokens,
            "cost": self.cost,
        }


def summarize(file: Path) -> RunSummary:
    """Return what came of a run; of its file only the beginning and the end are read.

    Args:
        file: The file of the run.

    Raises:
        StoreError: It cannot be read, or is no recorded run.
    """
    with _open(file) as stream:
        header = read_header(stream.readline(MAX_HEADER_BYTES))
        start = _read_event(stream.readline(MAX_LINE_BYTES), "its second line")
        if not isinstance(start, RunStarted):
            raise StoreError("its events do not begin with 'run_started'")
        last = _read_last(stream) or start
    usage = last.result.usage if isinstance(last, RunFinished) else None
    ended = last.run_id == start.run_id
    return RunSummary(
        header=header,
        agent=start.agent,
        model=start.model,
        started_at=start.time,
        outcome=(
            "finished"
            if ended and isinstance(last, RunFinished)
            else "failed" if ended and isinstance(last, RunFailed) else "unfinished"
        ),
        error=last.error.code if ended and isinstance(last, RunFailed) else "",
        seconds=max(0.0, (last.time - start.time).total_seconds()),
        tokens=usage.tokens if usage is not None and ended else None,
        cost=usage.cost if usage is not None and ended else None,
    )


def read_record(file: Path) -> tuple[RecordHeader, Iterator[RunEvent[Any] | RecordedDenial]]:
    """Return what ran, and what happened, which is read from the file as it is asked for.

    Args:
        file: The file of the run.

    Returns:
        The header, and the events of the run and of those within it, with what they were refused; reading them raises `StoreError` where the file is
        damaged. Where its last line was cut off, the events end before it.

    Raises:
        StoreError: It cannot be read, or is no recorded run.
    """
    stream = _open(file)
    try:
        header = read_header(stream.readline(MAX_HEADER_BYTES))
    except StoreError:
        stream.close()
        raise
    return header, _read_events(stream)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the header and the events of a run as plain data.

    Args:
        file: The file of the run.

    Raises:
        StoreError: It cannot be read, or is no recorded run.
    """
    with _open(file) as stream:
        yield read_header(stream.readline(MAX_HEADER_BYTES)).to_dict()
        number = 1
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                if not line.endswith(b"\n"):  # cut off while it was written
                    return
                raise StoreError(f"line {number} is no JSON") from None
            if not isinstance(data, dict):
                raise StoreError(f"line {number} is no event")
            yield data


def _open(file: Path) -> BinaryIO:
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise StoreError(f"it cannot be read: {error.strerror}") from error
    return os.fdopen(handle, "rb")


def _read_events(stream: BinaryIO) -> Iterator[RunEvent[Any] | RecordedDenial]:
    denied: list[RecordedDenial] = []

    def lines() -> Iterator[str]:
        while line := stream.readline(MAX_LINE_BYTES):
            denial = read_denial(line)
            if denial is None:
                yield line.decode("utf-8", "replace")
            else:
                denied.append(denial)
                # An empty line in its place, so that the numbers of lines in messages stay right.
                yield "\n"

    with stream:
        try:
            for event in read_events(lines()):
                while denied:
                    yield denied.pop(0)
                yield event
            yield from denied
        except RecordError as error:
            if error.details.get("cut_off") is not True:
                # The first line of the file is the header.
                raise StoreError(f"after the header, {error.message}") from error


def _read_event(line: bytes, where: str) -> RunEvent[Any]:
    try:
        return event_from_dict(json.loads(line))
    except (ValueError, RecursionError, RecordError):
        raise StoreError(f"{where} is no event of a run") from None


def _read_last(stream: BinaryIO) -> RunEvent[Any] | None:
    """Return the last event that was written whole."""
    end = stream.seek(0, os.SEEK_END)
    tail = b""
    position = end
    while position > 0 and len(tail) < MAX_LINE_BYTES:
        size = min(max(_BLOCK, len(tail)), position)
        position -= size
        stream.seek(position)
        tail = stream.read(size) + tail
        # What follows the last line break was cut off.
        whole = tail[: tail.rfind(b"\n") + 1]
        start = whole.rfind(b"\n", 0, -1)
        while start >= 0:
            last = whole[start + 1 :]
            if read_denial(last) is None:
                return _read_event(last, "its last line")
            whole = whole[: start + 1]
            start = whole.rfind(b"\n", 0, -1)
    return None
