from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError, ToolError
from agent_factory.integrations.tools import SearchBounds, create_search_files
from agent_factory.integrations.tools.expressions import LiteralText
from tests.integrations.tools.calling import call_tool


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("import os\n\ndef run(x):\n    return x\n")
    (root / "b.md").write_text("# Run\n\nCall run(1) or RUN(2).\n")
    (root / ".env").write_text("run=1\n")
    return root


def find_places(answer: Any) -> list[str]:
    return [f"{match['file']}:{match['line']}" for match in answer["matches"]]


def test_a_literal_text_is_found_with_its_place(root: Path) -> None:
    assert call_tool(create_search_files(root), pattern="run(") == {
        "matches": [
            {"file": "b.md", "line": 3, "text": "Call run(1) or RUN(2)."},
            {"file": "src/a.py", "line": 3, "text": "def run(x):"},
        ],
        "files_searched": 2,
        "complete": True,
        "skipped": [],
    }


def test_an_expression_is_found(root: Path) -> None:
    tool = create_search_files(root)
    assert find_places(call_tool(tool, pattern=r"^\s+return \w$", regex=True)) == ["src/a.py:4"]
    assert find_places(call_tool(tool, pattern=r"run\(\d\)", regex=True)) == ["b.md:3"]


@pytest.mark.parametrize("regex", [True, False])
def test_upper_and_lower_case_can_be_the_same(root: Path, regex: bool) -> None:
    tool = create_search_files(root)
    answer = call_tool(tool, pattern="RUN", regex=regex, ignore_case=True)
    assert find_places(answer) == ["b.md:1", "b.md:3", "src/a.py:3"]


def test_a_pattern_selects_the_files(root: Path) -> None:
    answer = call_tool(create_search_files(root), pattern="run", files="**/*.py")
    assert (find_places(answer), answer["files_searched"]) == (["src/a.py:3"], 1)


def test_lines_around_a_match_can_be_had(root: Path) -> None:
    [match] = call_tool(create_search_files(root), pattern="def run", context=2)["matches"]
    assert match["before"] == ["import os", ""]
    assert match["after"] == ["    return x"]


def test_no_more_matches_than_asked_for_are_returned_and_the_rest_is_named(root: Path) -> None:
    answer = call_tool(create_search_files(root), pattern="r", limit=1)
    assert (len(answer["matches"]), answer["complete"]) == (1, False)
    assert answer["stopped"] == "there are more than 1 matches"


def test_hidden_files_are_searched_where_that_is_allowed(root: Path) -> None:
    assert find_places(call_tool(create_search_files(root), pattern="run=")) == []
    tool = create_search_files(root, hidden=True)
    assert find_places(call_tool(tool, pattern="run=")) == [".env:1"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"pattern": ""}, "nothing to look for"),
        ({"pattern": "x" * 501}, "501 characters"),
        ({"pattern": "a\nb"}, "one by one"),
        ({"pattern": "(", "regex": True}, "cannot be used"),
        ({"pattern": r"(a)\1", "regex": True}, "backreferences are not supported"),
        ({"pattern": "(?=a)", "regex": True}, "look-around"),
        ({"pattern": "a", "files": "../*"}, "leads out"),
        ({"pattern": "a", "files": "/etc/*"}, "absolute"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    root: Path, arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ToolError, match=reason):
        call_tool(create_search_files(root), **arguments)


@pytest.mark.parametrize("arguments", [{"context": 11}, {"limit": 0}, {"limit": 201}])
def test_arguments_out_of_range_are_refused(root: Path, arguments: dict[str, int]) -> None:
    with pytest.raises(ToolArgumentsError):
        call_tool(create_search_files(root), pattern="x", **arguments)


def test_an_expression_that_goes_back_elsewhere_is_fast(root: Path) -> None:
    (root / "long.txt").write_text("a" * 100_000 + "\n")
    answer = call_tool(
        create_search_files(root), pattern="(a+)+$|(a|aa)+b", regex=True, files="*.txt"
    )
    assert find_places(answer) == ["long.txt:1"]


def test_a_long_line_is_cut_around_the_match(root: Path) -> None:
    (root / "long.txt").write_text("x" * 5000 + "needle" + "y" * 5000)
    [match] = call_tool(create_search_files(root), pattern="needle")["matches"]
    assert "needle" in match["text"]
    assert match["text"].endswith("[cut: the line has 10006 characters]")


def test_of_a_line_without_end_only_the_beginning_is_searched(root: Path) -> None:
    (root / "long.txt").write_text("x" * 200_000 + "needle")
    answer = call_tool(create_search_files(root), pattern="needle")
    assert answer["matches"] == []
    assert answer["skipped"] == ["long.txt:1: only the first 100000 characters were searched"]


def test_links_and_binary_files_are_left_out_and_named(root: Path) -> None:
    (root.parent / "secret.txt").write_text("run")
    (root / "link.txt").symlink_to("../secret.txt")
    (root / "data.bin").write_bytes(b"run\0")
    answer = call_tool(create_search_files(root), pattern="run", files="*")
    assert find_places(answer) == ["b.md:3"]
    assert [reason.split(":")[0] for reason in answer["skipped"]] == ["link.txt", "data.bin"]


@pytest.mark.parametrize(
    ("bounds", "stopped"),
    [
        (SearchBounds(max_files=1), "1 files were searched"),
        (SearchBounds(max_total_bytes=5), "5 bytes were searched"),
        (SearchBounds(seconds=1e-9), "1e-09 seconds are over"),
    ],
)
def test_a_search_stops_at_its_bounds_and_says_so(
    root: Path, bounds: SearchBounds, stopped: str
) -> None:
    answer = call_tool(create_search_files(root, bounds=bounds), pattern="import")
    assert (answer["complete"], answer["stopped"]) == (False, stopped)


def test_a_file_over_the_bound_is_left_out_and_named(root: Path) -> None:
    tool = create_search_files(root, bounds=SearchBounds(max_file_bytes=30))
    answer = call_tool(tool, pattern="Run")
    assert find_places(answer) == ["b.md:1"]
    assert "larger than 30 bytes" in answer["skipped"][0]


def test_much_text_stops_the_search(root: Path) -> None:
    (root / "many.txt").write_text(("needle " * 60 + "\n") * 1000)
    answer = call_tool(create_search_files(root), pattern="needle", context=10, limit=200)
    assert "characters of matches" in answer["stopped"]
    assert 1 < len(answer["matches"]) < 200


@pytest.mark.parametrize("bounds", [{"max_files": 0}, {"seconds": 0.0}])
def test_bounds_out_of_range_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="bounds of a search"):
        SearchBounds(**bounds)


@settings(deadline=None)
@given(
    st.text(
        st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=20
    ),
    st.text(max_size=40),
)
def test_a_literal_text_is_found_where_python_finds_it(text: str, line: str) -> None:
    place = line.find(text)
    assert LiteralText(text).find(line) == (None if place < 0 else place)
