"""The limits of a run."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from agent_factory.core.blueprints.schema.base import Money, Section, parse_money
from agent_factory.core.usage import DEFAULT_LIMITS, Limits

__all__ = ["LimitsSection"]


class LimitsSection(Section):
    """What one run may use at most; what is left out has its default."""

    max_requests: int = Field(
        DEFAULT_LIMITS.max_requests, ge=1, le=1000, description="Model calls."
    )
    max_tool_calls: int = Field(
        DEFAULT_LIMITS.max_tool_calls, ge=0, le=10_000, description="Tool calls; 0 forbids them."
    )
    max_output_retries: int = Field(
        DEFAULT_LIMITS.max_output_retries,
        ge=0,
        le=20,
        description="How often the model may correct an answer that does not fit its schema.",
    )
    timeout: float = Field(
        DEFAULT_LIMITS.timeout, gt=0, le=86_400, description="Seconds for the whole run."
    )
    max_tokens: int | None = Field(
        None, ge=1, description="Tokens that all model calls together may read and write."
    )
    max_cost: Money | None = Field(
        None, description="What all model calls together may cost, within permissions.spend."
    )
    max_output_tokens: int | None = Field(
        None, ge=1, description="Tokens that one model call may write."
    )
    max_parallel_tools: int = Field(
        DEFAULT_LIMITS.max_parallel_tools,
        ge=1,
        le=64,
        description="Tool calls that run at the same time.",
    )
    approval_timeout: float = Field(
        DEFAULT_LIMITS.approval_timeout,
        gt=0,
        le=604_800,
        description="Seconds that a person has to decide on a tool call.",
    )

    def create_limits(self, base: Limits = DEFAULT_LIMITS) -> Limits:
        """Return the limits.

        Args:
            base: What holds where this section says nothing.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if given.get("max_cost") is not None:
            given["max_cost"] = parse_money(given["max_cost"])
        return replace(base, **given)
