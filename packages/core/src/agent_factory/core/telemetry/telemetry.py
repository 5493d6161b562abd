"""The observer that turns runs into telemetry."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    ReasoningReceived,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
)
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.telemetry.conventions import PROVIDERS
from agent_factory.core.telemetry.outlets import Outlets
from agent_factory.core.telemetry.runs import RunTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_factory.core.events import RunEvent
    from agent_factory.core.telemetry.ports import Log, Meter, Tracer

__all__ = ["Telemetry"]


class Telemetry:
    """Turns the events of runs into spans, metrics and log records with the names of OpenTelemetry's conventions.

    It is an observer: give it to a run with ``RunOptions(observers=(telemetry,))``, one for as many runs at a time
    as you like, from any threads. It never raises, whatever its outlets do.

    A run whose ``parent_run_id`` is that of a run under way becomes a child of the tool call of that run that it answers.

    Args:
        tracer: Takes spans.
        meter: Takes metrics.
        log: Takes log records.
        content: Whether prompts, answers, arguments, results, reasons, error texts and names of approvers are
            recorded. They may hold secrets and personal data; without this, none of them goes anywhere.
        providers: Names of providers by what the names of your models begin with, where they are not those that
            OpenTelemetry has for it.
        max_runs: How many runs under way are remembered; at least 1. With one more, that which was silent longest is
            taken as abandoned.

    Raises:
        ConfigurationError: There is no outlet, or `max_runs` is out of its range.
    """

    def __init__(
        self,
        tracer: Tracer | None = None,
        meter: Meter | None = None,
        log: Log | None = None,
        *,
        content: bool = False,
        providers: Mapping[str, str] | None = None,
        max_runs: int = 1000,
    ) -> None:
        if tracer is None and meter is None and log is None:
            raise ConfigurationError(
                "a telemetry needs a tracer, a meter or a log: without any of them, leave it out"
            )
        if max_runs < 1:
            raise ConfigurationError(
                f"Telemetry(max_runs=...) must be at least 1, not {max_runs!r}"
            )
        self._outlets = Outlets(tracer, meter, log)
        self._content = content
        self._providers = {**PROVIDERS, **(providers or {})}
        self._max_runs = max_runs
        self._runs: OrderedDict[str, RunTelemetry] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, event: RunEvent[Any]) -> None:
        """Take an event of a run.

        Args:
            event: The event.
        """
        self._outlets.attempt(self._observe, "", event)

    @property
    def failures(self) -> int:
        """How often an outlet failed. The first failure is told to the log, without its text."""
        return self._outlets.failures

    def for_conversation(self, conversation: str) -> Callable[[RunEvent[Any]], None]:
        """Return an observer that does the same, and says which conversation its runs belong to.

        Args:
            conversation: Identifier of the conversation; no content.
        """

        def observe(event: RunEvent[Any]) -> None:
            self._outlets.attempt(self._observe, conversation, event)

        return observe

    def close(self) -> None:
        """End what is under way as abandoned, before the program ends."""
        with self._lock:
            runs = list(self._runs.values())
            self._runs.clear()
        for run in runs:
            self._outlets.attempt(run.abandon)

    def _observe(self, conversation: str, event: RunEvent[Any]) -> None:
        if isinstance(event, (TextReceived, ReasoningReceived)) and not self._content:
            return
        if isinstance(event, RunStarted):
            self._begin(conversation, event)
            return
        is_last = isinstance(event, (RunFinished, RunFailed))
        with self._lock:
            run = self._runs.pop(event.run_id, None)
            if run is not None and not is_last:
                self._runs[event.run_id] = run
        if run is not None:
            run.observe(event)

    def _begin(self, conversation: str, event: RunStarted) -> None:
        with self._lock:
            parent = self._runs.get(event.parent_run_id)
        run = RunTelemetry(
            event,
            self._outlets,
            providers=self._providers,
            content=self._content,
            conversation=conversation,
            parent=(None if parent is None else parent.operations.find_span(event.parent_call_id)),
        )
        with self._lock:
            abandoned = [self._runs.pop(event.run_id, None)]
            self._runs[event.run_id] = run
            if len(self._runs) > self._max_runs:
                abandoned.append(self._runs.popitem(last=False)[1])
        for other in abandoned:
            if other is not None:
                self._outlets.attempt(other.abandon)
