"""Registers a check in ``lint``: nothing may turn the shared namespace into one package.

``agent_factory`` has no ``__init__.py``, so that every distribution can bring a part of it. One that
did would hide all the others as soon as it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.rules import collect_rules, rule
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

__all__ = ["NamespaceRequest", "NamespaceSubsystem", "rules"]

_FORBIDDEN = re.compile(r"(packages/[^/]+/src/)?agent_factory/__init__\.pyi?")


class NamespaceSubsystem(Subsystem):
    """The ``[namespace]`` options."""

    options_scope = "namespace"
    name = "namespace"
    help = "Checks that no file turns the namespace agent_factory into a package."

    skip = SkipOption("lint")


class NamespaceRequest(LintFilesRequest):
    """Run by ``lint`` when there is a file that must not be."""

    tool_subsystem = NamespaceSubsystem  # type: ignore[assignment]


@rule
async def partition_namespace(
    request: NamespaceRequest.PartitionRequest, options: NamespaceSubsystem
) -> Partitions[str, Any]:
    """Find the files that must not be."""
    found = tuple(path for path in request.files if _FORBIDDEN.fullmatch(path))
    if options.skip or not found:
        return Partitions()
    return Partitions.single_partition(found)


@rule(desc="Check the namespace", level=LogLevel.DEBUG)
async def check_namespace(request: NamespaceRequest.Batch[str, Any]) -> LintResult:
    """Name each of them."""
    lines = (
        f"{path}:1:1: makes agent_factory a package of this distribution alone, and hides the "
        "others: delete this file."
        for path in request.elements
    )
    return LintResult(
        exit_code=1,
        stdout="".join(f"{line}\n" for line in lines),
        stderr="",
        linter_name=request.tool_name,
        partition_description=None,
    )


def rules() -> Iterable[object]:
    """Everything that this module adds to Pants."""
    return (*collect_rules(), *NamespaceRequest.rules())
