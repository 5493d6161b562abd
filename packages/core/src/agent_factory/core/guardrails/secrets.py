"""The guardrail that finds and removes secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agent_factory.core.guardrails._options import (
    ALL_STAGES,
    check_action,
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

__all__ = ["detect_secrets"]

_Action = Literal["redact", "block", "retry"]


@remember_origin
def detect_secrets(
    *,
    stages: Iterable[GuardrailStage] = ALL_STAGES,
    action: _Action = "redact",
    name: str = "detect_secrets",
) -> Guardrail:
    """Return a guardrail that lets no secrets pass.

    It knows the forms of common tokens, private keys, passwords in URLs, and values that are called a password, a key, a token
    or the like. It cannot know a secret that has no such form or name. JSON stays JSON.

    Args:
        stages: What it looks at.
        action: What happens where something is found: ``redact`` puts ``[secret]`` in its place, ``block`` ends the run,
            ``retry`` sends the model back.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused.
    """
    # What finds things is imported where it is first needed: an import of core must not cost it.
    from agent_factory.core.guardrails._findings import redact
    from agent_factory.core.guardrails._tokens import scan_secrets

    check_action(name, action, _Action)

    def check(text: str, _context: GuardrailContext[object]) -> Verdict:
        result = redact(text, scan_secrets, fallback="secret")
        if not result.found:
            return Verdict.allow()
        reason = f"the text has secrets: {result.describe()}"
        if action == "redact":
            return Verdict.replace(result.text, reason)
        return object_to(action, f"{reason}; leave them out")

    return Guardrail(name, read_stages(name, stages), check)
