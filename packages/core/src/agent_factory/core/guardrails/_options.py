"""What the guardrails of core check in their options, and the verdicts that they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.guardrail import GuardrailStage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ALL_STAGES", "check_action", "check_size", "object_to", "read_stages"]

ALL_STAGES: tuple[GuardrailStage, ...] = get_args(GuardrailStage)


def read_stages(name: str, stages: Iterable[GuardrailStage]) -> frozenset[GuardrailStage]:
    """Return the stages of a guardrail as a set.

    Args:
        name: Name of the guardrail, for the message.
        stages: The stages as given.

    Raises:
        ConfigurationError: They are a single text, which would be read letter by letter, or nothing to go through.
    """
    given: Any = stages
    if isinstance(given, str):
        raise ConfigurationError(
            f"guardrail {name!r}: stages must be several, not the text {given!r}: write ({given!r},)"
        )
    try:
        return frozenset(given)
    except TypeError:
        raise ConfigurationError(
            f"guardrail {name!r}: stages must be a collection of {', '.join(ALL_STAGES)}, not {given!r}"
        ) from None


def check_action(name: str, action: str, known: object) -> None:
    """Refuse an action that the guardrail does not know.

    Args:
        name: Name of the guardrail, for the message.
        action: The action as given.
        known: The literal type of the actions that it knows.

    Raises:
        ConfigurationError: It is none of them.
    """
    if action not in get_args(known):
        raise ConfigurationError(
            f"guardrail {name!r}: action must be one of {', '.join(get_args(known))}, not {action!r}"
        )


def check_size(name: str, option: str, value: int) -> None:
    """Refuse a number of characters that is no whole number above 0.

    Args:
        name: Name of the guardrail, for the message.
        option: Name of the option, for the message.
        value: The number as given.

    Raises:
        ConfigurationError: It is none.
    """
    given: Any = value
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(
            f"guardrail {name!r}: {option} must be a whole number above 0, not {given!r}"
        )


def object_to(action: str, reason: str) -> Verdict:
    """Return the verdict on a text that may not pass.

    Args:
        action: ``retry`` to send the model back; anything else blocks.
        reason: Why.
    """
    return Verdict.retry(reason) if action == "retry" else Verdict.block(reason)
