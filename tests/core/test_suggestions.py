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
