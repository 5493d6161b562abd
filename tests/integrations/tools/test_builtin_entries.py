from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.permissions import Denial, Need, PermissionKind
from agent_factory.core.registry import ToolRegistry
from agent_factory.integrations.tools import create_builtin_entries
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment, create_granted_tool

OPTIONS: dict[str, dict[str, Any]] = {
    "ask_person": {},
    "calculate": {},
    "calculate_date": {},
    "current_time": {},
    "describe_tables": {"folder": "."},
    "list_files": {"folder": "."},
    "query_table": {"folder": "."},
    "read_file": {"folder": "."},
    "search_documents": {"folder": "."},
    "search_files": {"folder": "."},
    "write_file": {"folder": "."},
}
FOLDER_TOOLS = [name for name, options in OPTIONS.items() if options]
READERS = [name for name in FOLDER_TOOLS if name != "write_file"]


def test_the_built_in_tools_are_these() -> None:
    registry = ToolRegistry(create_builtin_entries())
    assert [entry.name for entry in registry] == sorted([*OPTIONS, "http_fetch", "run_command"])
    assert all(entry.summary for entry in registry)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_entry_makes_a_tool_of_its_name_that_is_described(name: str, tmp_path: Path) -> None:
    environment = create_environment(tmp_path, read=(".",), write=(".",))
    tool = create_granted_tool(name, OPTIONS[name], environment)
    idempotent = name in ("ask_person", "write_file")
    assert (tool.name, tool.effect) == (name, "idempotent" if idempotent else "read")
    assert tool.spec.description
    for parameter in tool.spec.parameters["properties"].values():
        assert parameter["description"]


@pytest.mark.parametrize("name", [*OPTIONS, "run_command"])
def test_an_unknown_option_is_refused(name: str) -> None:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    with pytest.raises(ValidationError, match="Extra inputs"):
        entry.options.model_validate({**OPTIONS.get(name, {}), "no_such_option": 1})


@pytest.mark.parametrize("name", ["list_files", "read_file", "search_documents", "search_files"])
def test_the_folder_is_relative_to_the_blueprint(name: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Title\n\nwords\n")
    tool = create_granted_tool(
        name, {"folder": "docs"}, create_environment(tmp_path, read=("docs",))
    )
    arguments = {
        "list_files": {},
        "read_file": {"path": "a.md"},
        "search_documents": {"query": "words"},
        "search_files": {"pattern": "words"},
    }
    assert "a.md" in str(call_tool(tool, **arguments[name]))


@pytest.mark.parametrize("name", FOLDER_TOOLS)
def test_a_folder_that_is_not_granted_is_refused_and_reported(name: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    denied: list[Denial] = []
    kind: PermissionKind = "write" if name == "write_file" else "read"
    # What may be written may not be read, and the other way round.
    environment = create_environment(
        tmp_path,
        read=("docs",) if kind == "write" else ("elsewhere",),
        write=("docs",) if kind == "read" else (),
        denied=denied,
    )
    entry = ToolRegistry(create_builtin_entries()).get(name)
    options = entry.options.model_validate({"folder": "docs"})
    assert entry.needs(options) == (Need(kind, "docs", ("folder",)),)
    with pytest.raises(PermissionDeniedError, match=f"permissions.files.{kind}"):
        entry.create(options, environment)
    assert [(item.kind, item.target) for item in denied] == [(kind, "docs")]


@pytest.mark.parametrize("name", FOLDER_TOOLS)
@pytest.mark.parametrize("folder", ["../out", "docs/../../out", "/etc", "docs2"])
def test_no_folder_beside_the_granted_one_can_be_had(
    name: str, folder: str, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    environment = create_environment(tmp_path, read=("docs",), write=("docs",))
    entry = ToolRegistry(create_builtin_entries()).get(name)
    with pytest.raises(PermissionDeniedError):
        entry.create(entry.options.model_validate({"folder": folder}), environment)


@pytest.mark.parametrize("name", FOLDER_TOOLS)
def test_a_granted_folder_that_is_a_link_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "blueprint").mkdir()
    (tmp_path / "blueprint" / "docs").symlink_to(tmp_path / "out")
    environment = create_environment(tmp_path / "blueprint", read=("docs",), write=("docs",))
    with pytest.raises(ConfigurationError, match="links are not followed"):
        create_granted_tool(name, {"folder": "docs"}, environment)


@pytest.mark.parametrize("name", READERS)
def test_a_folder_is_needed(name: str) -> None:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    with pytest.raises(ValidationError, match="folder"):
        entry.options.model_validate({})
