"""The copies of the repository that the tests of the workspace run Pants in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workspace.miniature import shrink
from tests.workspace.scratch import Scratch

__all__ = ["miniature", "miniature_clone", "repository"]


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A clone to look at."""
    clone = Scratch(tmp_path_factory.mktemp("repository"))
    yield clone
    clone.close()


@pytest.fixture(scope="session")
def miniature_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """One clone for all tests: starting Pants takes longer than most of them."""
    clone = Scratch(tmp_path_factory.mktemp("miniature"))
    shrink(clone)
    yield clone
    clone.close()


@pytest.fixture
def miniature(miniature_clone: Scratch) -> Iterator[Scratch]:
    """The clone with tiny packages, as committed."""
    yield miniature_clone
    miniature_clone.restore()
