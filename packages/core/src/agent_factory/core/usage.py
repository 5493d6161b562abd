"""What a run may use, and what it used."""

from __future__ import annotations

from dataclasses import dataclass

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration

__all__ = ["DEFAULT_LIMITS", "DEFAULT_OUTPUT_TOKENS", "UNBOUNDED", "Limits", "Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model call or a whole run used.

    Attributes:
        requests: Model calls made.
        input_tokens: Tokens read by the model.
        output_tokens: Tokens written by the model, its thoughts included.
        tool_calls: Tool calls carried out, failed ones included.
        cached_input_tokens: Those of the input tokens that the provider had read before.
        reasoning_tokens: Those of the output tokens that were thoughts.
        cost: What it cost, in millionths of the unit of the price table's currency; None if that is not known.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    cost: int | None = 0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of both, field by field; a sum with an unknown cost has an unknown cost."""
        unknown = self.cost is None or other.cost is None
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.tool_calls + other.tool_calls,
            self.cached_input_tokens + other.cached_input_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            None if unknown else (self.cost or 0) + (other.cost or 0),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use at most. What runs and what waits is always finite.

    Attributes:
        max_requests: Model calls, attempts that may have to be paid for included; at least 1.
        max_tool_calls: Tool calls; 0 forbids them.
        max_output_retries: How often the model may correct an answer that does not fit the output type, or that
            a guardrail sends back.
        timeout: Seconds for the whole run; greater than 0.
        max_tokens: Tokens that all model calls together may read and write, or None for no bound of its own.
        max_cost: What all model calls together may cost, in millionths of the unit of the price table's currency,
            or None for no bound of its own. A model without a price is then not called.
        max_output_tokens: Tokens that one model call may write, or None to leave it to the model. Where a bound
            on tokens or cost has to be held and this is None, it is `DEFAULT_OUTPUT_TOKENS`.
        max_parallel_tools: Tool calls that run at the same time; at least 1.
        approval_timeout: Seconds that a person has to decide on a tool call; greater than 0. The run's own time
            stands still meanwhile.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    max_requests: int = 20
    max_tool_calls: int = 50
    max_output_retries: int = 2
    timeout: float = 300.0
    max_tokens: int | None = None
    max_cost: int | None = None
    max_output_tokens: int | None = None
    max_parallel_tools: int = 8
    approval_timeout: float = 3600.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, least in (
            ("max_requests", 1),
            ("max_tool_calls", 0),
            ("max_output_retries", 0),
            ("max_tokens", 1),
            ("max_cost", 0),
            ("max_output_tokens", 1),
            ("max_parallel_tools", 1),
        ):
            value = getattr(self, name)
            if value is None and name in ("max_tokens", "max_cost", "max_output_tokens"):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigurationError(
                    f"Limits.{name} must be a whole number of at least {least}, not {value!r}"
                )
        for name in ("timeout", "approval_timeout"):
            value = getattr(self, name)
            if not is_duration(value):
                raise ConfigurationError(
                    f"Limits.{name} must be a finite number of seconds above 0, not {value!r}"
                )


UNBOUNDED = 2**62
"""What a field of a `Usage` has where it tells how much is left and nothing bounds it."""

DEFAULT_LIMITS = Limits()
"""The limits of an agent that was given none."""

DEFAULT_OUTPUT_TOKENS = 4096
"""Tokens that one model call may write where a bound has to be held and the agent names none."""
