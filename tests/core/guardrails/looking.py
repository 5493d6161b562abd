"""Looks with a guardrail as a run would."""

from __future__ import annotations

import asyncio
import inspect

from agent_factory.core.guardrails.guardrail import (
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    Verdict,
)

__all__ = ["look"]


def look(guardrail: Guardrail, text: str, stage: GuardrailStage | None = None) -> Verdict:
    """Return the verdict of a guardrail on a text.

    Args:
        guardrail: The guardrail.
        text: The text.
        stage: What the text is; one of the guardrail's stages if None.
    """
    stage = stage or sorted(guardrail.stages)[0]
    assert stage in guardrail.stages
    context: GuardrailContext[object] = GuardrailContext(stage, None, "tester", "run-1")

    async def check() -> Verdict:
        verdict = guardrail.check(text, context)
        return await verdict if inspect.isawaitable(verdict) else verdict

    return asyncio.run(check())
