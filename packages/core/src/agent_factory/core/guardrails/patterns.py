"""The guardrail that looks for a regular expression."""

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

__all__ = ["match_pattern"]

_Action = Literal["block", "replace", "retry"]


@remember_origin
def match_pattern(
    pattern: str,
    *,
    stages: Iterable[GuardrailStage],
    action: _Action = "block",
    require: bool = False,
    replacement: str = "[removed]",
    max_chars: int = 100_000,
    name: str = "match_pattern",
) -> Guardrail:
    """Return a guardrail that lets no text pass that matches a regular expression, or only text that does.

    The expression is searched for anywhere in the text; in JSON also in each string by itself, so that escapes hide nothing.

    The search takes time in proportion to the text, whatever the two are: its engine knows no look-around and no
    backreferences. To replace, Python's own engine is needed too, which gives no such promise. With ``replace``,
    therefore, every repeat must have an upper bound (``{1,50}`` in place of ``+``), and the expression may match in
    1,000 ways and over 1,000 characters at most. That bounds the work at one place of the text; in the worst case it is
    still a thousand times that of a search.

    Args:
        pattern: The expression, in the syntax that Python and Rust have in common. Flags stand in it, as in ``(?i)yes``.
        stages: What it looks at.
        action: What happens where it objects: ``block`` ends the run, ``replace`` puts `replacement` in place of each match,
            ``retry`` sends the model back.
        require: Whether it objects to what does not match, rather than to what does.
        replacement: What takes the place of a match.
        max_chars: Characters that a text may have at most; to longer ones it objects without looking.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused.
    """
    # What finds things is imported where it is first needed: an import of core must not cost it.
    from agent_factory.core.guardrails._documents import read_strings, rewrite_strings
    from agent_factory.core.guardrails._regex import BoundedPattern, LinearPattern

    check_action(name, action, _Action)
    check_size(name, "max_chars", max_chars)
    linear = LinearPattern(pattern, name=name)
    bounded: BoundedPattern | None = None
    if action == "replace":
        if require:
            raise ConfigurationError(
                f"guardrail {name!r}: what is required but missing cannot be replaced: use action 'block' or 'retry'"
            )
        if linear.search("") or linear.search(replacement):
            raise ConfigurationError(
                f"guardrail {name!r}: the pattern {pattern!r} matches an empty text or the replacement, so that nothing would "
                "be clean after replacing: change one of them"
            )
        bounded = BoundedPattern(pattern, name=name)

    def check(text: str, _context: GuardrailContext[object]) -> Verdict:
        if len(text) > max_chars:
            size = (
                f"the text has {len(text)} characters, and no more than {max_chars} are looked at"
            )
            return object_to("retry" if action == "retry" else "block", size)
        if any(map(linear.search, read_strings(text))) == require:
            return Verdict.allow()
        reason = (
            f"the text {'lacks' if require else 'has'} what the pattern {pattern[:200]!r} matches"
        )
        if bounded is None:
            return object_to(action, reason)
        changed = rewrite_strings(text, lambda part: bounded.replace(part, replacement))
        if any(map(linear.search, read_strings(changed))):
            return Verdict.block(f"{reason}, and it cannot be replaced")
        return Verdict.replace(changed, reason)

    return Guardrail(name, read_stages(name, stages), check)
