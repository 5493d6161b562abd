"""Which targets continuous integration checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.select_targets import main, select
from tests.workflows.repositories import commit_files, git, new_repository


@pytest.fixture
def pull_request(tmp_path: Path) -> Path:
    """A branch off `main`, which has moved on since."""
    root = new_repository(tmp_path / "clone", **{"pants.toml": "", "docs/a.md": "a"})
    git(root, "switch", "--quiet", "--create", "change")
    git(root, "switch", "--quiet", "main")
    commit_files(root, **{"pants.toml": "changed on main"})
    git(root, "switch", "--quiet", "change")
    return root


@pytest.mark.parametrize(
    "path",
    [
        "pants",
        "pants.toml",
        "Makefile",
        "pyproject.toml",
        "BUILD",
        "build-support/macros.build",
        "pants-plugins/ruff/register.py",
        "3rdparty/default.lock",
        "3rdparty/tools/ruff.in",
        ".github/workflows/ci.yml",
        ".ci/run",
        "ci/select_targets.py",
        "packages/core/VERSION",
    ],
)
def test_a_file_that_affects_everything_selects_everything(path: str) -> None:
    targets, reason = select(["README.md", path], "origin/main")

    assert targets == "::"
    assert path in reason


@pytest.mark.parametrize(
    "path",
    [
        "packages/core/src/agent_factory/core/agent.py",
        "packages/core/BUILD",
        "packages/core/README.md",
        "tests/core/test_agent.py",
        "docs/releasing.md",
    ],
)
def test_other_files_leave_the_choice_to_pants(path: str) -> None:
    assert select([path], "origin/main")[0] == "--changed-since=origin/main"


def test_only_changes_of_the_pull_request_count(
    pull_request: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(pull_request, **{"docs/a.md": "b"})

    assert main(["--event", "pull_request", "--base", "main", "--root", str(pull_request)]) == 0
    assert capsys.readouterr().out == "--changed-since=main\n"


@pytest.mark.parametrize("content", ["new", None], ids=["changed", "deleted"])
def test_a_global_file_of_the_pull_request_selects_everything(
    pull_request: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    commit_files(pull_request, **{"pants.toml": content})

    assert main(["--event", "pull_request", "--base", "main", "--root", str(pull_request)]) == 0
    assert capsys.readouterr().out == "::\n"


def test_a_renamed_global_file_selects_everything(
    pull_request: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(pull_request, **{"3rdparty/default.lock": "x" * 200})
    commit_files(pull_request, **{"3rdparty/default.lock": None, "docs/lock.md": "x" * 200})
    git(pull_request, "switch", "--quiet", "--create", "rename", "HEAD~1")
    commit_files(pull_request, **{"3rdparty/default.lock": None, "docs/lock.md": "x" * 200})

    options = ["--event", "pull_request", "--base", "HEAD~1", "--root", str(pull_request)]
    assert main(options) == 0
    assert capsys.readouterr().out == "::\n"


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_everything_is_checked_outside_pull_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], event: str
) -> None:
    assert main(["--event", event, "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "::\n"


def test_the_choice_goes_to_the_step_output_too(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("earlier=1\n", encoding="utf-8")

    main(["--event", "push", "--github-output", str(output)])

    assert output.read_text(encoding="utf-8") == "earlier=1\ntargets=::\n"


def test_an_unknown_base_is_refused_with_the_remedy(
    pull_request: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--event", "pull_request", "--base", "origin/main", "--root", str(pull_request)]

    assert main(options) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "fetch-depth: 0" in captured.err
