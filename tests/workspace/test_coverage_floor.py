"""Coverage is added up by distribution and compared with the floor of ``pyproject.toml``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import coverage_floor


def file(covered: int, statements: int, branches: int = 0, covered_branches: int = 0) -> object:
    return {
        "summary": {
            "covered_lines": covered,
            "num_statements": statements,
            "num_branches": branches,
            "covered_branches": covered_branches,
        }
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.agent_factory.coverage_floor]\ncore = 90\n")
    return tmp_path


def report(root: Path, files: dict[str, object]) -> None:
    path = root / coverage_floor.REPORT
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"files": files}))


def test_lines_and_branches_of_a_distribution_are_added_up() -> None:
    files = {
        "packages/core/src/agent_factory/core/a.py": file(8, 10, 4, 2),
        "packages/core/src/agent_factory/core/b.py": file(6, 6),
        "packages/cli/src/agent_factory/cli/main.py": file(1, 2),
        "tests/core/test_a.py": file(1, 1),
    }

    found = coverage_floor.measure({"files": files})

    assert found == {
        "cli": coverage_floor.Coverage(1, 2),
        "core": coverage_floor.Coverage(16, 20),
    }


def test_enough_coverage_passes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(root, {"packages/core/src/a.py": file(9, 10)})

    assert coverage_floor.main([str(root)]) == 0
    assert "90.0 %  (floor 90 %)" in capsys.readouterr().out


def test_too_little_coverage_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(root, {"packages/core/src/a.py": file(89, 100)})

    assert coverage_floor.main([str(root)]) == 1
    assert "too low" in capsys.readouterr().out


def test_a_distribution_with_a_floor_that_was_not_measured_fails(root: Path) -> None:
    report(root, {"packages/cli/src/a.py": file(1, 1)})

    assert coverage_floor.main([str(root)]) == 1


def test_a_distribution_without_a_floor_is_only_reported(root: Path) -> None:
    report(root, {"packages/core/src/a.py": file(1, 1), "packages/cli/src/a.py": file(0, 9)})

    assert coverage_floor.main([str(root)]) == 0


def test_a_missing_report_fails_and_says_how_to_make_one(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coverage_floor.main([str(root)]) == 1
    assert "run 'make test-cov'" in capsys.readouterr().err
