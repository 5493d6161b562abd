"""The plugin `lockfiles`: a lock that does not belong to its inputs is noticed."""

from __future__ import annotations

import pytest
from pants.core.goals.lint import LintResult
from pants.core.util_rules.partitions import Partitions
from pants.testutil.rule_runner import QueryRule, RuleRunner

from lockfiles import register
from lockfiles.inputs import is_stale, read_inputs, render_lock
from lockfiles.register import LockfilesRequest

REQUIREMENTS = "# What it is for.\n# python: 3.9\nblack>=26  # formats\n\nruff\n"
RESOLVED = "black==26.1 \\\n    --hash=sha256:00\nruff==0.17.6 \\\n    --hash=sha256:11\n"


@pytest.fixture
def runner() -> RuleRunner:
    return RuleRunner(
        rules=[
            *register.rules(),
            QueryRule(Partitions, [LockfilesRequest.PartitionRequest]),
            QueryRule(LintResult, [LockfilesRequest.Batch]),
        ],
    )


def lint(runner: RuleRunner, *changed: str) -> LintResult:
    """Lint as Pants does when some files are selected; at least one of them must concern a lock."""
    request = LockfilesRequest.PartitionRequest(changed)
    (partition,) = runner.request(Partitions, [request])
    batch = LockfilesRequest.Batch("", partition.elements, partition.metadata)
    return runner.request(LintResult, [batch])


def test_directives_and_requirements_are_read() -> None:
    inputs = read_inputs(f"# constraints: a.lock tools/b.lock\n{REQUIREMENTS}")

    assert inputs.python == "3.9"
    assert inputs.constraints == ("a.lock", "tools/b.lock")
    assert inputs.requirements == ("black>=26", "ruff")


def test_a_lock_just_made_is_not_stale() -> None:
    assert is_stale(REQUIREMENTS, {}, render_lock("a.in", REQUIREMENTS, {}, RESOLVED)) is None


@pytest.mark.parametrize(
    "changed",
    [
        f"{REQUIREMENTS}mypy\n",
        REQUIREMENTS.replace("26", "27"),
        REQUIREMENTS.replace("3.9", "3.11"),
    ],
)
def test_other_inputs_make_a_lock_stale(changed: str) -> None:
    lock = render_lock("a.in", REQUIREMENTS, {}, RESOLVED)

    assert is_stale(changed, {}, lock) == "is stale: what it was made from has changed"


def test_another_comment_or_order_does_not_make_a_lock_stale() -> None:
    lock = render_lock("a.in", REQUIREMENTS, {}, RESOLVED)

    assert is_stale("# python: 3.9\n# New.\nruff\nblack>=26\n", {}, lock) is None


def test_another_version_in_a_constraint_makes_a_lock_stale() -> None:
    text = "# constraints: b.lock\nruff\n"
    lock = render_lock("a.in", text, {"b.lock": "# x\npytest==9\n"}, RESOLVED)

    assert is_stale(text, {"b.lock": "# y\npytest==9\n"}, lock) is None
    assert is_stale(text, {"b.lock": "# x\npytest==8\n"}, lock) is not None


def test_an_edited_lock_is_noticed() -> None:
    lock = render_lock("a.in", REQUIREMENTS, {}, RESOLVED)

    assert is_stale(REQUIREMENTS, {}, lock.replace("26.1", "26.0")) == "was edited by hand"


def test_lint_passes_with_fresh_locks(runner: RuleRunner) -> None:
    lock = render_lock("a.in", REQUIREMENTS, {}, RESOLVED)
    runner.write_files({"3rdparty/a.in": REQUIREMENTS, "3rdparty/a.lock": lock})

    assert lint(runner, "3rdparty/a.in").exit_code == 0


def test_lint_names_the_stale_lock_and_the_command(runner: RuleRunner) -> None:
    lock = render_lock("a.in", REQUIREMENTS, {}, RESOLVED)
    runner.write_files({"3rdparty/a.in": f"{REQUIREMENTS}mypy\n", "3rdparty/a.lock": lock})

    result = lint(runner, "3rdparty/a.in")

    assert result.exit_code == 1
    assert result.stdout == (
        "3rdparty/a.lock:1:1: is stale: what it was made from has changed: run 'make lock'.\n"
    )


def test_lint_notices_a_lock_that_is_missing(runner: RuleRunner) -> None:
    runner.write_files({"3rdparty/tools/a.in": REQUIREMENTS})

    said = lint(runner, "3rdparty/tools/a.in").stdout

    assert said == "3rdparty/tools/a.in:1:1: has no lock: run 'make lock'.\n"


def test_lint_notices_a_lock_without_inputs(runner: RuleRunner) -> None:
    runner.write_files({"3rdparty/a.lock": RESOLVED})

    said = lint(runner, "3rdparty/a.lock").stdout

    assert "3rdparty/a.lock:1:1: has no a.in beside it" in said


def test_other_files_start_no_check(runner: RuleRunner) -> None:
    request = LockfilesRequest.PartitionRequest(("README.md", "3rdparty/BUILD"))

    assert not runner.request(Partitions, [request])
