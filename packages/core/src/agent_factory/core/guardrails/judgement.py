"""The guardrail that asks a model for its judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agent_factory.core.exceptions import (
    ConfigurationError,
    CoreError,
    GuardrailError,
    LimitExceededError,
)
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
    GuardrailMode,
    GuardrailStage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.models import FinishReason, Model

__all__ = ["judge"]

_Action = Literal["block", "retry"]


@remember_origin
def judge(
    model: Model,
    *,
    criteria: str,
    stages: Iterable[GuardrailStage],
    action: _Action = "block",
    name: str = "judge",
    max_chars: int = 20_000,
    timeout: float = 30.0,
    mode: GuardrailMode = "before",
) -> Guardrail:
    """Return a guardrail that asks a model whether a text meets criteria.

    The text stands between two marks that nobody can guess, and the model is told to follow nothing in it. That makes it hard to
    talk the judge round, not impossible: do not let a judge be the only thing between a stranger and something that matters.

    A judge that fails, or whose answer is not a verdict, lets nothing pass: the check raises `GuardrailError`.

    Args:
        model: The judge.
        criteria: What a text must be like to pass, in words for the model; not empty.
        stages: What it looks at.
        action: What happens to a text that fails: ``block`` ends the run, ``retry`` sends the model back with the reason.
        name: Name for people and records.
        max_chars: Characters that a text may have at most; longer ones are blocked without asking.
        timeout: Seconds that the judge may take; finite and greater than 0.
        mode: Whether the agent waits for the verdict on its input, or works meanwhile and holds its answer back.

    Raises:
        ConfigurationError: A value is refused.
    """
    # Imported where it is first needed: an import of core must not cost it.
    from agent_factory.core.guardrails._judging import clean_reason, create_request, read_judgement

    check_action(name, action, _Action)
    check_size(name, "max_chars", max_chars)
    if not criteria.strip():
        raise ConfigurationError(f"guardrail {name!r}: a judge needs criteria that are not empty")

    async def check(text: str, context: GuardrailContext[object]) -> Verdict:
        if len(text) > max_chars:
            return Verdict.block(
                f"the text has {len(text)} characters, and the judge reads no more than {max_chars}"
            )
        ending: FinishReason
        request = create_request(text, criteria, context, timeout)
        try:
            if context.ask is None:
                response = await model.respond(request)
                answer, ending = response.message.text, response.finish_reason
            else:
                # So that the judge's call counts towards the limits and budgets of the run.
                answer = await context.ask(model, request.messages, output=request.output)
                ending = "stop"
        except LimitExceededError:
            raise
        except CoreError as error:
            raise _fail(f"the judge {model.name!r} failed ({error.code})", name, context) from error
        judgement = read_judgement(answer) if ending == "stop" else None
        if judgement is None:
            raise _fail(
                f"the judge {model.name!r} gave no verdict (it ended with {ending!r}): use a model that can answer with JSON "
                "of a given schema",
                name,
                context,
            )
        if judgement.verdict == "pass":
            return Verdict.allow()
        return object_to(action, f"the judge objects: {clean_reason(judgement.reason)}")

    return Guardrail(name, read_stages(name, stages), check, mode=mode, timeout=timeout)


def _fail(message: str, name: str, context: GuardrailContext[object]) -> GuardrailError:
    return GuardrailError(message, guardrail=name, stage=context.stage, tool=context.tool)
