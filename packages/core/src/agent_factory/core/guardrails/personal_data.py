"""The guardrail that finds and removes personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

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

__all__ = ["PERSONAL_DATA", "PersonalData", "detect_personal_data"]

PersonalData: TypeAlias = Literal["email", "phone", "iban", "card", "ip", "ssn"]
"""Personal data that can be found: mail address, telephone number, bank account, payment card, IP address, US SSN."""

PERSONAL_DATA: tuple[PersonalData, ...] = get_args(PersonalData)
"""All kinds of personal data that can be found."""

_Action = Literal["redact", "block", "retry"]


@remember_origin
def detect_personal_data(
    kinds: Iterable[PersonalData] = PERSONAL_DATA,
    *,
    stages: Iterable[GuardrailStage] = ALL_STAGES,
    action: _Action = "redact",
    name: str = "detect_personal_data",
) -> Guardrail:
    """Return a guardrail that lets no personal data pass.

    It knows forms, not meanings: names, street addresses and dates of birth are not found. JSON stays JSON.

    Args:
        kinds: What to look for; at least one.
        stages: What it looks at.
        action: What happens where something is found: ``redact`` puts ``[email]``, ``[phone]`` and so on in its place,
            ``block`` ends the run, ``retry`` sends the model back.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused.
    """
    # What finds things is imported where it is first needed: an import of core must not cost it.
    from agent_factory.core.guardrails._findings import redact
    from agent_factory.core.guardrails._kinds import scan_personal_data

    check_action(name, action, _Action)
    scan = scan_personal_data(kinds)

    def check(text: str, _context: GuardrailContext[object]) -> Verdict:
        result = redact(text, scan, fallback="personal data")
        if not result.found:
            return Verdict.allow()
        reason = f"the text has personal data: {result.describe()}"
        if action == "redact":
            return Verdict.replace(result.text, reason)
        return object_to(action, f"{reason}; leave it out")

    return Guardrail(name, read_stages(name, stages), check)
