"""How the memory policies of core were made, so that they can be written down in a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from agent_factory.core.memory.ports import MemoryPolicy

__all__ = ["MemoryOrigin", "find_memory_origins"]


@dataclass(frozen=True, slots=True)
class MemoryOrigin:
    """How a policy was made.

    Attributes:
        use: The function of core that made it.
        options: What it was given, by the names of its arguments; what has its default is left out.
    """

    use: Literal["keep_last", "keep_window", "summarise"]
    options: Mapping[str, Any] = field(default_factory=dict)


def find_memory_origins(policy: MemoryPolicy) -> tuple[MemoryOrigin, ...] | None:
    """Return how a policy was made; of what `compose` made, each part in its order. None for one of somebody else.

    Args:
        policy: The policy.
    """
    parts = getattr(policy, "policies", None)
    if isinstance(parts, tuple):
        found = [find_memory_origins(part) for part in parts]
        known = [item for item in found if item is not None]
        return tuple(sum(known, ())) if len(known) == len(found) else None
    origin = getattr(policy, "origin", None)
    return (origin,) if isinstance(origin, MemoryOrigin) else None
