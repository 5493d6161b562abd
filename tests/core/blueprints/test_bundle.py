from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.blueprints.bundle import (
    find_bundled_place,
    read_blueprint_content,
    read_bundled_file,
    read_bundled_text,
)
from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a blueprint, with something beside it that is nobody's business."""
    (tmp_path / "secret.txt").write_text("private")
    base = tmp_path / "base"
    (base / "inner").mkdir(parents=True)
    (base / "inner" / "a.md").write_text("inside")
    return base


def test_file_below_the_folder_is_read(folder: Path) -> None:
    assert read_bundled_file(folder, "inner/./a.md") == b"inside"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "..",
        "../secret.txt",
        "inner/../../secret.txt",
        "/etc/passwd",
        "a\0b",
        "inner//",
    ],
)
def test_no_path_leads_out(folder: Path, path: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_bundled_file(folder, path)

    assert "private" not in caught.value.message


@pytest.mark.parametrize("target", ["../secret.txt", "inner/a.md", "/etc/hostname", "link"])
def test_link_is_not_followed(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)

    with pytest.raises(ConfigurationError, match="links are not followed"):
        read_bundled_file(folder, "link")


def test_folder_that_is_a_link_is_not_followed(folder: Path) -> None:
    (folder / "up").symlink_to("..")

    with pytest.raises(ConfigurationError, match="links are not followed"):
        read_bundled_file(folder, "up/secret.txt")


def test_folder_of_the_blueprint_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)

    assert read_bundled_file(tmp_path / "alias", "inner/a.md") == b"inside"


def test_pipe_is_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    with pytest.raises(ConfigurationError, match="no regular file"):
        read_bundled_file(folder, "pipe")


def test_folder_is_no_file(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no regular file"):
        read_bundled_file(folder, "inner")


def test_file_may_have_the_most_bytes_and_no_more(folder: Path) -> None:
    (folder / "large").write_bytes(b"x" * 1000)

    assert len(read_bundled_file(folder, "large", max_bytes=1000)) == 1000
    with pytest.raises(ConfigurationError, match="more than 999 bytes"):
        read_bundled_file(folder, "large", max_bytes=999)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b" \r\n", "is empty"), (b"a\xff", "not UTF-8 at byte 1")],
)
def test_text_that_is_none_is_refused(folder: Path, content: bytes, said: str) -> None:
    (folder / "a").write_bytes(content)

    with pytest.raises(ConfigurationError, match=said):
        read_bundled_text(folder, "a")


def test_text_reads_the_same_wherever_it_was_checked_out(folder: Path) -> None:
    (folder / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")

    assert read_bundled_text(folder, "a") == "one\ntwo\nthree\n"


def test_folder_that_is_swapped_for_a_link_meanwhile_leads_nowhere_else(
    folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.md").write_text("private")
    inner, aside = folder / "inner", folder / "aside"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            inner.rename(aside)
            inner.symlink_to(outside)
            inner.unlink()
            aside.rename(inner)

    thread = threading.Thread(target=swap)
    thread.start()
    found: set[bytes] = set()
    try:
        for _ in range(3000):
            try:
                found.add(read_bundled_file(folder, "inner/a.md"))
            except ConfigurationError:
                continue
    finally:
        stop.set()
        thread.join()

    assert found <= {b"inside"}


def test_blueprint_may_be_a_link_within_its_folder(folder: Path) -> None:
    (folder / "agent.yaml").symlink_to("inner/a.md")

    assert read_blueprint_content(folder / "agent.yaml", max_bytes=10) == b"inside"


@pytest.mark.parametrize("target", ["../secret.txt", "/proc/self/environ", "/dev/zero", ".", ".."])
def test_blueprint_that_is_a_link_out_of_its_folder_is_not_read(folder: Path, target: str) -> None:
    (folder / "agent.yaml").symlink_to(target)

    with pytest.raises(ConfigurationError, match="outside of its folder") as caught:
        read_blueprint_content(folder / "agent.yaml", max_bytes=1000)

    assert "private" not in caught.value.message


def test_blueprint_in_a_folder_that_is_a_link_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)

    assert read_blueprint_content(tmp_path / "alias" / "inner" / "a.md", max_bytes=10) == b"inside"


def test_blueprint_that_is_a_pipe_is_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "agent.yaml")

    with pytest.raises(ConfigurationError, match="no regular file"):
        read_blueprint_content(folder / "agent.yaml", max_bytes=10)


def test_blueprint_that_is_missing_or_too_large_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        read_blueprint_content(folder / "agent.yaml", max_bytes=10)
    with pytest.raises(ConfigurationError, match="more than 5 bytes"):
        read_blueprint_content(folder / "inner" / "a.md", max_bytes=5)
    with pytest.raises(ConfigurationError, match="is no path"):
        read_blueprint_content(folder / "a\0b", max_bytes=5)


@pytest.mark.parametrize("path", ["new.json", "new/new.json", "inner/new.json", "inner/a.md"])
def test_place_below_the_folder_can_be_written(folder: Path, path: str) -> None:
    assert find_bundled_place(folder, path) == folder / path


@pytest.mark.parametrize(
    "path",
    [
        *("../a", "/a", "", ".", "a/../b", "a\0b", "door", "door/a", "file", "missing", "inner"),
        *("inner/a.md/b", "a" * 300),
    ],
)
def test_place_that_leads_out_cannot_be_written(folder: Path, tmp_path: Path, path: str) -> None:
    (folder / "door").symlink_to(tmp_path)
    (folder / "file").symlink_to("../secret.txt")
    (folder / "missing").symlink_to("../new.txt")

    with pytest.raises(ConfigurationError):
        find_bundled_place(folder, path)
