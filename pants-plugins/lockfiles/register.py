"""Registers the check for stale locks in the goal ``lint``."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from typing import Any

from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.fs import DigestContents, PathGlobs
from pants.engine.rules import Get, collect_rules, rule
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from lockfiles.inputs import FIX, is_stale, read_inputs

__all__ = ["LockfilesRequest", "LockfilesSubsystem", "rules"]

_FOLDER = "3rdparty"


class LockfilesSubsystem(Subsystem):
    """The ``[stale-locks]`` options."""

    options_scope = "stale-locks"
    name = "stale-locks"
    help = "Checks that the locks below 3rdparty belong to what they were made from."

    skip = SkipOption("lint")


class LockfilesRequest(LintFilesRequest):
    """Run by ``lint`` for every file that a lock depends on."""

    tool_subsystem = LockfilesSubsystem  # type: ignore[assignment]


@rule
async def partition_locks(
    request: LockfilesRequest.PartitionRequest, options: LockfilesSubsystem
) -> Partitions[str, Any]:
    """Find out whether anything below ``3rdparty`` is to be checked.

    All locks are checked as soon as one is concerned: a lock can be an input of another.
    """
    touched = any(
        path.startswith(f"{_FOLDER}/") and path.endswith((".in", ".lock")) for path in request.files
    )
    if options.skip or not touched:
        return Partitions()
    return Partitions.single_partition((_FOLDER,))


@rule(desc="Check for stale locks", level=LogLevel.DEBUG)
async def check_locks(request: LockfilesRequest.Batch[str, Any]) -> LintResult:
    """Compare each lock with its inputs."""
    found = await Get(DigestContents, PathGlobs((f"{_FOLDER}/**/*.in", f"{_FOLDER}/**/*.lock")))
    texts = {os.path.relpath(file.path, _FOLDER): file.content.decode() for file in found}
    problems = "".join(f"{problem}\n" for problem in _problems(texts))
    return LintResult(
        exit_code=1 if problems else 0,
        stdout=problems,
        stderr="",
        linter_name=request.tool_name,
        partition_description=None,
    )


def _problems(texts: dict[str, str]) -> Iterable[str]:
    locks = {name: text for name, text in texts.items() if name.endswith(".lock")}
    for lock in sorted(set(locks) - {_lock_of(name) for name in texts if name.endswith(".in")}):
        yield (
            f"{_FOLDER}/{lock}:1:1: has no {os.path.splitext(lock)[0]}.in beside it: "
            "write one or delete the lock."
        )
    for name in sorted(set(texts) - set(locks)):
        lock = _lock_of(name)
        missing = [other for other in read_inputs(texts[name]).constraints if other not in locks]
        if missing:
            yield f"{_FOLDER}/{name}:1:1: names {', '.join(missing)}, which is not in {_FOLDER}."
        elif lock not in locks:
            yield f"{_FOLDER}/{name}:1:1: has no lock: {FIX}."
        else:
            problem = is_stale(texts[name], locks, locks[lock])
            if problem:
                yield f"{_FOLDER}/{lock}:1:1: {problem}: {FIX}."


def _lock_of(name: str) -> str:
    return os.path.splitext(name)[0] + ".lock"


def rules() -> Iterable[object]:
    """Everything that this backend adds to Pants."""
    return (*collect_rules(), *LockfilesRequest.rules())
