"""What holds for every test of the project: its kind, and what it may connect to.

The kind of a test is ``unit``, unless its module says otherwise::

    pytestmark = pytest.mark.integration  # or [pytest.mark.integration, pytest.mark.slow]

It is said for a whole module because Pants selects files: the same words are the tags of the file's
target, so ``--tag=-integration,-slow`` and ``-m "not integration and not slow"`` mean the same tests.

A unit test that opens a socket fails (``--disable-socket`` in pyproject.toml); the others reach this
machine only. What a test's subprocesses do is not restricted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_setup"]

_KINDS = frozenset({"unit", "integration", "slow"})
_THIS_MACHINE = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its kind.

    Args:
        items: The collected tests.
    """
    for item in items:
        kinds = _kinds(item.iter_markers())
        if kinds <= {"unit"}:
            item.add_marker(pytest.mark.unit)
        else:
            item.add_marker(pytest.mark.allow_hosts(_THIS_MACHINE))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose kind is not the one of its module, or that claims two kinds.

    Here rather than at collection, where pytest-xdist would bury the message.

    Args:
        item: The test that is about to run.
    """
    kinds = _kinds(item.iter_markers())
    module = item.getparent(pytest.Module)
    stated = _kinds(module.iter_markers()) if module else kinds
    where = f"{item.location[0]}:{(item.location[1] or 0) + 1}"
    if kinds - {"unit"} != stated - {"unit"}:
        pytest.fail(
            f"{where}: {item.name} is marked {_list(kinds)}, its module {_list(stated)}: "
            "mark the whole module with 'pytestmark = ...', or move the test.",
            pytrace=False,
        )
    if "unit" in kinds and kinds != {"unit"}:
        pytest.fail(
            f"{where}: {item.name} is marked {_list(kinds)}: a unit test is nothing else.",
            pytrace=False,
        )


def _kinds(marks: Iterable[pytest.Mark]) -> frozenset[str]:
    return _KINDS.intersection(mark.name for mark in marks)


def _list(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds)) or "unit"
