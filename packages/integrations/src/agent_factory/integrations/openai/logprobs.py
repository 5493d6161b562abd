"""Reads how likely a model held the tokens of its answer; both protocols write that alike."""

from __future__ import annotations

import math
from typing import Any, Final

from agent_factory.core.models import TokenLogprob
from agent_factory.integrations.openai.fields import (
    ProtocolError,
    as_list,
    as_object,
    as_text,
    shown,
)

__all__ = ["read_logprobs"]

_UNLIKELY: Final = -9999.0
"""What OpenAI gives for a token that is as good as impossible; other servers give null or minus infinity."""


def read_logprobs(items: object, where: str) -> list[TokenLogprob]:
    """Return the tokens of a list that may be missing.

    Args:
        items: The list, or None.
        where: Where it stands, for messages.

    Raises:
        ProtocolError: A field is not what the protocol says.
    """
    if items is None:
        return []
    tokens = []
    for position, value in enumerate(as_list(items, where)):
        place = f"{where}[{position}]"
        item = as_object(value, place)
        others = as_list(item.get("top_logprobs") or [], f"{place}.top_logprobs")
        top = [as_object(other, f"{place}.top_logprobs[]") for other in others]
        tokens.append(
            TokenLogprob(
                as_text(item.get("token"), f"{place}.token"),
                _read_number(item, place),
                tuple(
                    (
                        as_text(other.get("token"), f"{place}.top_logprobs[].token"),
                        _read_number(other, f"{place}.top_logprobs[]"),
                    )
                    for other in top
                ),
            )
        )
    return tokens


def _read_number(item: dict[str, Any], where: str) -> float:
    value = item.get("logprob")
    if value is None or value == -math.inf:
        return _UNLIKELY
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ProtocolError(f"'{where}.logprob' is {shown(value)} instead of a number")
    # Servers that round give a little more than 0 for a certain token.
    return min(float(value), 0.0)
