from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError, ToolError
from agent_factory.core.registry import ToolRegistry
from agent_factory.integrations.tools import (
    create_builtin_entries,
    create_calculate_date,
    create_current_time,
)
from agent_factory.integrations.tools.calendar_days import (
    add_business_days,
    count_business_days,
    is_business_day,
)
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 25, 23, 30, 15, 999, tzinfo=UTC)


def test_the_time_comes_with_offset_and_weekday() -> None:
    assert call_tool(create_current_time(clock=FixedClock())) == {
        "time": "2026-11-25T23:30:15+00:00",
        "weekday": "Wednesday",
        "timezone": "UTC",
    }


def test_the_day_is_that_of_the_time_zone() -> None:
    tool = create_current_time(timezone="Europe/Berlin", clock=FixedClock())
    assert call_tool(tool)["time"] == "2026-11-26T00:30:15+01:00"
    assert call_tool(tool, timezone="Asia/Kolkata") == {
        "time": "2026-11-26T05:00:15+05:30",
        "weekday": "Thursday",
        "timezone": "Asia/Kolkata",
    }


def test_the_clock_of_the_machine_is_the_usual_one() -> None:
    told = datetime.fromisoformat(call_tool(create_current_time())["time"])
    assert told.utcoffset() == timedelta(0)
    assert told.year >= 2026


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Berlim", "did you mean 'Europe/Berlin'"),
        ("berlin", "did you mean 'Europe/Berlin'"),
        ("new york", "did you mean 'America/New_York'"),
        ("../../etc/passwd", "no time zone"),
        ("/etc/localtime", "no time zone"),
        ("Europe", "no time zone"),
        ("", "no time zone"),
        ("zone.tab", "no time zone"),
        ("x" * 500, "no time zone"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ToolError, match=hint):
        call_tool(create_current_time(), timezone=name)
    with pytest.raises(ConfigurationError, match=hint):
        create_current_time(timezone=name)


def test_an_entry_uses_its_clock(tmp_path: Path) -> None:
    entry = ToolRegistry(create_builtin_entries(clock=FixedClock())).get("current_time")
    options = entry.options.model_validate({"timezone": "Asia/Tokyo"})
    answer = call_tool(entry.create(options, create_environment(tmp_path)))
    assert answer["time"] == "2026-11-26T08:30:15+09:00"


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"days": 10}, "2026-12-05"),
        ({"days": -25}, "2026-10-31"),
        ({"months": 3}, "2027-02-25"),
        ({"months": -12}, "2025-11-25"),
        ({"start": "2026-01-31", "months": 1}, "2026-02-28"),
        ({"start": "2024-02-29", "months": 12}, "2025-02-28"),
        ({"business_days": 3}, "2026-11-30"),
        ({"business_days": -3}, "2026-11-20"),
        ({"start": "2026-11-28", "business_days": 1}, "2026-11-30"),
        ({"months": 1, "days": 1, "business_days": 1}, "2026-12-28"),
        ({}, "2026-11-25"),
    ],
)
def test_time_is_added_to_a_date(arguments: dict[str, Any], result: str) -> None:
    answer = call_tool(create_calculate_date(), **{"start": "2026-11-25", **arguments})
    assert answer["date"] == result
    assert answer["weekday"] == date.fromisoformat(result).strftime("%A")


def test_days_between_two_dates_are_counted() -> None:
    tool = create_calculate_date(holidays=[date(2026, 12, 25), date(2026, 12, 26)])
    assert call_tool(tool, start="2026-11-25", end="2027-01-01") == {
        "days": 37,
        "weeks": 5.29,
        "business_days": 26,
        "months": 1,
        "rest_days": 7,
    }
    back = call_tool(tool, start="2027-01-01", end="2026-11-25")
    assert (back["days"], back["business_days"], back["months"]) == (-37, -26, -1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"start": "25.11.2026"}, "is no date"),
        ({"start": "2026-02-30"}, "is no date"),
        ({"start": "2026-01-01", "end": "x"}, "is no date"),
        ({"start": "2026-01-01", "end": "2026-01-02", "days": 1}, "leave one of them out"),
        ({"start": "9999-12-31", "days": 1}, "years 1 and 9999"),
        ({"start": "9999-12-01", "months": 1}, "years 1 and 9999"),
        ({"start": "0001-01-01", "business_days": -1}, "years 1 and 9999"),
    ],
)
def test_what_is_no_date_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        call_tool(create_calculate_date(), **arguments)


def test_too_many_days_are_refused() -> None:
    with pytest.raises(ToolArgumentsError):
        call_tool(create_calculate_date(), start="2026-01-01", business_days=100_001)


def test_holidays_are_dates() -> None:
    entry = ToolRegistry(create_builtin_entries()).get("calculate_date")
    with pytest.raises(ValidationError, match="holidays"):
        entry.options.model_validate({"holidays": ["Christmas"]})


DATES = st.dates(date(1990, 1, 1), date(2050, 1, 1))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DATES, st.integers(0, 500), st.sets(DATES, max_size=5))
def test_business_days_are_counted_one_by_one(start: date, days: int, holidays: set[date]) -> None:
    end = start + timedelta(days)
    one_by_one = sum(
        is_business_day(start + timedelta(offset), holidays) for offset in range(1, days + 1)
    )
    counted = count_business_days(start, end, holidays)
    assert counted == one_by_one
    assert count_business_days(start, add_business_days(start, 7, holidays), holidays) == 7
