"""Where telemetry goes, with every failure on the way caught: a run must not fail because of who watches it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from agent_factory.core.telemetry.conventions import METRICS
from agent_factory.core.telemetry.ports import LogRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.telemetry.conventions import Metric
    from agent_factory.core.telemetry.ports import Attributes, Log, Meter, Span, SpanKind, Tracer

__all__ = ["Operation", "Outlets"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that takes time and is under way, whether there is a tracer or not.

    Attributes:
        span: The tracer's span, if there is one.
        time: When it began, in nanoseconds since 1970 in UTC.
        metric: What its duration counts for.
        measured: The attributes of what is measured of it.
    """

    span: Span | None
    time: int
    metric: Metric
    measured: Attributes = field(default_factory=dict)


class Outlets:
    """A tracer, a meter and a log, of which any may be missing and none can do harm.

    Args:
        tracer: Takes spans.
        meter: Takes metrics. It makes its histograms at once; what it raises then is raised here.
        log: Takes log records.
    """

    def __init__(self, tracer: Tracer | None, meter: Meter | None, log: Log | None) -> None:
        self._tracer = tracer
        self._log = log
        self._lock = threading.Lock()
        self._failures = 0
        self._histograms = (
            {}
            if meter is None
            else {
                metric.name: meter.create_histogram(
                    metric.name,
                    unit=metric.unit,
                    description=metric.description,
                    boundaries=metric.boundaries,
                )
                for metric in METRICS
            }
        )

    @property
    def failures(self) -> int:
        """How many calls failed so far."""
        return self._failures

    def attempt(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what a function returns, or None where it raises; the first failure is logged.

        Args:
            function: Anything that may raise.
            *args: Its arguments.
            **kwargs: Its arguments.
        """
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever an adapter raises
            self._count(error)
            return None

    def open(
        self,
        name: str,
        metric: Metric,
        *,
        time: int,
        measured: Attributes,
        attributes: Attributes,
        kind: SpanKind = "internal",
        parent: Span | None = None,
    ) -> Operation:
        """Begin an operation.

        Args:
            name: Name of its span.
            metric: What its duration counts for.
            time: When it began.
            measured: The attributes of what is measured of it.
            attributes: The attributes of its span.
            kind: Where it takes place.
            parent: The span around it.
        """
        span = None
        if self._tracer is not None:
            span = self.attempt(
                self._tracer.start_span,
                name,
                kind=kind,
                attributes=attributes,
                time=time,
                parent=parent,
            )
        return Operation(span, time, metric, measured)

    def close(
        self,
        operation: Operation,
        *,
        time: int,
        measured: Attributes,
        attributes: Attributes,
        error: str = "",
        description: str = "",
    ) -> None:
        """End an operation.

        Args:
            operation: The operation.
            time: When it ended.
            measured: Further attributes of what is measured of it.
            attributes: Further attributes of its span.
            error: What kind of error it ended with; empty if it succeeded.
            description: Why it failed, for people.
        """
        failed = {"error.type": error} if error else {}
        # The clock of the day may have been set back.
        seconds = max(0, time - operation.time) / 1e9
        self.measure(operation.metric, seconds, {**operation.measured, **measured, **failed})
        span = operation.span
        if span is not None:
            self.attempt(span.set_attributes, {**attributes, **failed})
            if error:
                self.attempt(span.set_error, description)
            self.attempt(span.end, time=time)

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Give a value to a metric, if there is a meter.

        Args:
            metric: The metric.
            value: The value, in the unit of the metric.
            attributes: What it was measured of.
        """
        histogram = self._histograms.get(metric.name)
        if histogram is not None:
            self.attempt(histogram.record, value, attributes)

    def note(self, operation: Operation, name: str, attributes: Attributes, *, time: int) -> None:
        """Note something that happened within an operation, if there is a tracer.

        Args:
            operation: The operation.
            name: What happened.
            attributes: More about it.
            time: When.
        """
        if operation.span is not None:
            self.attempt(operation.span.add_event, name, attributes, time=time)

    def log(self, record: LogRecord) -> None:
        """Give a record to the log, if there is one.

        Args:
            record: The record.
        """
        if self._log is not None:
            self.attempt(self._log, record)

    def _count(self, error: Exception) -> None:
        with self._lock:
            self._failures += 1
            is_first = self._failures == 1
        if is_first:
            # The class and never the text, which may repeat what was being recorded.
            attributes = {"error.type": type(error).__name__}
            self.log(
                LogRecord("agent_factory.telemetry.failed", "warning", time.time_ns(), attributes)
            )
