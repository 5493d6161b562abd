from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    ConfigurationError,
    ToolEntry,
    ToolEnvironment,
    ToolRegistry,
)
from agent_factory.core.permissions import Grant, Permissions
from agent_factory.core.registry import InstalledTool, find_installed_tools
from tests.utils import create_test_tool


class Options(BaseModel):
    name: str = "echo"


def create_entry(name: str) -> ToolEntry[Options]:
    """Return an entry whose tool has the name of its options."""
    return ToolEntry(name, "Echoes.", Options, lambda options, _: create_test_tool(options.name))


def test_entry_is_found_by_its_name() -> None:
    entry = create_entry("echo")

    assert ToolRegistry([create_entry("other"), entry]).get("echo") is entry


def test_entry_makes_its_tool_from_options() -> None:
    entry = ToolRegistry([create_entry("echo")]).get("echo")

    environment = ToolEnvironment(Path(), Grant(Permissions(), Path()))

    assert entry.create(Options(name="loud"), environment).name == "loud"


def test_entries_are_listed_in_their_order() -> None:
    assert [entry.name for entry in ToolRegistry(map(create_entry, "bca"))] == ["b", "c", "a"]


def test_membership_goes_by_name() -> None:
    registry = ToolRegistry([create_entry("echo")])

    assert "echo" in registry
    assert "other" not in registry


def test_unknown_name_is_answered_with_the_closest_one() -> None:
    with pytest.raises(ConfigurationError, match="no tool is named 'ecko': did you mean 'echo'"):
        ToolRegistry([create_entry("echo")]).get("ecko")


def test_empty_registry_has_nothing() -> None:
    with pytest.raises(ConfigurationError, match="there are none"):
        ToolRegistry().get("echo")


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="under the name 'echo'"):
        ToolRegistry([create_entry("echo"), create_entry("echo")])


def test_no_package_takes_the_place_of_what_comes_along() -> None:
    entry = create_entry("echo")
    installed = [InstalledTool("echo", "acme", "1.0", lambda: create_entry("echo"))]

    registry = ToolRegistry([entry], installed)

    assert registry.get("echo") is entry
    assert registry.installed == ()


def test_tool_of_a_package_is_known_without_importing_it() -> None:
    def load() -> object:
        raise AssertionError("not yet")

    found = InstalledTool("later", "acme", "1.0", load)

    assert ToolRegistry([], [found]).check("later") is found


def test_installed_packages_are_found_without_importing_them() -> None:
    assert all(item.name and item.distribution for item in find_installed_tools())
