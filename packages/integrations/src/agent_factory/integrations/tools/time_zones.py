"""Time zones by their IANA names."""

from __future__ import annotations

import difflib
import re
from zoneinfo import ZoneInfo, available_timezones

__all__ = ["TimeZoneError", "get_time_zone"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
MAX_NAME = 64


class TimeZoneError(ValueError):
    """A time zone that cannot be used; the message says why and what to write instead."""


def get_time_zone(name: str) -> ZoneInfo:
    """Return a time zone.

    Args:
        name: Its IANA name, such as ``Europe/Berlin`` or ``UTC``.

    Raises:
        TimeZoneError: There is none of that name.
    """
    # The name becomes a path in the folders of the system's time zones, so nothing but a name gets there.
    if len(name) <= MAX_NAME and _NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            pass
    known = available_timezones()
    if not known:
        raise TimeZoneError(
            "this system has no time zones: install the package 'tzdata' of the system or of Python"
        )
    lower = {item.lower(): item for item in known}
    cities = {item.rpartition("/")[2]: item for item in sorted(lower)}
    wanted = name[:MAX_NAME].lower().replace(" ", "_")
    close = difflib.get_close_matches(wanted, [*lower, *cities], n=1, cutoff=0.6)
    hint = (
        f"did you mean {lower[cities.get(close[0], close[0])]!r}?"
        if close
        else "write an IANA name such as 'Europe/Berlin' or 'UTC'"
    )
    raise TimeZoneError(f"there is no time zone {name[:MAX_NAME]!r}: {hint}")
