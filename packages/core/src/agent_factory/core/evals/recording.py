"""Seeing from the events of a run which tools were called, and what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.observations import ObservedCall
from agent_factory.core.evals.values import NO_JSON, read_json
from agent_factory.core.events import (
    ModelAnswered,
    ModelRequested,
    ToolFinished,
    ToolStarted,
)
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.core.events import RunEvent
    from agent_factory.core.messages import ToolCall, ToolOutcome

__all__ = ["RunRecorder"]


class RunRecorder:
    """Watches runs, those of agents within them included: an observer for ``RunOptions(observers=(recorder,))``.

    One recorder sees one attempt, which may be several runs, as in a workflow with several agents.
    """

    __slots__ = ("_answered", "_answers", "_calls", "_open", "_requested", "_tool_calls")

    def __init__(self) -> None:
        self._calls: list[tuple[ToolCall, ToolOutcome | None]] = []
        self._open: dict[tuple[str, str], int] = {}
        self._answered = Usage()
        self._answers = 0
        self._requested = 0
        self._tool_calls = 0

    def __call__(self, event: RunEvent[Any]) -> None:
        """Take note of an event.

        Args:
            event: What happened.
        """
        if isinstance(event, ToolStarted):
            self._open[event.run_id, event.call.id] = len(self._calls)
            self._calls.append((event.call, None))
            self._tool_calls += 1
        elif isinstance(event, ToolFinished):
            place = self._open.pop((event.run_id, event.call.id), None)
            if place is None:  # refused before it began
                self._calls.append((event.call, event.outcome))
            else:
                self._calls[place] = (event.call, event.outcome)
        elif isinstance(event, ModelRequested):
            self._requested += 1
        elif isinstance(event, ModelAnswered):
            self._answers += 1
            self._answered += event.usage

    @property
    def tool_calls(self) -> tuple[ObservedCall, ...]:
        """The tool calls that models asked for, in the order in which they began or were refused."""
        return tuple(
            ObservedCall(call.name, _read_arguments(call.arguments), outcome)
            for call, outcome in self._calls
        )

    @property
    def usage(self) -> Usage:
        """What was used so far. The cost is not known where a model call had no answer."""
        unanswered = self._requested - self._answers
        seen = Usage(
            requests=unanswered,
            tool_calls=self._tool_calls,
            cost=None if unanswered else 0,
        )
        return self._answered + seen


def _read_arguments(text: str) -> Any:
    data = read_json(text or "{}")
    return text if data is NO_JSON else data
