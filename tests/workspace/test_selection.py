"""What ``--changed-since`` selects: what was touched and everything that uses it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CORE = "packages/core/src/agent_factory/core"
CLI = "packages/cli/src/agent_factory/cli"

OF_THE_CLI = {
    f"{CLI}/main.py:../../src",
    "packages/cli/src:src",
    "packages/cli:agent-factory",
    "packages/cli:dist",
    "tests/cli/test_main.py:tests",
    "tests/cli:tests",
}
OF_THE_WHEEL_OF_CORE = {"packages/core:dist"}

EXPECTED = {
    f"{CORE}/greeting.py": {
        f"{CORE}/greeting.py:../../src",
        "packages/core/src:src",
        "tests/core/test_greeting.py:tests",
        "tests/core:tests",
    }
    | OF_THE_WHEEL_OF_CORE
    | OF_THE_CLI,
    f"{CORE}/numbers.py": {
        f"{CORE}/numbers.py:../../src",
        "packages/core/src:src",
        "tests/core/test_numbers.py:tests",
        "tests/core:tests",
    }
    | OF_THE_WHEEL_OF_CORE,
    f"{CLI}/main.py": OF_THE_CLI,
    "packages/core/README.md": {
        "packages/core/README.md:metadata",
        "packages/core:metadata",
    }
    | OF_THE_WHEEL_OF_CORE,
    "README.md": {"//README.md:documents", "//:documents"},
    "pants.toml": {"//pants.toml:toolchain", "//:toolchain"},
}


@pytest.mark.parametrize("path", EXPECTED)
def test_a_change_selects_exactly_what_it_affects(miniature: Scratch, path: str) -> None:
    miniature.append(path, "\n" if path.endswith(".md") else "\n# touched\n")

    assert miniature.list("--changed-since=main", "list") == EXPECTED[path]


def test_a_lock_selects_what_its_requirements_are_used_by(miniature: Scratch) -> None:
    miniature.append("3rdparty/default.lock", "# touched\n")

    selected = miniature.list("--changed-since=main", "list")

    code = {address for address in selected if not address.startswith(("//", "3rdparty"))}
    assert code == {
        f"{CORE}/numbers.py:../../src",
        "packages/core/src:src",
        "tests/conftest.py:conftest",
        "tests/core/test_numbers.py:tests",
        "tests/core:tests",
    }
