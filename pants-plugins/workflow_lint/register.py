"""Registers the linters for workflows in the goal ``lint``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import EntryPoint
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import (
    PexRequest,
    VenvPex,
    VenvPexProcess,
    VenvPexRequest,
)
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    Directory,
    MergeDigests,
    PathGlobs,
    Snapshot,
)
from pants.engine.process import FallibleProcessResult, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.util.logging import LogLevel

from workflow_lint import subsystems
from workflow_lint.policy import check, is_gate, is_workflow
from workflow_lint.subsystems import AcceptedFindings, Actionlint, WorkflowPolicy, Zizmor

__all__ = [
    "AcceptedFindingsRequest",
    "ActionlintRequest",
    "WorkflowPolicyRequest",
    "ZizmorRequest",
    "rules",
]

_WORKFLOWS = PathGlobs((".github/workflows/*", ".github/actions/**"))
_SECURITY = "security"


class ActionlintRequest(LintFilesRequest):
    """Run by ``lint``: are the workflows valid, and the shell scripts in them?"""

    tool_subsystem = Actionlint  # type: ignore[assignment]


class ZizmorRequest(LintFilesRequest):
    """Run by ``lint``: are the workflows and actions safe?"""

    tool_subsystem = Zizmor  # type: ignore[assignment]


class WorkflowPolicyRequest(LintFilesRequest):
    """Run by ``lint``: can every gate fail?"""

    tool_subsystem = WorkflowPolicy  # type: ignore[assignment]


class AcceptedFindingsRequest(LintFilesRequest):
    """Run by ``lint``: has an accepted finding expired?"""

    tool_subsystem = AcceptedFindings  # type: ignore[assignment]


@rule
async def partition_actionlint(
    request: ActionlintRequest.PartitionRequest, options: Actionlint
) -> Partitions[str, Any]:
    """Check all workflows once any of them or of the actions that they call is concerned."""
    return _all_or_nothing(any(map(is_workflow, request.files)) and not options.skip)


@rule
async def partition_zizmor(
    request: ZizmorRequest.PartitionRequest, options: Zizmor
) -> Partitions[str, Any]:
    """Audit all workflows and actions once any is concerned."""
    return _all_or_nothing(any(map(is_workflow, request.files)) and not options.skip)


@rule
async def partition_policy(
    request: WorkflowPolicyRequest.PartitionRequest, options: WorkflowPolicy
) -> Partitions[str, Any]:
    """Check the gates that are concerned."""
    gates = sorted(filter(is_gate, request.files))
    return Partitions() if options.skip or not gates else Partitions.single_partition(gates)


@rule
async def partition_accepted(
    request: AcceptedFindingsRequest.PartitionRequest, options: AcceptedFindings
) -> Partitions[str, Any]:
    """Check the accepted findings once they, or the code that reads them, are concerned."""
    concerned = any(path.startswith(f"{_SECURITY}/") for path in request.files)
    return _all_or_nothing(concerned and not options.skip)


@rule(desc="Lint with actionlint", level=LogLevel.DEBUG)
async def lint_with_actionlint(
    request: ActionlintRequest.Batch[str, Any],
    actionlint: Actionlint,
    environment: PexEnvironment,
) -> LintResult:
    """Run actionlint on all workflows."""
    actionlint_pex, workflows, repository = await MultiGet(
        Get(
            VenvPex,
            VenvPexRequest(
                actionlint.to_pex_request(),
                environment.in_sandbox(working_directory=None),
                bin_names=("shellcheck",),
            ),
        ),
        Get(Snapshot, PathGlobs, _WORKFLOWS),
        # actionlint looks for the actions of a repository below the folder that holds its .git.
        Get(Digest, CreateDigest([Directory(".git")])),
    )
    digest = await Get(Digest, MergeDigests((workflows.digest, repository, actionlint_pex.digest)))
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            actionlint_pex,
            argv=(
                "-no-color",
                "-oneline",
                f"-shellcheck={actionlint_pex.bin['shellcheck'].argv0}",
                *(path for path in workflows.files if path.startswith(".github/workflows/")),
            ),
            input_digest=digest,
            description="Run actionlint.",
            level=LogLevel.DEBUG,
        ),
    )
    return LintResult.create(request, result)


@rule(desc="Audit with zizmor", level=LogLevel.DEBUG)
async def lint_with_zizmor(request: ZizmorRequest.Batch[str, Any], zizmor: Zizmor) -> LintResult:
    """Run zizmor on all workflows and actions, without asking GitHub anything."""
    zizmor_pex, workflows = await MultiGet(
        Get(VenvPex, PexRequest, zizmor.to_pex_request()),
        Get(Snapshot, PathGlobs, _WORKFLOWS),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            zizmor_pex,
            argv=(
                *("--offline", "--no-config", "--no-progress", "--quiet", "--color=never"),
                *("--strict-collection", "--collect=all", ".github"),
            ),
            input_digest=workflows.digest,
            description="Run zizmor.",
            level=LogLevel.DEBUG,
        ),
    )
    return LintResult.create(request, result)


@rule(desc="Check that every gate can fail", level=LogLevel.DEBUG)
async def lint_policy(request: WorkflowPolicyRequest.Batch[str, Any]) -> LintResult:
    """Apply the rules of this repository."""
    files = await Get(DigestContents, PathGlobs(request.elements))
    problems = [
        problem for file in files for problem in check(file.path, file.content.decode("utf-8"))
    ]
    return LintResult(
        exit_code=1 if problems else 0,
        stdout="".join(f"{problem}\n" for problem in problems),
        stderr="",
        linter_name=request.tool_name,
        partition_description=None,
    )


@rule(desc="Check the accepted findings", level=LogLevel.DEBUG)
async def lint_accepted(
    request: AcceptedFindingsRequest.Batch[str, Any], python_setup: PythonSetup
) -> LintResult:
    """Run the gate's own check of its file."""
    code, data = await MultiGet(
        Get(Digest, PathGlobs((f"{_SECURITY}/**/*.py",))),
        Get(Digest, PathGlobs((f"{_SECURITY}/*.toml",))),
    )
    gate = await Get(
        VenvPex,
        PexRequest(
            output_filename="security.pex",
            internal_only=True,
            interpreter_constraints=InterpreterConstraints(python_setup.interpreter_constraints),
            main=EntryPoint("security.__main__", "main"),
            sources=code,
        ),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            gate,
            argv=("validate",),
            input_digest=data,
            description="Check the accepted findings.",
            level=LogLevel.DEBUG,
            # What passes today has expired tomorrow.
            cache_scope=ProcessCacheScope.PER_SESSION,
        ),
    )
    return LintResult.create(request, result)


def _all_or_nothing(wanted: bool) -> Partitions[str, Any]:
    return Partitions.single_partition((".github",)) if wanted else Partitions()


def rules() -> Iterable[object]:
    """Everything that this backend adds to Pants."""
    return (
        *collect_rules(),
        *subsystems.rules(),
        *ActionlintRequest.rules(),
        *ZizmorRequest.rules(),
        *WorkflowPolicyRequest.rules(),
        *AcceptedFindingsRequest.rules(),
    )
