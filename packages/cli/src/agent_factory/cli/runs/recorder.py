"""Writes down what happens in a run, while it happens."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from agent_factory.cli.runs.records import RecordedDenial
from agent_factory.core.records.encoding import event_to_dict
from agent_factory.core.records.exceptions import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agent_factory.cli.runs.records import RecordHeader
    from agent_factory.core.events import RunEvent
    from agent_factory.core.permissions import Denial

__all__ = ["RunRecorder"]


class RunRecorder:
    """Writes the events of a run to a file, each when it happens: a process that is killed leaves all up to then.

    It is an observer of a run, and of the runs within it. Where the file cannot be written, the run goes on, and
    `failure` says why there is no record.

    Args:
        file: The file; it must not exist yet.
        header: What runs.
        scrub: Takes secrets out of a text.
    """

    def __init__(self, file: Path, header: RecordHeader, scrub: Callable[[str], str]) -> None:
        self._file = file
        self._header = header
        self._scrub = scrub
        self._handle: int | None = None
        # Tools are refused things in threads of their own.
        self._lock = Lock()
        self._waiting: list[RecordedDenial] = []
        self.failure: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def observe(self, event: RunEvent[Any]) -> None:
        """Write an event down.

        Args:
            event: What happened.
        """
        with self._lock:
            if self.failure is not None:
                return
            try:
                if self._handle is None:
                    self._handle = self._open()
                self._write(self._clean(event_to_dict(event)))
                while self._waiting:
                    self._write(self._clean(self._waiting.pop(0).to_dict()))
            except OSError as error:
                self._fail(error.strerror or type(error).__name__)
            except RecordError as error:
                self._fail(error.message)

    def observe_denial(self, denial: Denial) -> None:
        """Write down that something was refused. The file still begins with an event: what comes before it waits for it.

        Args:
            denial: What was refused.
        """
        record = RecordedDenial(datetime.now(UTC), denial.kind, denial.target, denial.reason)
        with self._lock:
            if self.failure is not None:
                return
            if self._handle is None:
                self._waiting.append(record)
                return
            try:
                self._write(self._clean(record.to_dict()))
            except OSError as error:
                self._fail(error.strerror or type(error).__name__)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> int:
        folder = self._file.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            # What runs say is nobody else's business.
            folder.chmod(0o700)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        self._handle = os.open(self._file, flags, 0o600)
        self._write(self._header.to_dict())
        return self._handle

    def _write(self, record: Any) -> None:
        if self._handle is None:
            return
        line = json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
        left = memoryview(line.encode("ascii"))
        while left:
            left = left[os.write(self._handle, left) :]

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._scrub(value)
        if isinstance(value, dict):
            return {self._scrub(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        return value

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.close()
