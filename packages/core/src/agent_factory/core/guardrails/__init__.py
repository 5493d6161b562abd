"""Guardrails: checks of what goes into a run, what comes out, and what its tools do.

A `Guardrail` can be written by hand; the functions here return those that come with core.
"""

from typing import TYPE_CHECKING

from agent_factory.core.guardrails.guardrail import (
    Guardrail,
    GuardrailContext,
    GuardrailDecision,
    GuardrailMode,
    GuardrailOrigin,
    GuardrailStage,
    Verdict,
)
from agent_factory.core.lazy import create_getattr

if TYPE_CHECKING:
    from agent_factory.core.guardrails.hosts import (
        allow_hosts,
    )
    from agent_factory.core.guardrails.judgement import (
        judge,
    )
    from agent_factory.core.guardrails.length import (
        limit_length,
    )
    from agent_factory.core.guardrails.patterns import (
        match_pattern,
    )
    from agent_factory.core.guardrails.personal_data import (
        PERSONAL_DATA,
        PersonalData,
        detect_personal_data,
    )
    from agent_factory.core.guardrails.redaction import (
        redact_personal_data,
        redact_secrets,
    )
    from agent_factory.core.guardrails.schemas import (
        require_json_schema,
    )
    from agent_factory.core.guardrails.secrets import (
        detect_secrets,
    )
else:
    __getattr__ = create_getattr(
        __name__,
        {
            "hosts": ["allow_hosts"],
            "judgement": ["judge"],
            "length": ["limit_length"],
            "patterns": ["match_pattern"],
            "personal_data": ["PERSONAL_DATA", "PersonalData", "detect_personal_data"],
            "redaction": ["redact_personal_data", "redact_secrets"],
            "schemas": ["require_json_schema"],
            "secrets": ["detect_secrets"],
        },
    )

__all__ = [
    "PERSONAL_DATA",
    "Guardrail",
    "GuardrailContext",
    "GuardrailDecision",
    "GuardrailMode",
    "GuardrailOrigin",
    "GuardrailStage",
    "PersonalData",
    "Verdict",
    "allow_hosts",
    "detect_personal_data",
    "detect_secrets",
    "judge",
    "limit_length",
    "match_pattern",
    "redact_personal_data",
    "redact_secrets",
    "require_json_schema",
]
