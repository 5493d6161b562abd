"""Pants' tags and pytest's markers select the same tests."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def read_marks(path: Path) -> set[str]:
    """The kinds that a module states in ``pytestmark``; tests/pytest_policy.py allows no other place."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            nodes = ast.walk(statement.value)
            return {node.attr for node in nodes if isinstance(node, ast.Attribute)} - {"mark"}
    return set()


@pytest.mark.parametrize("kind", ["integration", "slow"])
def test_what_has_a_tag_has_the_marker(repository: Scratch, kind: str) -> None:
    listed = repository.list("--filter-target-type=python_test", f"--tag={kind}", "list", "::")
    tagged = {address.partition(":")[0] for address in listed}
    modules = (
        *repository.root.glob("tests/**/test_*.py"),
        *repository.root.glob("pants-plugins/tests/test_*.py"),
    )
    marked = {
        path.relative_to(repository.root).as_posix() for path in modules if kind in read_marks(path)
    }

    assert "tests/workspace/test_tags.py" in tagged
    assert tagged == marked
