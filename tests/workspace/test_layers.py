"""What a distribution pulls in, directly or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def closure(repository: Scratch, package: str) -> set[str]:
    found = repository.list("dependencies", "--transitive", f"packages/{package}:dist")
    assert f"packages/{package}/VERSION:metadata" in found
    return found


def packages(found: set[str]) -> set[str]:
    return {
        address.split("/")[1].split(":")[0] for address in found if address.startswith("packages/")
    }


def third_party(found: set[str]) -> set[str]:
    return {address.partition("#")[2] for address in found if "#" in address}


def test_core_uses_no_other_package_and_few_libraries(repository: Scratch) -> None:
    found = closure(repository, "core")

    assert packages(found) == {"core"}
    assert third_party(found) <= {
        "PyYAML",
        "jsonschema-rs",
        "pydantic",
        "rfc8785",
        "typing-extensions",
    }


def test_integrations_uses_core_alone(repository: Scratch) -> None:
    assert packages(closure(repository, "integrations")) <= {"core", "integrations"}


def test_cli_uses_what_is_below_it(repository: Scratch) -> None:
    assert packages(closure(repository, "cli")) <= {"core", "integrations", "cli"}


def test_no_package_depends_on_a_tool_of_the_repository(repository: Scratch) -> None:
    for package in ("core", "integrations", "cli"):
        allowed = ("packages/", "3rdparty")
        assert all(address.startswith(allowed) for address in closure(repository, package))
