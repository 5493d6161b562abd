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
    "packages/cli:agent-factory",
    "packages/cli:dist",
    "packages/cli:executable",
    "tests/cli/test_main.py:tests",
}
# The executable is made of the wheels.
OF_THE_WHEEL_OF_CORE = {"packages/core:dist", "packages/cli:executable"}

EXPECTED = {
    f"{CORE}/greeting.py": {
        f"{CORE}/greeting.py:../../src",
        "tests/core/test_greeting.py:tests",
    }
    | OF_THE_WHEEL_OF_CORE
    | OF_THE_CLI,
    f"{CORE}/numbers.py": {
        f"{CORE}/numbers.py:../../src",
        "tests/core/test_numbers.py:tests",
    }
    | OF_THE_WHEEL_OF_CORE,
    f"{CLI}/main.py": OF_THE_CLI,
    "packages/core/README.md": {
        "packages/core/README.md:metadata",
    }
    | OF_THE_WHEEL_OF_CORE,
    "README.md": {"//README.md:documents"},
    "pants.toml": {"//pants.toml:toolchain"},
}


# They stand for all the targets that they make, and do nothing themselves.
GENERATORS = "--filter-target-type=-files,python_sources,python_test_utils,python_tests,resources"


def select(miniature: Scratch) -> set[str]:
    return miniature.list("--changed-since=main", GENERATORS, "list")


@pytest.mark.parametrize("path", EXPECTED)
def test_a_change_selects_exactly_what_it_affects(miniature: Scratch, path: str) -> None:
    miniature.append(path, "\n" if path.endswith(".md") else "\n# touched\n")

    assert select(miniature) == EXPECTED[path]


def test_a_lock_selects_what_its_requirements_are_used_by(miniature: Scratch) -> None:
    miniature.append("3rdparty/default.lock", "# touched\n")

    selected = select(miniature)

    code = {address for address in selected if not address.startswith(("//", "3rdparty"))}
    of_every_test = {"tests/conftest.py:conftest", "tests/pytest_policy.py:policy"}
    assert (
        code
        == {
            f"{CORE}/numbers.py:../../src",
            "tests/cli/test_main.py:tests",
            "tests/core/test_greeting.py:tests",
            "tests/core/test_numbers.py:tests",
        }
        | of_every_test
        | OF_THE_WHEEL_OF_CORE
    )
