from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError, ToolError
from agent_factory.integrations.tools import create_read_file
from agent_factory.integrations.tools.folders import Folder
from tests.integrations.tools.calling import call_tool

SECRET = "the secret outside"

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc is Linux's")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("one\ntwo\r\nthree\n")
    (root / "sub" / "b.txt").write_text("below")
    return root


def test_lines_come_with_their_numbers(root: Path) -> None:
    assert call_tool(create_read_file(root), path="a.txt") == {
        "path": "a.txt",
        "start_line": 1,
        "end_line": 3,
        "total_lines": 3,
        "text": "1\tone\n2\ttwo\n3\tthree",
    }


def test_a_part_of_a_file_can_be_read(root: Path) -> None:
    answer = call_tool(create_read_file(root), path="./a.txt", start_line=2, max_lines=1)
    assert (answer["start_line"], answer["end_line"], answer["total_lines"]) == (2, 2, 3)
    assert answer["text"] == "2\ttwo"


def test_a_file_in_a_folder_below_can_be_read(root: Path) -> None:
    assert call_tool(create_read_file(root), path="sub/b.txt")["text"] == "1\tbelow"


def test_an_empty_file_has_no_lines(root: Path) -> None:
    (root / "empty").touch()
    answer = call_tool(create_read_file(root), path="empty")
    assert (answer["end_line"], answer["total_lines"], answer["text"]) == (0, 0, "")


def test_only_ends_of_lines_end_lines(root: Path) -> None:
    (root / "odd").write_text("a\x0cb\u2028c\rd\ne", newline="")
    assert call_tool(create_read_file(root), path="odd")["total_lines"] == 2


def test_a_byte_order_mark_is_no_text(root: Path) -> None:
    (root / "bom").write_bytes(b"\xef\xbb\xbfx")
    assert call_tool(create_read_file(root), path="bom")["text"] == "1\tx"


def test_a_line_past_the_end_is_refused_with_the_length(root: Path) -> None:
    with pytest.raises(ToolError, match="has 3 lines"):
        call_tool(create_read_file(root), path="a.txt", start_line=4)


@pytest.mark.parametrize("arguments", [{"start_line": 0}, {"max_lines": 0}, {"max_lines": 2001}])
def test_lines_out_of_range_are_refused(root: Path, arguments: dict[str, int]) -> None:
    with pytest.raises(ToolArgumentsError):
        call_tool(create_read_file(root), path="a.txt", **arguments)


def test_much_text_stops_at_the_last_line_that_fits(root: Path) -> None:
    (root / "long").write_text(("x" * 60_000 + "\n") * 3)
    answer = call_tool(create_read_file(root), path="long")
    assert (answer["end_line"], answer["total_lines"]) == (1, 3)


def test_a_line_that_is_too_long_is_cut_and_says_so(root: Path) -> None:
    (root / "line").write_text("x" * 150_000)
    text = call_tool(create_read_file(root), path="line")["text"]
    assert text.endswith("[cut: the line has 150000 characters]")
    assert len(text) < 101_000


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.txt", "leads out"),
        ("sub/../../secret.txt", "leads out"),
        ("/etc/passwd", "absolute"),
        ("", "names no file"),
        (".", "names no file"),
        ("sub", "is a folder"),
        ("missing.txt", "there is no file"),
        ("a.txt/b", "no folder"),
        ("a\0b", "NUL"),
        ("x" * 300, "there is no file"),
        ("x/" * 3000, "6000 characters"),
        (".env", "hidden"),
        (".git/config", "hidden"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_with_the_reason(
    root: Path, path: str, reason: str
) -> None:
    with pytest.raises(ToolError, match=reason):
        call_tool(create_read_file(root), path=path)


def test_half_a_character_in_a_path_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match="half a character"):
        Folder(root).read("\udcff", max_bytes=10)


def test_hidden_files_can_be_allowed(root: Path) -> None:
    (root / ".env").write_text("A=1")
    assert call_tool(create_read_file(root, hidden=True), path=".env")["text"] == "1\tA=1"


