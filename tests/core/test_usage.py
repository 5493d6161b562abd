from __future__ import annotations

from typing import Any

import pytest

from agent_factory.core import ConfigurationError, Limits, Usage


def test_usages_add_up_field_by_field() -> None:
    assert Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40) == Usage(11, 22, 33, 44)


def test_new_usage_is_nothing() -> None:
    assert Usage(1, 2, 3, 4) + Usage() == Usage(1, 2, 3, 4)


def test_default_limits_are_finite() -> None:
    assert Limits() == Limits(20, 50, 2, 300.0)


@pytest.mark.parametrize(
    ("name", "least"), [("max_requests", 1), ("max_tool_calls", 0), ("max_output_retries", 0)]
)
def test_least_value_of_a_count_is_allowed_and_less_is_not(name: str, least: int) -> None:
    allowed: dict[str, Any] = {name: least}
    refused: dict[str, Any] = {name: least - 1}

    assert getattr(Limits(**allowed), name) == least
    with pytest.raises(ConfigurationError, match=f"Limits.{name} .* at least {least}, not"):
        Limits(**refused)


@pytest.mark.parametrize("name", ["max_requests", "max_tool_calls", "max_output_retries"])
@pytest.mark.parametrize("value", [1.0, "1", None, True, float("inf")])
def test_count_that_is_no_whole_number_is_refused(name: str, value: object) -> None:
    given: dict[str, Any] = {name: value}

    with pytest.raises(ConfigurationError, match=f"Limits.{name} must be a whole number"):
        Limits(**given)


@pytest.mark.parametrize("value", [0, -1.0, float("inf"), float("nan"), True, "10", None])
def test_timeout_that_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Limits.timeout must be a finite number"):
        Limits(timeout=value)
