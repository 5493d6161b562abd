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

__all__ = ["pytest_collection_modifyitems"]

_KINDS = frozenset({"unit", "integration", "slow"})
_THIS_MACHINE = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its kind.

    Args:
        items: The collected tests.

    Raises:
        pytest.UsageError: A test is of another kind than its module says, or a unit test is of a
            second kind.
    """
    for item in items:
        kinds = _kinds(item.iter_markers())
        module = item.getparent(pytest.Module)
        stated = _kinds(module.iter_markers()) if module else kinds
        where = f"{item.location[0]}:{(item.location[1] or 0) + 1}"
        if kinds != stated:
            raise pytest.UsageError(
                f"{where}: {item.name} is marked {_list(kinds)}, its module {_list(stated)}: "
                "mark the whole module with 'pytestmark = ...', or move the test."
            )
        if "unit" in kinds and kinds != {"unit"}:
            raise pytest.UsageError(
                f"{where}: {item.name} is marked {_list(kinds)}: a unit test is nothing else."
            )
        if kinds <= {"unit"}:
            item.add_marker(pytest.mark.unit)
        else:
            item.add_marker(pytest.mark.allow_hosts(_THIS_MACHINE))


def _kinds(marks: Iterable[pytest.Mark]) -> frozenset[str]:
    return _KINDS.intersection(mark.name for mark in marks)


def _list(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds)) or "unit"
