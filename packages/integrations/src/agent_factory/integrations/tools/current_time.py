"""The tool `current_time`: date, time and weekday now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.clock import Clock, SystemClock
from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.time_zones import TimeZoneError, get_time_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["WEEKDAYS", "CurrentTimeOptions", "create_current_time", "create_current_time_entry"]

DEFAULT_TIME_ZONE = "UTC"
# Not from `strftime`, which speaks the language of the machine.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CurrentTimeOptions(BaseModel):
    """Options of `current_time` in a blueprint.

    Attributes:
        timezone: IANA name of the time zone of results where the model names none.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    timezone: str = Field(default=DEFAULT_TIME_ZONE, min_length=1, max_length=64)


def create_current_time(
    *, timezone: str = DEFAULT_TIME_ZONE, clock: Clock | None = None
) -> Tool[object]:
    """Make the tool `current_time`.

    Args:
        timezone: IANA name of the time zone of results where the model names none.
        clock: Where the time comes from; this machine if None.

    Returns:
        The tool; its result has ``time`` (ISO 8601 with the offset, to the second), ``weekday`` and ``timezone``.

    Raises:
        ConfigurationError: There is no such time zone.
    """
    source = SystemClock() if clock is None else clock
    try:
        usual = get_time_zone(timezone)
    except TimeZoneError as error:
        raise ConfigurationError(f"tool 'current_time': {error}") from None

    @tool(effect="read", timeout=10.0)
    def current_time(timezone: str | None = None) -> dict[str, object]:
        """Return the date, the time and the weekday now.

        Args:
            timezone: IANA name of a time zone, such as 'Europe/Berlin'; leave it out for the usual one.
        """
        zone = usual if timezone is None else _get(timezone)
        now = source.now().astimezone(zone)
        return {
            "time": now.isoformat(timespec="seconds"),
            "weekday": WEEKDAYS[now.weekday()],
            "timezone": str(zone),
        }

    return current_time


def create_current_time_entry(clock: Clock | None = None) -> ToolEntry[CurrentTimeOptions]:
    """Return the entry through which blueprints use `current_time`.

    Args:
        clock: Where the time comes from; this machine if None.
    """
    return ToolEntry(
        "current_time",
        "tells the date, the time and the weekday",
        CurrentTimeOptions,
        lambda options, _environment: create_current_time(timezone=options.timezone, clock=clock),
    )


def _get(name: str) -> ZoneInfo:
    try:
        return get_time_zone(name)
    except TimeZoneError as error:
        raise ToolError(str(error)) from None
