from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError, ToolError
from agent_factory.integrations.tools import IndexBounds, create_search_documents
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.index import DocumentIndex
from agent_factory.integrations.tools.patterns import PathPatterns
from tests.integrations.tools.calling import call_tool

GUIDE = """\
# Guide

Welcome.

## Adding a package

Create a folder and a BUILD file.

## Running the tests

Call make test.
"""


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    (docs / "deep").mkdir(parents=True)
    (docs / "guide.md").write_text(GUIDE)
    (docs / "deep" / "notes.txt").write_text(
        "A package is mentioned here, among many other words of no use.\n"
    )
    (docs / "code.py").write_text("package = 1\n")
    return docs


def search(folder: Path, query: str, *, limit: int = 5, **options: Any) -> dict[str, Any]:
    answer = call_tool(create_search_documents(folder, **options), query=query, limit=limit)
    assert isinstance(answer, dict)
    return answer


def find_places(answer: dict[str, Any]) -> list[str]:
    return [f"{passage['file']}:{passage['line']}" for passage in answer["passages"]]


def test_a_passage_comes_with_its_place_its_headings_and_its_text(docs: Path) -> None:
    answer = search(docs, "make", prefix="docs")
    (passage,) = answer["passages"]
    assert passage.pop("score") > 0
    assert passage == {
        "file": "docs/guide.md",
        "line": 9,
        "end_line": 11,
        "heading": "Guide > Running the tests",
        "text": "## Running the tests\n\nCall make test.",
    }
    assert (answer["files_searched"], answer["skipped"]) == (2, [])


def test_a_word_in_a_heading_counts_more_than_one_in_the_text(docs: Path) -> None:
    assert find_places(search(docs, "package", prefix=""))[0] == "guide.md:5"


@pytest.mark.parametrize("query", ["add", "added", "adding", "ADDS", "tests run", "foldered"])
def test_other_forms_of_a_word_are_found(docs: Path, query: str) -> None:
    assert find_places(search(docs, query))


def test_a_phrase_in_quotation_marks_must_stand_as_a_whole(docs: Path) -> None:
    assert find_places(search(docs, '"make test"', prefix="")) == ["guide.md:9"]
    assert find_places(search(docs, '"test make"')) == []


@pytest.mark.parametrize(
    "query",
    [
        "package AND",
        "NOT package",
        "package NEAR(",
        'package"',
        "heading: package",
        "package*",
        "(package",
        "^package",
        "-package",
    ],
)
def test_operators_of_the_index_are_plain_words(docs: Path, query: str) -> None:
    assert "guide.md:5" in find_places(search(docs, query, prefix=""))


@pytest.mark.parametrize("query", ["", "  ", "!?", '""', "\0"])
def test_a_query_without_words_is_refused(docs: Path, query: str) -> None:
    with pytest.raises(ToolError, match="no word"):
        search(docs, query)


@pytest.mark.parametrize(
    "arguments", [{"query": "x" * 1001}, {"query": "x", "limit": 0}, {"query": "x", "limit": 21}]
)
def test_arguments_out_of_range_are_refused(docs: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolArgumentsError):
        call_tool(create_search_documents(docs), **arguments)


def test_no_more_passages_than_asked_for_are_returned(docs: Path) -> None:
    assert len(search(docs, "package guide", limit=1)["passages"]) == 1


