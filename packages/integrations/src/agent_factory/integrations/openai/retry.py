"""When a call is repeated, and after how long."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from agent_factory.core.waiting import is_duration
from agent_factory.integrations.exceptions import IntegrationConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.exceptions import ModelError

__all__ = ["RetryPolicy", "read_retry_after"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a client repeats calls that failed for a passing reason.

    The request's own timeout bounds all attempts and pauses together. A call whose connection broke is repeated although
    the server may have carried it out: it changes nothing there, but may cost twice. An answer is never asked for again
    once a piece of it has been given out.

    Attributes:
        max_retries: How often a call is repeated; 0 for never.
        first_delay: Seconds before the first repetition; it doubles for each further one. A random part of up to
            half is taken off, so that many clients do not come back at the same moment.
        max_delay: Seconds that a pause takes at most, unless the server asks for a longer one.
        attempt_timeout: Seconds after which one attempt is given up and repeated, greater than 0; None for no bound
            of its own. A whole answer has to be there by then, a streamed one has to have begun.

    Raises:
        IntegrationConfigurationError: A value is out of its range.
    """

    max_retries: int = 2
    first_delay: float = 0.5
    max_delay: float = 8.0
    attempt_timeout: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        retries = self.max_retries
        if type(retries) is not int or retries < 0:
            raise IntegrationConfigurationError(
                f"RetryPolicy.max_retries must be a whole number of at least 0, not {retries!r}"
            )
        for name in ("first_delay", "max_delay"):
            value = getattr(self, name)
            if isinstance(value, bool) or not (value >= 0 and math.isfinite(value)):
                raise IntegrationConfigurationError(
                    f"RetryPolicy.{name} must be a finite number of seconds of at least 0, "
                    f"not {value!r}"
                )
        longest = self.attempt_timeout
        if longest is not None and not is_duration(longest):
            raise IntegrationConfigurationError(
                "RetryPolicy.attempt_timeout must be None or a finite number of seconds above 0, "
                f"not {longest!r}"
            )

    def pause(self, error: ModelError, retries: int) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is to be none.

        Args:
            error: Why the last attempt failed.
            retries: Repetitions made so far.
        """
        if not error.retryable or retries >= self.max_retries:
            return None
        if error.retry_after is not None:
            return error.retry_after
        # The exponent is bounded because 2.0**1024 overflows.
        longest = min(self.max_delay, self.first_delay * 2.0 ** min(retries, 64))
        # Not security: it only spreads clients out.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # nosec B311


def read_retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the seconds that a server asks to wait, or None if it says nothing that can be understood.

    Args:
        headers: Headers of the answer, with case-insensitive lookup.
        now: The time that dates are compared with, aware; the current time if None.
    """
    for name, unit in (("Retry-After-Ms", 1000.0), ("Retry-After", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if seconds >= 0 and math.isfinite(seconds):
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("Retry-After", ""))
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        # "-0000", or no zone at all: HTTP dates are in UTC.
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
