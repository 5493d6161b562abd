"""The tests of a run are counted from its reports."""

from __future__ import annotations

from pathlib import Path

import count_tests


def test_the_reports_are_added_up(tmp_path: Path) -> None:
    for name, counts in {
        "a": 'tests="5" failures="1" errors="1" skipped="1"',
        "b": 'tests="3" failures="0" errors="0" skipped="0"',
    }.items():
        (tmp_path / f"{name}.xml").write_text(f"<testsuites><testsuite {counts}/></testsuites>")

    assert count_tests.count(tmp_path) == (5, 2)


def test_no_report_is_no_test(tmp_path: Path) -> None:
    assert count_tests.count(tmp_path) == (0, 0)
