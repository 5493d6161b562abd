from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent_factory.core.registry import ToolRegistry
from agent_factory.integrations.tools import create_builtin_entries
from tests.integrations.tools.calling import call_tool

NAMES = ["calculate", "list_files", "read_file", "search_documents"]


def test_the_built_in_tools_are_these() -> None:
    registry = ToolRegistry(create_builtin_entries())
    assert [entry.name for entry in registry] == NAMES
    assert all(entry.summary for entry in registry)


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_makes_a_tool_of_its_name_that_only_reads(name: str, tmp_path: Path) -> None:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    options = {} if name == "calculate" else {"folder": "."}
    tool = entry.create(entry.options.model_validate(options), tmp_path)
    assert (tool.name, tool.effect) == (name, "read")
    assert tool.spec.description
    for parameter in tool.spec.parameters["properties"].values():
        assert parameter["description"]


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused(name: str) -> None:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    with pytest.raises(ValidationError, match="Extra inputs"):
        entry.options.model_validate({"folder": ".", "no_such_option": 1})


@pytest.mark.parametrize("name", ["list_files", "read_file", "search_documents"])
def test_the_folder_is_relative_to_the_blueprint(name: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Title\n\nwords\n")
    entry = ToolRegistry(create_builtin_entries()).get(name)
    tool = entry.create(entry.options.model_validate({"folder": "docs"}), tmp_path)
    arguments = {
        "list_files": {},
        "read_file": {"path": "a.md"},
        "search_documents": {"query": "words"},
    }
    assert "a.md" in str(call_tool(tool, **arguments[name]))
