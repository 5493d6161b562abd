from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_factory.core.exceptions import (
    ConfigurationError,
    PermissionDeniedError,
    ToolArgumentsError,
    ToolError,
)
from agent_factory.core.permissions import GrantedPath, Need
from agent_factory.core.registry import ToolRegistry
from agent_factory.integrations.tools import create_builtin_entries
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.patterns import PathPatterns
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment, create_granted_tool

SECRET = "the secret outside"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A blueprint's folder with data, beside a folder that nothing may touch."""
    (tmp_path / "out" / "inner").mkdir(parents=True)
    (tmp_path / "out" / "a.txt").write_text(SECRET)
    (tmp_path / "out" / "inner" / "a.txt").write_text(SECRET)
    base = tmp_path / "base"
    (base / "data" / "inner").mkdir(parents=True)
    (base / "data" / "a.txt").write_text("inside")
    (base / "data" / "inner" / "a.txt").write_text("deep inside")
    return base


def test_every_name_of_a_granted_folder_is_walked_each_time(base: Path) -> None:
    folder = Folder(GrantedPath(base, ("data", "inner")))
    assert folder.read("a.txt", max_bytes=100) == b"deep inside"
    (base / "data").rename(base / "moved")
    (base / "data").symlink_to(base.parent / "out")
    with pytest.raises(ToolError, match="cannot be opened"):
        folder.read("a.txt", max_bytes=100)
    with pytest.raises(ToolError, match="cannot be opened"):
        folder.find(PathPatterns(["**/*"]))


def test_an_anchor_that_becomes_a_link_is_refused(base: Path) -> None:
    folder = Folder(GrantedPath(base / "data", ()))
    shutil.rmtree(base / "data")
    (base / "data").symlink_to(base.parent / "out")
    with pytest.raises(ToolError, match="cannot be opened"):
        folder.read("a.txt", max_bytes=100)


def test_a_granted_folder_that_is_missing_is_a_configuration_error(base: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        Folder(GrantedPath(base, ("missing",)))


def test_no_descriptor_stays_open_when_a_way_ends(base: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("/proc is Linux's")
    (base / "link").symlink_to("data")
    before = len(os.listdir("/proc/self/fd"))
    for names in (("data", "inner"), ("missing",), ("link", "inner"), ("data", "a.txt", "x")):
        try:
            Folder(GrantedPath(base, names)).read("a.txt", max_bytes=100)
        except (ConfigurationError, ToolError):
            continue
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_granted_file_can_be_read_without_a_path(base: Path) -> None:
    environment = create_environment(base, read=("data/a.txt",))
    tool = create_granted_tool("read_file", {"file": "data/a.txt"}, environment)
    answer = call_tool(tool)
    assert (answer["path"], answer["text"]) == ("a.txt", "1\tinside")
    assert "path" not in tool.spec.parameters["properties"]
    with pytest.raises(ToolArgumentsError):
        call_tool(tool, path="inner/a.txt")


def test_a_file_granted_by_its_absolute_path_can_be_read(base: Path) -> None:
    path = str(base / "data" / "a.txt")
    environment = create_environment(base, read=(path,))
    assert (
        call_tool(create_granted_tool("read_file", {"file": path}, environment))["total_lines"] == 1
    )


def test_a_hidden_file_that_is_named_can_be_read(base: Path) -> None:
    (base / ".notes").write_text("named")
    environment = create_environment(base, read=(".notes",))
    tool = create_granted_tool("read_file", {"file": ".notes"}, environment)
    assert call_tool(tool)["text"] == "1\tnamed"


def test_the_folder_of_a_granted_file_is_not_granted(base: Path) -> None:
    environment = create_environment(base, read=("data/a.txt",))
    with pytest.raises(PermissionDeniedError):
        create_granted_tool("read_file", {"folder": "data"}, environment)


@pytest.mark.parametrize("path", ["inner/a.txt", "b.txt", "./inner/../a.txt", ".."])
def test_only_the_granted_file_of_a_folder_can_be_touched(base: Path, path: str) -> None:
    (base / "data" / "b.txt").write_text("other")
    folder = Folder.of_file(GrantedPath(base, ("data", "a.txt")))
    assert folder.read("a.txt", max_bytes=100) == b"inside"
    with pytest.raises(ToolError):
        folder.read(path, max_bytes=100)


@pytest.mark.parametrize("target", ["data/a.txt", "../out/a.txt"])
def test_a_granted_file_that_is_a_link_is_refused(base: Path, target: str) -> None:
    (base / "report.txt").symlink_to(target)
    environment = create_environment(base, read=("report.txt",))
    with pytest.raises(ConfigurationError, match="links are not followed"):
        create_granted_tool("read_file", {"file": "report.txt"}, environment)


@pytest.mark.parametrize("options", [{}, {"folder": "data", "file": "data/a.txt"}])
@pytest.mark.parametrize("name", ["read_file", "query_table"])
def test_either_a_folder_or_a_file_is_given(name: str, options: dict[str, str]) -> None:
    entry = ToolRegistry(create_builtin_entries()).get(name)
    with pytest.raises(ValidationError, match="either 'folder' or 'file'"):
        entry.options.model_validate(options)


def test_what_is_needed_of_a_file_is_the_file() -> None:
    entry = ToolRegistry(create_builtin_entries()).get("read_file")
    options = entry.options.model_validate({"file": "data/a.txt"})
    assert entry.needs(options) == (Need("read", "data/a.txt", ("file",)),)


NAMES = st.sampled_from(
    ["..", ".", "", "data", "inner", "out", "up", "link", "base", "a.txt", "chain"]
)


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    folder=st.lists(NAMES, max_size=5).map("/".join) | st.text(max_size=10),
    path=st.lists(NAMES, max_size=5).map("/".join) | st.text(max_size=10),
)
def test_no_folder_and_no_path_lead_to_a_file_outside(base: Path, folder: str, path: str) -> None:
    if not (base / "data" / "up").is_symlink():
        (base / "data" / "up").symlink_to("../..")
        (base / "data" / "out").symlink_to(base.parent / "out")
        (base / "data" / "link").symlink_to(base.parent / "out" / "a.txt")
        (base / "data" / "chain").symlink_to("out/inner")
    environment = create_environment(base, read=("data",), write=("data",))
    try:
        place = environment.grant.get_path("read", folder)
        content = Folder(place, hidden=True).read(path, max_bytes=1000)
    except (PermissionDeniedError, ConfigurationError, ToolError):
        return
    assert content in (b"inside", b"deep inside")