def test_places_lead_from_the_current_directory(
    docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(docs.parent)
    assert find_places(search(docs, "make")) == ["docs/guide.md:9"]
    monkeypatch.chdir(docs)
    assert find_places(search(docs, "make")) == ["guide.md:9"]
    monkeypatch.chdir(docs / "deep")
    assert find_places(search(docs, "make")) == [f"{docs.resolve()}/guide.md:9"]


def test_patterns_say_what_a_document_is(docs: Path) -> None:
    assert find_places(search(docs, "package", patterns=("*.py",), prefix="")) == ["code.py:1"]


def test_a_pattern_that_cannot_be_used_is_a_configuration_error(docs: Path) -> None:
    with pytest.raises(ConfigurationError, match="leads out"):
        create_search_documents(docs, patterns=("../*.md",))


def test_a_folder_that_is_missing_is_a_configuration_error(docs: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        create_search_documents(docs / "missing")


def test_changes_of_the_files_are_seen(docs: Path) -> None:
    tool = create_search_documents(docs, prefix="")
    assert call_tool(tool, query="zebra")["passages"] == []
    (docs / "new.md").write_text("A zebra.")
    assert find_places(call_tool(tool, query="zebra")) == ["new.md:1"]
    (docs / "new.md").write_text("\nNow a zebra.")
    assert call_tool(tool, query="zebra")["passages"][0]["text"] == "\nNow a zebra."
    (docs / "new.md").unlink()
    assert call_tool(tool, query="zebra")["passages"] == []


def test_unchanged_files_are_read_once(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Folder.read

    def count(self: Folder, path: str, *, max_bytes: int) -> bytes:
        read.append(path)
        return real(self, path, max_bytes=max_bytes)

    monkeypatch.setattr(Folder, "read", count)
    tool = create_search_documents(docs)
    assert read == []
    for _ in range(3):
        call_tool(tool, query="package")
    assert read == ["deep/notes.txt", "guide.md"]


def test_nothing_outside_the_folder_is_searched(docs: Path) -> None:
    (docs.parent / "secret.md").write_text("password")
    (docs / "link.md").symlink_to("../secret.md")
    (docs / "up").symlink_to("..")
    answer = search(docs, "password")
    assert answer["passages"] == []
    assert answer["skipped"] == ["link.md: links are not followed", "up: links are not followed"]


def test_files_that_are_no_text_are_named_and_the_others_searched(docs: Path) -> None:
    (docs / "binary.md").write_bytes(b"make\0")
    (docs / "latin.md").write_bytes(b"make caf\xe9")
    os.mkfifo(docs / "pipe.md")
    answer = search(docs, "make", prefix="")
    assert find_places(answer) == ["guide.md:9"]
    assert [reason.split(":")[0] for reason in answer["skipped"]] == [
        "pipe.md",
        "binary.md",
        "latin.md",
    ]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (IndexBounds(max_files=1), "guide.md: more than 1 files"),
        (IndexBounds(max_file_bytes=100), "guide.md: 'guide.md' is larger than 100 bytes"),
        (IndexBounds(max_total_bytes=100), "guide.md: more than 100 bytes in all"),
    ],
)
def test_what_is_over_a_bound_is_named(docs: Path, bounds: IndexBounds, reason: str) -> None:
    answer = search(docs, "package", prefix="", bounds=bounds)
    assert find_places(answer) == ["deep/notes.txt:1"]
    assert answer["skipped"][0].startswith(reason)


def test_long_text_is_cut(docs: Path) -> None:
    (docs / "line.md").write_text("zebra " * 2000)
    assert len(search(docs, "zebra")["passages"][0]["text"]) == 4000


def test_many_threads_may_search_at_a_time(docs: Path) -> None:
    index = DocumentIndex(Folder(docs), PathPatterns(["**/*.md"]), IndexBounds())
    found: list[int] = []

    def look() -> None:
        found.extend(len(index.search("package", 5).hits) for _ in range(20))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 80


def test_a_sqlite_without_full_text_search_is_named(
    docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Without(sqlite3.Connection):
        def execute(self, *_: Any) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("no such module: fts5")

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Without))
    index = DocumentIndex(Folder(docs), PathPatterns(["*.md"]), IndexBounds())
    with pytest.raises(ConfigurationError, match=r"FTS5.*use a Python whose sqlite3 module has it"):
        index.search("package", 1)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=80) | st.text("\"'()*:^-+ ANDORNEAR{}", max_size=40))
def test_any_query_is_answered_or_refused(docs: Path, query: str) -> None:
    try:
        outcome = "passages" if "passages" in search(docs, query) else "nothing"
    except ToolError as error:
        outcome = error.message
    assert outcome == "passages" or "no word" in outcome
