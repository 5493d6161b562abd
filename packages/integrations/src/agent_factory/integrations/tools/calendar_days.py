"""Counting days, months and working days."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "add_business_days",
    "add_months",
    "count_business_days",
    "count_months",
    "is_business_day",
]

_SATURDAY = 5
_WEEK = 7
_WORKING = 5


def add_months(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last day where it is shorter.

    Args:
        day: The day.
        months: How many months later; earlier if below 0.

    Raises:
        ValueError: The year is not between 1 and 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise ValueError(f"year {year} is out of range")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def count_months(start: date, end: date) -> tuple[int, int]:
    """Return the whole months from one day to a later one, and the days that are left.

    Args:
        start: The day to count from.
        end: The day to count to; not before it.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if months and add_months(start, months) > end:
        months -= 1
    return months, (end - add_months(start, months)).days


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Return whether a day is from Monday to Friday and no holiday.

    Args:
        day: The day.
        holidays: The holidays.
    """
    return day.weekday() < _SATURDAY and day not in holidays


def count_business_days(start: date, end: date, holidays: Collection[date]) -> int:
    """Return how many business days follow a day up to a later one: the first does not count, the last does.

    Args:
        start: The day to count from.
        end: The day to count to; not before it.
        holidays: The holidays.
    """
    weeks, rest = divmod((end - start).days, _WEEK)
    tail = (end - timedelta(offset) for offset in range(rest))
    days = weeks * _WORKING + sum(day.weekday() < _SATURDAY for day in tail)
    return days - sum(start < day <= end and day.weekday() < _SATURDAY for day in set(holidays))


def add_business_days(day: date, days: int, holidays: Collection[date]) -> date:
    """Return the business day that is a number of business days later.

    Args:
        day: The day to count from; it need not be a business day.
        days: How many; earlier if below 0, and the day itself if 0.
        holidays: The holidays.

    Raises:
        OverflowError: The year is not between 1 and 9999.
    """
    step = timedelta(1 if days > 0 else -1)
    left = abs(days)
    while left:
        day += step
        left -= is_business_day(day, holidays)
    return day
