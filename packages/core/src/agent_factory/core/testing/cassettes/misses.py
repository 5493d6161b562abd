"""What is said where a cassette does not fit the test that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.testing.cassettes.canonical import compute_key
from agent_factory.core.testing.cassettes.differences import find_nearest, show_difference
from agent_factory.core.testing.cassettes.errors import (
    CassetteFormatError,
    CassetteMissError,
    CassetteUnusedError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agent_factory.core.testing.cassettes.files import Recording

__all__ = ["create_damage", "create_miss", "create_time_miss", "create_unused"]

_AGAIN = "record it again with 'pytest --cassettes=record', or with the mode 'record'"
_MAX_LISTED = 5


def create_miss(
    path: Path,
    request: dict[str, Any],
    recordings: Sequence[Recording] | None,
    unused: Collection[int],
    number: int,
) -> CassetteMissError:
    """Return the error for a request that is not on record.

    Args:
        path: The file.
        request: The request in its canonical form, scrubbed.
        recordings: What is on record; None where there is no file.
        unused: Positions of the recordings that nothing has asked for.
        number: Number of the request among all of the test, from 1.
    """
    kind = "model" if "model" in request else "tool"
    key = compute_key(request)
    alike = [index for index, item in enumerate(recordings or ()) if item.kind == kind]
    times = sum(compute_key(item.request) == key for item in recordings or ())
    difference = ""
    if recordings is None:
        reason = "there is no such file"
    elif times:
        reason = f"it was recorded {_count(times, 'time')}, and is made once more"
    else:
        # What was used is compared only where nothing else is left.
        left = [index for index in alike if index in unused] or alike
        candidates = [recordings[index].request for index in left]
        nearest = find_nearest(request, candidates)
        reason = f"no {kind} call is on record"
        if nearest is not None:
            difference = show_difference(candidates[nearest], request)
            reason = f"the nearest request on record, number {left[nearest] + 1}, differs:\n{difference}\n"
    return CassetteMissError(
        f"cassette {str(path)!r} has no answer to request number {number} ({kind} {request[kind]!r}, "
        f"key {key[:12]}): {reason}. {_AGAIN.capitalize()}",
        cassette=str(path),
        number=number,
        difference=difference,
    )


def create_time_miss(path: Path) -> CassetteMissError:
    """Return the error for a clock that is not on record.

    Args:
        path: The file.
    """
    return CassetteMissError(
        f"cassette {str(path)!r} has no time for the clock: {_AGAIN}", cassette=str(path), number=0
    )


def create_unused(
    path: Path, recordings: Sequence[Recording], unused: Sequence[int]
) -> CassetteUnusedError:
    """Return the error for recordings that nothing asked for.

    Args:
        path: The file.
        recordings: What is on record.
        unused: Positions of those that were left over.
    """
    listed = []
    for index in unused[:_MAX_LISTED]:
        item = recordings[index]
        listed.append(f"number {index + 1} ({item.kind} {item.request.get(item.kind)!r})")
    if len(unused) > _MAX_LISTED:
        listed.append(f"and {len(unused) - _MAX_LISTED} more")
    return CassetteUnusedError(
        f"cassette {str(path)!r} has {_count(len(unused), 'recording')} that nothing asked for: "
        f"{'; '.join(listed)}. Allow it with allow_unused=True, or {_AGAIN}",
        cassette=str(path),
    )


def create_damage(path: Path, error: Exception) -> CassetteFormatError:
    """Return the error for an answer that cannot be read.

    Args:
        path: The file.
        error: What reading it raised.
    """
    return CassetteFormatError(
        f"cassette {str(path)!r} has a damaged answer ({type(error).__name__}): {_AGAIN}",
        cassette=str(path),
    )


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
