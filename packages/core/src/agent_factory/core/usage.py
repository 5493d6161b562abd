"""What a run may use, and what it used."""

from __future__ import annotations

from dataclasses import dataclass

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration

__all__ = ["DEFAULT_LIMITS", "Limits", "Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model call or a whole run used.

    Attributes:
        requests: Model calls made.
        input_tokens: Tokens read by the model.
        output_tokens: Tokens written by the model.
        tool_calls: Tool calls carried out, failed ones included.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of both, field by field."""
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.tool_calls + other.tool_calls,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use at most. Every limit is finite.

    Attributes:
        max_requests: Model calls; at least 1.
        max_tool_calls: Tool calls; 0 forbids them.
        max_output_retries: How often the model may correct an answer that does not fit the output type.
        timeout: Seconds for the whole run; greater than 0.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    max_requests: int = 20
    max_tool_calls: int = 50
    max_output_retries: int = 2
    timeout: float = 300.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, least in (("max_requests", 1), ("max_tool_calls", 0), ("max_output_retries", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigurationError(
                    f"Limits.{name} must be a whole number of at least {least}, not {value!r}"
                )
        if not is_duration(self.timeout):
            raise ConfigurationError(
                f"Limits.timeout must be a finite number of seconds above 0, not {self.timeout!r}"
            )


DEFAULT_LIMITS = Limits()
"""The limits of an agent that was given none."""
