"""The plugin `workflow_lint`: no gate hides a failure, and every action is pinned."""

from __future__ import annotations

from typing import Any

import pytest
from pants.core.goals.lint import LintResult
from pants.core.util_rules.partitions import Partitions
from pants.testutil.rule_runner import QueryRule, RuleRunner

from workflow_lint import register
from workflow_lint.policy import check, is_gate
from workflow_lint.register import WorkflowPolicyRequest

_WORKFLOW = ".github/workflows/ci.yml"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _places(path: str, text: str) -> list[str]:
    return [f"{problem.line}:{problem.column}" for problem in check(path, text)]


@pytest.mark.parametrize(
    "line",
    [
        "run: make test || true",
        "run: make test ||true",
        "  make test || :",
        "  make test || exit 0",
        "  make test || echo failed",
        "  (make test || /bin/true)",
        "  make test ; true",
        "  set +e",
        "  set +o errexit",
        "continue-on-error: true",
        "continue-on-error: ${{ matrix.experimental }}",
        "- { run: make test, continue-on-error: true }",
        '"continue-on-error": true',
    ],
)
def test_a_hidden_failure_is_found(line: str) -> None:
    assert len(check(_WORKFLOW, line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "run: make test",
        "continue-on-error: false",
        "group: ${{ github.head_ref || true }}",
        "# make test || true",
        "if [[ $a == 1 ]] || truncate; then",
        "make test || exit 1",
        "make test || echoes",
        "name: continue-on-errors",
        "set -e",
    ],
)
def test_what_hides_nothing_is_left_alone(line: str) -> None:
    assert check(_WORKFLOW, line) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("actions/checkout@v4", "is not pinned to a commit"),
        ("actions/checkout", "is not pinned to a commit"),
        ("actions/checkout@main # v4.1.0", "is not pinned to a commit"),
        (f"actions/checkout@{_COMMIT[:12]} # v4", "is not pinned to a commit"),
        (f"actions/checkout@{_COMMIT}", "does not say its version"),
        (f"actions/checkout@{_COMMIT} # main", "does not say its version"),
        ("docker://alpine:3", "is not pinned to a commit"),
        ('"actions/checkout@v4"', "is not pinned to a commit"),
    ],
)
def test_an_unpinned_action_is_found(value: str, message: str) -> None:
    (problem,) = check(_WORKFLOW, f"steps:\n  - uses: {value}\n")

    assert problem.line == 2
    assert message in problem.message


@pytest.mark.parametrize(
    "value",
    [
        f"actions/checkout@{_COMMIT} # v4.1.0",
        f"actions/cache/save@{_COMMIT} # v5",
        "$/.github/actions/setup",
        "./.github/actions/setup",
        f"docker://alpine@sha256:{_COMMIT}{_COMMIT[:24]}",
    ],
)
def test_a_pinned_action_is_left_alone(value: str) -> None:
    assert check(_WORKFLOW, f"  - uses: {value}\n") == []


def test_a_problem_says_where_it_is() -> None:
    text = "jobs:\n  test:\n    steps:\n      - run: make test || true\n"

    (problem,) = check(_WORKFLOW, text)

    assert str(problem).startswith(".github/workflows/ci.yml:4:24: '|| true' hides a failure; ")


def test_an_expression_does_not_shift_the_column() -> None:
    assert _places(_WORKFLOW, "run: x ${{ a || 'b' }} || true") == ["1:24"]


@pytest.mark.parametrize("recipe", ["\t-rm dist", "\t@-rm dist", "\trm dist || true"])
def test_a_recipe_that_cannot_fail_is_found(recipe: str) -> None:
    assert len(check("Makefile", f"clean:\n{recipe}\n")) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (_WORKFLOW, True),
        (".github/actions/setup/action.yml", True),
        ("Makefile", True),
        (".ci/run", True),
        (".github/dependabot.yml", False),
        ("docs/releasing.md", False),
    ],
)
def test_gates_are_told_from_other_files(path: str, expected: bool) -> None:
    assert is_gate(path) is expected


@pytest.fixture
def runner() -> RuleRunner:
    """A build root with one workflow that cannot fail and one that can."""
    runner = RuleRunner(
        rules=[
            *register.rules(),
            QueryRule(Partitions, [WorkflowPolicyRequest.PartitionRequest]),
            QueryRule(LintResult, [WorkflowPolicyRequest.Batch]),
        ],
        # Pants overlooks folders with a leading dot unless it is told not to.
        bootstrap_args=["--pants-ignore=+['!/.github/']"],
    )
    runner.write_files(
        {
            _WORKFLOW: "jobs:\n  test:\n    continue-on-error: true\n",
            ".github/workflows/good.yml": "jobs: {}\n",
            "README.md": "make test || true\n",
        }
    )
    return runner


def _lint(runner: RuleRunner, *files: str) -> LintResult:
    batch: WorkflowPolicyRequest.Batch[str, Any] = WorkflowPolicyRequest.Batch(
        "workflow-policy", files, None
    )
    return runner.request(LintResult, [batch])


def test_lint_fails_with_the_place_and_the_remedy(runner: RuleRunner) -> None:
    result = _lint(runner, ".github/workflows/ci.yml", ".github/workflows/good.yml")

    assert result.exit_code == 1
    assert result.stdout.startswith(f"{_WORKFLOW}:3:5: 'continue-on-error' hides a failure; remove")
    assert "good.yml" not in result.stdout


def test_lint_passes_without_a_problem(runner: RuleRunner) -> None:
    assert _lint(runner, ".github/workflows/good.yml").exit_code == 0


def test_lint_looks_at_gates_only(runner: RuleRunner) -> None:
    request = WorkflowPolicyRequest.PartitionRequest(("README.md", _WORKFLOW, "Makefile"))

    (partition,) = runner.request(Partitions, [request])

    assert partition.elements == (_WORKFLOW, "Makefile")


def test_lint_has_nothing_to_do_without_gates(runner: RuleRunner) -> None:
    assert not runner.request(Partitions, [WorkflowPolicyRequest.PartitionRequest(("README.md",))])
