from __future__ import annotations

import pytest

from agent_factory.core import Location, Problem
from agent_factory.core.source import MAX_PROBLEMS, select_problems


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


@pytest.mark.parametrize("before", ["\u65e5\u672c", "e\u0301", "\U0001f600 "])
def test_caret_stands_below_the_column_after_characters_of_any_width(before: str) -> None:
    widths = {"\u65e5": 2, "\u672c": 2, "\u0301": 0, "\U0001f600": 2}
    problem = Problem(Location("a", 1, len(before) + 1), "wrong", f"{before}!")

    _, _, caret = str(problem).splitlines()

    assert len(caret) == 4 + sum(widths.get(char, 1) for char in before) + 1


def test_problems_are_told_once_and_in_order() -> None:
    first, second = (Problem(Location("a", line, 1), "wrong") for line in (1, 2))

    assert select_problems([second, first, second]) == [first, second]


def test_problems_beyond_the_most_are_counted() -> None:
    problems = [Problem(Location("a", line, 1), "wrong") for line in range(1, 151)]

    told = select_problems(problems, more=7)

    assert told[:MAX_PROBLEMS] == problems[:MAX_PROBLEMS]
    assert told[MAX_PROBLEMS:] == [
        Problem(Location("a", 101, 1), "and 57 more problems: correct the ones above first")
    ]
