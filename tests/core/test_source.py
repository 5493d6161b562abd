from __future__ import annotations

import pytest

from agent_factory.core import Location, Problem


def test_location_reads_like_a_compilers() -> None:
    assert str(Location("a.yaml", 3, 7)) == "a.yaml:3:7"


def test_problem_without_excerpt_is_one_line() -> None:
    assert str(Problem(Location("a.yaml", 3, 7), "wrong")) == "a.yaml:3:7: wrong"


@pytest.mark.parametrize("column", [1, 5, 61, 62, 200, 300])
def test_caret_points_at_the_column_in_lines_of_any_length(column: int) -> None:
    line = "".join("^" if number == column else "-" for number in range(1, 301))

    _, excerpt, caret = str(Problem(Location("a", 1, column), "wrong", line)).splitlines()

    assert excerpt[len(caret) - 1] == "^"
    assert len(excerpt) <= 124


def test_tabs_before_the_column_do_not_shift_the_caret() -> None:
    _, excerpt, caret = str(Problem(Location("a", 1, 3), "wrong", "\t\t!")).splitlines()

    assert excerpt[len(caret) - 1] == "!"


def test_problem_becomes_plain_data() -> None:
    assert Problem(Location("a.yaml", 3, 7), "wrong", "text").to_dict() == {
        "file": "a.yaml",
        "line": 3,
        "column": 7,
        "message": "wrong",
    }
