from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.tools import create_list_files
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.patterns import PathPatterns
from tests.integrations.tools.calling import call_tool


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("b.md", "a.txt", "docs/x.md", "docs/deep/y.md", ".hidden/z.md", ".env"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def test_all_files_are_listed_in_order(root: Path) -> None:
    assert call_tool(create_list_files(root)) == {
        "files": ["a.txt", "b.md", "docs/deep/y.md", "docs/x.md"],
        "total": 4,
        "skipped": [],
    }


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("*.md", ["b.md"]),
        ("**/*.md", ["b.md", "docs/deep/y.md", "docs/x.md"]),
        ("docs/**", ["docs/deep/y.md", "docs/x.md"]),
        ("docs/*/?.md", ["docs/deep/y.md"]),
        ("./docs//x.md", ["docs/x.md"]),
        ("**/deep/**/y.md", ["docs/deep/y.md"]),
        ("[ab].*", ["a.txt", "b.md"]),
        ("*.MD", []),
        ("docs", []),
    ],
)
def test_a_pattern_selects(root: Path, pattern: str, files: list[str]) -> None:
    assert call_tool(create_list_files(root), pattern=pattern)["files"] == files


def test_hidden_files_can_be_listed(root: Path) -> None:
    files = call_tool(create_list_files(root, hidden=True), pattern="**/.*")["files"]
    assert files == [".env"]
    assert ".hidden/z.md" in call_tool(create_list_files(root, hidden=True))["files"]


def test_a_long_list_is_cut_and_the_total_says_so(root: Path) -> None:
    answer = call_tool(create_list_files(root, max_files=2))
    assert (len(answer["files"]), answer["total"]) == (2, 4)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("../*", "leads out"),
        ("/etc/*", "absolute"),
        ("", "names nothing"),
        ("*" * 301, "301 characters"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(root: Path, pattern: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        call_tool(create_list_files(root), pattern=pattern)


def test_links_and_pipes_are_left_out_and_named(root: Path) -> None:
    (root / "link.md").symlink_to("b.md")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "pipe.md")
    answer = call_tool(create_list_files(root), pattern="*")
    assert answer["files"] == ["a.txt", "b.md"]
    assert answer["skipped"] == [
        "link.md: links are not followed",
        "loop: links are not followed",
        "pipe.md: not a regular file",
    ]


def test_a_name_that_cannot_be_shown_is_left_out_and_escaped(root: Path) -> None:
    (Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.md"))).write_text("x")
    (root / "line\nbreak.md").write_text("x")
    answer = call_tool(create_list_files(root), pattern="*.md")
    assert answer["files"] == ["b.md"]
    assert [entry.split(":")[0] for entry in answer["skipped"]] == [
        r"'bad\udcff.md'",
        r"'line\nbreak.md'",
    ]


def test_a_walk_stops_at_its_bound_and_says_so(root: Path) -> None:
    found = Folder(root).find(PathPatterns(["**/*"]), max_entries=3)
    assert len(found.files) <= 3
    assert any("more than 3 names" in reason for reason in found.skipped)


def test_very_deep_folders_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 70)).mkdir(parents=True)
    found = Folder(tmp_path).find(PathPatterns(["**/*"]))
    assert "more than 64 folders deep" in found.skipped[0]


def test_a_walk_enters_only_folders_that_can_match(root: Path) -> None:
    (root / "other").mkdir()
    (root / "other" / "loop").symlink_to(root)
    assert Folder(root).find(PathPatterns(["docs/**/*"])).skipped == []
