"""Pants' tags and pytest's markers select the same tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KINDS = {"integration", "slow"}


@pytest.fixture(scope="module")
def tags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, set[str]]]:
    """The tags of every file with tests."""
    clone = Scratch(tmp_path_factory.mktemp("clone"))
    lines = clone.list("--filter-target-type=python_test", "peek", "::")
    clone.close()
    targets = json.loads("\n".join(sorted(lines))) if False else clone.peeked
    yield {clone.root / target["sources"][0]: set(target["tags"] or ()) for target in targets}


def marks(path: Path) -> set[str]:
    """The kinds that a module states in ``pytestmark``; tests/pytest_policy.py allows no other place."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Assign) and "pytestmark" in ast.unparse(statement.targets[0]):
            return {
                node.attr for node in ast.walk(statement.value) if isinstance(node, ast.Attribute)
            } & KINDS
    return set()
