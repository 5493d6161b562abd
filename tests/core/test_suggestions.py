from __future__ import annotations

from agent_factory.core.suggestions import describe_choices


def test_close_name_is_suggested() -> None:
    assert describe_choices("calcluate", ["search", "calculate"]) == "did you mean 'calculate'?"


def test_all_names_are_listed_in_order_where_none_is_close() -> None:
    assert describe_choices("xyz", ["search", "calculate"]) == "there are: calculate, search"


def test_absence_of_any_name_is_said() -> None:
    assert describe_choices("xyz", []) == "there are none"


def test_very_long_name_is_compared_by_its_beginning() -> None:
    assert describe_choices("x" * 1_000_000, ["search"]) == "there are: search"
    assert describe_choices("search" * 100_000, ["search" * 16]).startswith("did you mean")


def test_case_and_hyphens_are_no_difference() -> None:
    assert describe_choices("MAX-Requests", ["max_requests", "b"]) == "did you mean 'max_requests'?"


def test_many_names_are_not_all_listed() -> None:
    said = describe_choices("x", [f"name{number:03}" for number in range(100)])

    assert said.startswith("there are: name000, name001, ")
    assert said.endswith(", name039 and 60 more")
