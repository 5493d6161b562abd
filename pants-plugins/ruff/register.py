"""Registers ``ruff check`` for the goals ``lint`` and ``fix``; formatting is black's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.goals.fix import FixResult, FixTargetsRequest
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests
from pants.engine.internals.native_engine import Snapshot
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

from ruff import subsystem
from ruff.subsystem import Ruff

__all__ = ["RuffFieldSet", "RuffFixRequest", "RuffLintRequest", "RuffRun", "rules"]


@dataclass(frozen=True)
class RuffFieldSet(FieldSet):
    """Every target with Python code."""

    required_fields = (PythonSourceField,)

    source: PythonSourceField


class RuffFixRequest(FixTargetsRequest):
    """Run by ``fix``: corrects what ruff can correct by itself, the order of imports included."""

    field_set_type = RuffFieldSet
    tool_subsystem = Ruff  # type: ignore[assignment]
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


class RuffLintRequest(LintTargetsRequest):
    """Run by ``lint``."""

    field_set_type = RuffFieldSet
    tool_subsystem = Ruff  # type: ignore[assignment]
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@dataclass(frozen=True)
class RuffRun:
    """One call of ruff.

    Attributes:
        snapshot: The files to check.
        fix: Whether to correct them.
    """

    snapshot: Snapshot
    fix: bool


@rule(level=LogLevel.DEBUG)
async def run_ruff(request: RuffRun, ruff: Ruff) -> FallibleProcessResult:
    """Run ``ruff check`` on some files with the configuration above them."""
    ruff_pex, config = await MultiGet(
        Get(VenvPex, PexRequest, ruff.to_pex_request()),
        Get(ConfigFiles, ConfigFilesRequest, ruff.config_request(request.snapshot.dirs)),
    )
    digest = await Get(Digest, MergeDigests((request.snapshot.digest, config.snapshot.digest)))
    mode = ("--fix", "--exit-zero") if request.fix else ("--output-format=concise",)
    files = request.snapshot.files
    return await Get(
        FallibleProcessResult,
        VenvPexProcess(
            ruff_pex,
            argv=("check", "--no-cache", "--force-exclude", *mode, *ruff.args, *files),
            input_digest=digest,
            output_files=files,
            description=f"Run ruff check {mode[0]} on {pluralize(len(files), 'file')}.",
            level=LogLevel.DEBUG,
        ),
    )


@rule(desc="Fix with ruff", level=LogLevel.DEBUG)
async def fix_with_ruff(request: RuffFixRequest.Batch) -> FixResult:
    """Correct a batch of files."""
    result = await Get(FallibleProcessResult, RuffRun(request.snapshot, fix=True))
    return await FixResult.create(request, result, strip_chroot_path=True)


@rule(desc="Lint with ruff", level=LogLevel.DEBUG)
async def lint_with_ruff(request: RuffLintRequest.Batch[RuffFieldSet, Any]) -> LintResult:
    """Check a batch of files."""
    sources = await Get(
        SourceFiles, SourceFilesRequest(field_set.source for field_set in request.elements)
    )
    result = await Get(FallibleProcessResult, RuffRun(sources.snapshot, fix=False))
    return LintResult.create(request, result, strip_chroot_path=True)


def rules() -> Iterable[object]:
    """Everything that this backend adds to Pants."""
    return (
        *collect_rules(),
        *subsystem.rules(),
        *RuffFixRequest.rules(),
        *RuffLintRequest.rules(),
    )
