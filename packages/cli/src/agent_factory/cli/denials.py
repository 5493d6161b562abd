"""What a blueprint asks beyond its permissions is refused by the core; here is who hears of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent_factory.cli.text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_factory.core.permissions import Denial

__all__ = ["Denials", "describe_denial", "render_denial"]


class Denials:
    """Tells of each refusal, as long as somebody listens. It may be called from any thread.

    Before a run begins nobody does: what is refused while a blueprint is put together is among its problems.
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[Denial], None], ...] = ()

    def __call__(self, denial: Denial) -> None:
        """Tell of a refusal.

        Args:
            denial: What was refused.
        """
        for listener in self._listeners:
            listener(denial)

    @contextmanager
    def told_to(self, listener: Callable[[Denial], None]) -> Iterator[None]:
        """Let somebody listen within the block.

        Args:
            listener: Told of each refusal; quick, and raising nothing.
        """
        before = self._listeners
        self._listeners = (*before, listener)
        try:
            yield
        finally:
            self._listeners = before


def describe_denial(denial: Denial) -> dict[str, Any]:
    """Return a refusal as one line of JSON has it.

    Args:
        denial: What was refused.
    """
    return {
        "type": "denied",
        "kind": denial.kind,
        "target": denial.target,
        "reason": denial.reason,
    }


def render_denial(denial: Denial) -> str:
    """Return a refusal as one clean line for people.

    Args:
        denial: What was refused.
    """
    return f"refused {denial.kind}: '{shorten(denial.target, 120)}': {shorten(denial.reason, 200)}"
