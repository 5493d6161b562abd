"""The folder in which recorded runs are kept."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import StoreError, UsageError
from agent_factory.cli.runs.recorder import RunRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent_factory.cli.runs.records import RecordHeader

__all__ = ["RunStore", "shorten_ids"]

MAX_PRUNED = 200
"""Files that one run removes at most: what begins a run must not take long."""

MAX_SEEN = 50_000
"""Names of files that are looked at, at most."""

_SHORTEST = 8
_NAME = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl")


class RunStore:
    """Recorded runs: one file of JSON Lines for each, named by its identifier, which begins with its time.

    Args:
        folder: Where they are.
        number: How many are kept at most; 0 records none.
        days: For how many days they are kept at most; at least 1.

    Attributes:
        folder: As given.
    """

    def __init__(self, folder: Path, *, number: int, days: int) -> None:
        self.folder = folder
        self._number = number
        self._days = days

    @property
    def records(self) -> bool:
        """Whether runs are recorded at all."""
        return self._number > 0

    def create_recorder(self, header: RecordHeader, scrub: Callable[[str], str]) -> RunRecorder:
        """Return what records a run; its file comes with the first event.

        Args:
            header: What runs.
            scrub: Takes secrets out of a text.
        """
        return RunRecorder(self.get_file(header.run_id), header, scrub)

    def get_file(self, run_id: str) -> Path:
        """Return the file of a run, whether there is one or not.

        Args:
            run_id: Its whole identifier.
        """
        return self.folder / f"{run_id}.jsonl"

    def list_ids(self) -> list[str]:
        """Return the identifiers of the recorded runs, the latest first.

        Raises:
            StoreError: The folder cannot be read.
        """
        return self._scan()[0]

    def list_foreign(self) -> list[str]:
        """Return the names of files in the folder that are no recorded runs.

        Raises:
            StoreError: The folder cannot be read.
        """
        return self._scan()[1]

    def find(self, prefix: str) -> str:
        """Return the identifier of the one run that a beginning fits.

        Args:
            prefix: The beginning of an identifier, or ``last`` for the latest run.

        Raises:
            UsageError: No run fits, or several do.
            StoreError: The folder cannot be read.
        """
        ids = self.list_ids()
        wanted = prefix.lower()
        if wanted == "last" and ids:
            return ids[0]
        found = [item for item in ids if wanted and item.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError(
                f"no recorded run begins with {prefix!r}: agent-factory runs list shows them"
            )
        shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise UsageError(
            f"{len(found)} recorded runs begin with {prefix!r}: write more of it ({shown})"
        )

    def delete(self, run_ids: Iterable[str]) -> int:
        """Remove recorded runs.

        Args:
            run_ids: Their whole identifiers.

        Returns:
            How many there were.

        Raises:
            StoreError: One cannot be removed.
        """
        removed = 0
        for run_id in run_ids:
            try:
                self.get_file(run_id).unlink()
            except FileNotFoundError:  # somebody else was faster
                continue
            except OSError as error:
                raise StoreError(
                    f"{self.get_file(run_id)} cannot be removed: {error.strerror}"
                ) from error
            removed += 1
        return removed

    def find_outdated(self, now: datetime) -> list[str]:
        """Return the identifiers of the runs that are not to be kept any more, the oldest first.

        Args:
            now: The time.

        Raises:
            StoreError: The folder cannot be read.
        """
        ids = self.list_ids()
        oldest = int((now - timedelta(days=self._days)).timestamp() * 1000)
        kept = [item for item in ids[: self._number] if get_time(item) >= oldest]
        return ids[len(kept) :][::-1]

    def prune(self, now: datetime | None = None) -> int:
        """Remove some of the runs that are not to be kept any more, in bounded time.

        Args:
            now: The time; that of the system if None.

        Returns:
            How many were removed, at most `MAX_PRUNED`.

        Raises:
            StoreError: The folder cannot be read, or a file cannot be removed.
        """
        outdated = self.find_outdated(datetime.now(UTC) if now is None else now)
        return self.delete(outdated[:MAX_PRUNED])

    def _scan(self) -> tuple[list[str], list[str]]:
        ids: list[str] = []
        foreign: list[str] = []
        try:
            with os.scandir(self.folder) as entries:
                for seen, entry in enumerate(entries):
                    if seen >= MAX_SEEN:
                        break
                    match = _NAME.fullmatch(entry.name)
                    if match is not None and entry.is_file(follow_symlinks=False):
                        ids.append(match[1])
                    else:
                        foreign.append(entry.name)
        except FileNotFoundError:
            return [], []
        except OSError as error:
            raise StoreError(
                f"the folder of recorded runs {self.folder} cannot be read: {error.strerror}"
            ) from error
        return sorted(ids, reverse=True), sorted(foreign)


def get_time(run_id: str) -> int:
    """Return the time at which a run began, in milliseconds since 1970 in UTC.

    Args:
        run_id: Its identifier, a UUID version 7.
    """
    return int(run_id.replace("-", "")[:12], 16)


def shorten_ids(run_ids: Iterable[str]) -> dict[str, str]:
    """Return for each identifier its shortest beginning that no other one has, of 8 characters or more.

    Args:
        run_ids: All identifiers that there are.
    """
    ordered = sorted(set(run_ids))
    shared = [0] * (len(ordered) + 1)
    for index in range(1, len(ordered)):
        pairs = zip(ordered[index - 1], ordered[index], strict=False)
        shared[index] = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return {
        item: item[: max(_SHORTEST, shared[index] + 1, shared[index + 1] + 1)].rstrip("-")
        for index, item in enumerate(ordered)
    }
