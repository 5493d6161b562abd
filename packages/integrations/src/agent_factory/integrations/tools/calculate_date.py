"""The tool `calculate_date`: the days between two dates, and the date some time before or after one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_factory.core.exceptions import ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.calendar_days import (
    add_business_days,
    add_months,
    count_business_days,
    count_months,
)
from agent_factory.integrations.tools.current_time import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CalculateDateOptions", "create_calculate_date", "create_calculate_date_entry"]

MAX_DAYS = 100_000


class CalculateDateOptions(BaseModel):
    """Options of `calculate_date` in a blueprint.

    Attributes:
        holidays: Dates such as ``2026-12-25`` that are no business days; at most 1,000.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    holidays: list[str] = Field(default=[], max_length=1000)

    @field_validator("holidays")
    @classmethod
    def _check_holidays(cls, holidays: list[str]) -> list[str]:
        for holiday in holidays:
            date.fromisoformat(holiday)
        return holidays


def create_calculate_date(*, holidays: Iterable[date] = ()) -> Tool[object]:
    """Make the tool `calculate_date`.

    Args:
        holidays: Days that are no business days, besides Saturdays and Sundays.

    Returns:
        The tool; between two dates its result has ``days``, ``weeks``, ``business_days`` and ``months`` with ``rest_days``,
        and for a date some time away ``date`` and ``weekday``.
    """
    free = frozenset(holidays)

    @tool(effect="read", timeout=10.0)
    def calculate_date(
        start: str,
        end: str | None = None,
        months: Annotated[int, Field(ge=-MAX_DAYS, le=MAX_DAYS)] = 0,
        days: Annotated[int, Field(ge=-(10**7), le=10**7)] = 0,
        business_days: Annotated[int, Field(ge=-MAX_DAYS, le=MAX_DAYS)] = 0,
    ) -> dict[str, object]:
        """Count the days between two dates, or find the date some time before or after one.

        With end, the days from start to end are counted. Without it, months, days and business days are added to
        start, in this order. A year is 12 months, a week 7 days; business days are Monday to Friday.

        Args:
            start: Date such as 2026-11-25.
            end: Date to count to; leave it out to add to start.
            months: Months to add; below 0 to go back. A month that is too short gives its last day.
            days: Days to add; below 0 to go back.
            business_days: Business days to add; below 0 to go back.
        """
        first = _read(start)
        if end is None:
            return _add(first, months, days, business_days, free)
        if months or days or business_days:
            raise ToolError("an end and something to add were given: leave one of them out")
        return _count(first, _read(end), free)

    return calculate_date


def create_calculate_date_entry() -> ToolEntry[CalculateDateOptions]:
    """Return the entry through which blueprints use `calculate_date`."""
    return ToolEntry(
        "calculate_date",
        "counts days between dates and adds to dates",
        CalculateDateOptions,
        lambda options, _environment: create_calculate_date(
            holidays=map(date.fromisoformat, options.holidays)
        ),
    )


def _read(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ToolError(f"{text[:40]!r} is no date: write it as 2026-11-25") from None


def _add(
    start: date, months: int, days: int, business_days: int, free: frozenset[date]
) -> dict[str, object]:
    try:
        found = add_months(start, months) + timedelta(days)
        found = add_business_days(found, business_days, free)
    except (ValueError, OverflowError):
        raise ToolError("the date is not between the years 1 and 9999: add less") from None
    return {"date": found.isoformat(), "weekday": WEEKDAYS[found.weekday()]}


def _count(start: date, end: date, free: frozenset[date]) -> dict[str, object]:
    days = (end - start).days
    sign = -1 if days < 0 else 1
    early, late = sorted((start, end))
    months, rest = count_months(early, late)
    return {
        "days": days,
        "weeks": round(days / 7, 2),
        "business_days": sign * count_business_days(early, late, free),
        "months": sign * months,
        "rest_days": sign * rest,
    }
