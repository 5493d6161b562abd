"""The guardrail that limits how long a text may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails._options import (
    check_action,
    check_size,
    object_to,
    read_stages,
)
from agent_factory.core.guardrails._origins import remember_origin
from agent_factory.core.guardrails.guardrail import (
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["limit_length"]

_Action = Literal["block", "retry", "truncate"]


@remember_origin
def limit_length(
    max_chars: int,
    *,
    stages: Iterable[GuardrailStage] = ("input", "output"),
    action: _Action = "block",
    name: str = "limit_length",
) -> Guardrail:
    """Return a guardrail that lets no text pass that is too long.

    Args:
        max_chars: Characters that a text may have at most; 1 or more.
        stages: What it looks at.
        action: What happens to a longer text: ``block`` ends the run, ``retry`` sends the model back, ``truncate`` keeps the
            first `max_chars` characters.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused; also ``truncate`` for tool calls, whose arguments would not be JSON any more.
    """
    check_action(name, action, _Action)
    check_size(name, "max_chars", max_chars)
    looked_at = read_stages(name, stages)
    if action == "truncate" and "tool_call" in looked_at:
        raise ConfigurationError(
            f"guardrail {name!r}: the arguments of a tool call cannot be truncated, since they would not be JSON "
            "any more: use action 'block' or 'retry' for the stage 'tool_call'"
        )

    def check(text: str, _context: GuardrailContext[object]) -> Verdict:
        if len(text) <= max_chars:
            return Verdict.allow()
        reason = f"the text has {len(text)} characters, and {max_chars} are allowed"
        if action == "truncate":
            return Verdict.replace(text[:max_chars], f"{reason}: the rest was cut off")
        return object_to(action, f"{reason}: make it shorter")

    return Guardrail(name, looked_at, check)
