from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.integrations.tools import create_write_file
from tests.integrations.tools.calling import call_tool


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "old.txt").write_text("old")
    return root


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_made(root: Path) -> None:
    answer = call_tool(create_write_file(root), path="sub/new.txt", content="Grüße\n")
    assert answer == {"path": "sub/new.txt", "bytes": 8, "outcome": "created"}
    assert (root / "sub" / "new.txt").read_text(encoding="utf-8") == "Grüße\n"
    assert list_names(root / "sub") == ["new.txt"]


def test_a_file_that_is_there_is_kept(root: Path) -> None:
    with pytest.raises(ToolError, match="may not be replaced"):
        call_tool(create_write_file(root), path="old.txt", content="new")
    assert (root / "old.txt").read_text() == "old"
    assert list_names(root) == ["old.txt", "sub"]


def test_a_file_can_be_replaced_where_that_is_allowed(root: Path) -> None:
    (root / "old.txt").chmod(0o640)
    tool = create_write_file(root, overwrite=True)
    assert call_tool(tool, path="old.txt", content="new")["outcome"] == "replaced"
    assert (root / "old.txt").read_text() == "new"
    assert stat.S_IMODE((root / "old.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_same_call_can_be_made_again(root: Path, overwrite: bool) -> None:
    tool = create_write_file(root, overwrite=overwrite)
    outcomes = [call_tool(tool, path="new.txt", content="same")["outcome"] for _ in range(2)]
    assert outcomes == ["created", "unchanged"]


def test_who_has_the_old_file_open_keeps_its_content(root: Path) -> None:
    with (root / "old.txt").open() as file:
        call_tool(create_write_file(root, overwrite=True), path="old.txt", content="new")
        assert file.read() == "old"


def test_missing_folders_are_made_where_that_is_allowed(root: Path) -> None:
    with pytest.raises(ToolError, match="its folder 'a/b' is missing"):
        call_tool(create_write_file(root), path="a/b/c.txt", content="x")
    assert not (root / "a").exists()
    call_tool(create_write_file(root, create_folders=True), path="a/b/c.txt", content="x")
    assert (root / "a" / "b" / "c.txt").read_text() == "x"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.txt", "leads out"),
        ("/etc/x", "absolute"),
        ("", "names no file"),
        ("sub", "is a folder"),
        (".env", "hidden"),
        (".git/hooks/x", "hidden"),
        ("a\0b", "NUL"),
        ("old.txt/x", "no folder"),
        ("n" * 300, "missing|no file"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(root: Path, path: str, reason: str) -> None:
    tool = create_write_file(root, overwrite=True, create_folders=True)
    with pytest.raises(ToolError, match=reason):
        call_tool(tool, path=path, content="x")
    assert list_names(root) == ["old.txt", "sub"]


def test_a_link_is_neither_followed_nor_replaced(root: Path) -> None:
    (root / "link.txt").symlink_to("../secret.txt")
    (root / "out").symlink_to("..")
    tool = create_write_file(root, overwrite=True, create_folders=True)
    for path in ("link.txt", "out/secret.txt", "out/new/x.txt"):
        with pytest.raises(ToolError, match="links are not followed"):
            call_tool(tool, path=path, content="x")
    assert (root.parent / "secret.txt").read_text() == "outside"
    assert list_names(root.parent) == ["root", "secret.txt"]


def test_a_pipe_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolError, match="only regular files"):
        call_tool(create_write_file(root, overwrite=True), path="pipe", content="x")


def test_hidden_files_can_be_allowed(root: Path) -> None:
    call_tool(create_write_file(root, hidden=True), path=".env", content="A=1")
    assert (root / ".env").read_text() == "A=1"


def test_too_much_content_is_refused(root: Path) -> None:
    tool = create_write_file(root, max_bytes=3)
    with pytest.raises(ToolError, match="has 4 bytes, and 3 may be written"):
        call_tool(tool, path="x.txt", content="éé")
    assert call_tool(tool, path="x.txt", content="abc")["bytes"] == 3


def test_a_failure_while_writing_leaves_nothing_behind(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ToolError, match="No space left"):
        call_tool(create_write_file(root, overwrite=True), path="old.txt", content="new")
    assert (root / "old.txt").read_text() == "old"
    assert list_names(root) == ["old.txt", "sub"]


def test_a_file_that_somebody_makes_meanwhile_is_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def make_it_then_sync(descriptor: int) -> None:
        (root / "new.txt").write_text("theirs")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", make_it_then_sync)
    with pytest.raises(ToolError, match="somebody else"):
        call_tool(create_write_file(root), path="new.txt", content="ours")
    assert (root / "new.txt").read_text() == "theirs"


def test_a_file_system_without_hard_links_will_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", refuse)
    assert call_tool(create_write_file(root), path="new.txt", content="x")["outcome"] == "created"
    assert (root / "new.txt").read_text() == "x"


def test_a_folder_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        create_write_file(tmp_path / "missing")


NAMES = st.sampled_from(["..", ".", "", "sub", "out", "up", "a.txt", "secret.txt", "link", "root"])


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.lists(NAMES, max_size=6).map("/".join) | st.text(max_size=15))
def test_nothing_outside_is_written_whatever_the_path(root: Path, path: str) -> None:
    if not (root / "up").is_symlink():
        (root / "up").symlink_to("..")
        (root / "sub" / "out").symlink_to(root.parent)
        (root / "link").symlink_to(root.parent / "secret.txt")
    tool = create_write_file(root, overwrite=True, create_folders=True, hidden=True)
    with contextlib.suppress(ToolError):
        call_tool(tool, path=path, content="written")
    assert list_names(root.parent) == ["root", "secret.txt"]
    assert (root.parent / "secret.txt").read_text() == "outside"