@pytest.mark.parametrize("target", ["../secret.txt", "a.txt", "loop"])
def test_a_link_is_not_followed(root: Path, target: str) -> None:
    (root / "loop").symlink_to(target)
    with pytest.raises(ToolError, match="links are not followed"):
        call_tool(create_read_file(root), path="loop")


def test_a_folder_that_is_a_link_is_not_entered(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    with pytest.raises(ToolError, match="links are not followed"):
        call_tool(create_read_file(root), path="out/secret.txt")


def test_the_folder_of_the_tool_itself_may_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert call_tool(create_read_file(link), path="sub/b.txt")["text"] == "1\tbelow"


def test_a_file_swapped_for_a_link_after_the_look_is_not_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def stat_then_swap(path: str, *, dir_fd: int, follow_symlinks: bool) -> os.stat_result:
        status = real(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        (root / "a.txt").unlink()
        (root / "a.txt").symlink_to(root.parent / "secret.txt")
        return status

    folder = Folder(root)
    with monkeypatch.context() as patch, pytest.raises(ToolError, match="links are not followed"):
        patch.setattr(os, "stat", stat_then_swap)
        folder.read("a.txt", max_bytes=100)


def test_a_file_swapped_for_a_pipe_after_the_look_is_not_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def stat_then_swap(path: str, *, dir_fd: int, follow_symlinks: bool) -> os.stat_result:
        status = real(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        (root / "a.txt").unlink()
        os.mkfifo(root / "a.txt")
        return status

    folder = Folder(root)
    with monkeypatch.context() as patch, pytest.raises(ToolError, match="only regular files"):
        patch.setattr(os, "stat", stat_then_swap)
        folder.read("a.txt", max_bytes=100)


def test_a_pipe_is_refused_at_once(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolError, match="only regular files"):
        call_tool(create_read_file(root), path="pipe")


def test_a_device_is_refused() -> None:
    with pytest.raises(ToolError, match="only regular files"):
        call_tool(create_read_file("/dev"), path="null")


def test_a_large_file_is_refused_without_reading_it(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ToolError, match="larger than 1048576 bytes"):
        call_tool(create_read_file(root), path="huge")


@needs_proc
def test_a_file_that_hides_its_size_is_bounded_too() -> None:
    with pytest.raises(ToolError, match="larger than 10 bytes"):
        call_tool(create_read_file("/proc/self", max_bytes=10), path="status")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"a\0b", "binary"), (b"caf\xe9", r"not UTF-8 text \(byte 3\)")]
)
def test_what_is_no_text_is_refused(root: Path, content: bytes, reason: str) -> None:
    (root / "data").write_bytes(content)
    with pytest.raises(ToolError, match=reason):
        call_tool(create_read_file(root), path="data")


def test_a_folder_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        create_read_file(tmp_path / "missing")


def test_a_folder_that_goes_away_is_a_tool_error(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    tool = create_read_file(folder)
    folder.rmdir()
    with pytest.raises(ToolError, match="cannot be opened"):
        call_tool(tool, path="a")


@needs_proc
def test_no_file_descriptor_is_left_open(root: Path) -> None:
    folder = Folder(root)
    (root / "link").symlink_to("a.txt")
    before = len(os.listdir("/proc/self/fd"))
    for path in ("sub/b.txt", "link", "missing", "sub", "a.txt/x"):
        try:
            folder.read(path, max_bytes=100)
        except ToolError:
            continue
    assert len(os.listdir("/proc/self/fd")) == before


NAMES = st.sampled_from(
    ["..", ".", "", "sub", "out", "up", "a.txt", "b.txt", "secret.txt", "link", "root"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(NAMES, max_size=7).map("/".join) | st.text(max_size=20))
def test_no_path_reaches_a_file_outside(root: Path, path: str) -> None:
    if not (root / "up").is_symlink():
        (root / "up").symlink_to("..")
        (root / "sub" / "out").symlink_to(root.parent)
        (root / "link").symlink_to(root.parent / "secret.txt")
    try:
        content = Folder(root, hidden=True).read(path, max_bytes=1000)
    except ToolError:
        return
    assert SECRET.encode() not in content


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        with pytest.raises(ToolError, match="only regular files"):
            call_tool(create_read_file(tmp_path), path="sock")
