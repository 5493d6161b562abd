"""A tracer and a meter that keep everything in memory, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.telemetry.ports import Attributes, AttributeValue, Span, SpanKind

__all__ = [
    "Measurement",
    "RecordingHistogram",
    "RecordingMeter",
    "RecordingSpan",
    "RecordingTracer",
    "SpanEvent",
]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened within a span.

    Attributes:
        name: What happened.
        attributes: More about it.
        time: When, in nanoseconds since 1970 in UTC.
    """

    name: str
    attributes: Attributes
    time: int


@dataclass(slots=True, eq=False)
class RecordingSpan:
    """A span that keeps what it is told.

    Attributes:
        name: Its name.
        kind: Where the operation takes place.
        attributes: Its attributes.
        start_time: When it began, in nanoseconds since 1970 in UTC.
        parent: The span around it.
        events: What happened within it.
        error: The description of its error; None if it did not fail.
        end_time: When it ended; None while it did not.
    """

    name: str
    kind: SpanKind
    attributes: dict[str, AttributeValue]
    start_time: int
    parent: Span | None = None
    events: list[SpanEvent] = field(default_factory=list)
    error: str | None = None
    end_time: int | None = None

    def set_attributes(self, attributes: Attributes) -> None:
        """Add attributes.

        Args:
            attributes: The attributes.
        """
        self.attributes.update(attributes)

    def add_event(self, name: str, attributes: Attributes, *, time: int) -> None:
        """Keep an event.

        Args:
            name: What happened.
            attributes: More about it.
            time: When.
        """
        self.events.append(SpanEvent(name, dict(attributes), time))

    def set_error(self, description: str) -> None:
        """Keep that the operation failed.

        Args:
            description: Why.
        """
        self.error = description

    def end(self, *, time: int) -> None:
        """Keep when the operation ended.

        Args:
            time: When.
        """
        self.end_time = time


class RecordingTracer:
    """A tracer that keeps its spans.

    Attributes:
        spans: The spans in the order in which they began.
    """

    def __init__(self) -> None:
        self.spans: list[RecordingSpan] = []

    def start_span(
        self, name: str, *, kind: SpanKind, attributes: Attributes, time: int, parent: Span | None
    ) -> RecordingSpan:
        """Return a new span.

        Args:
            name: Its name.
            kind: Where the operation takes place.
            attributes: Its attributes.
            time: When it began.
            parent: The span around it.
        """
        span = RecordingSpan(name, kind, dict(attributes), time, parent)
        self.spans.append(span)
        return span

    def draw(self) -> str:
        """Return the names of the spans and of their events, one a line, each below what is around it."""
        return "\n".join(self._draw(None, ""))

    def _draw(self, parent: RecordingSpan | None, indent: str) -> list[str]:
        lines: list[str] = []
        for span in self.spans:
            if span.parent is parent:
                lines.append(f"{indent}{span.name}")
                lines += [f"{indent}  * {event.name}" for event in span.events]
                lines += self._draw(span, f"{indent}  ")
        return lines


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value of a metric.

    Attributes:
        value: The value, in the unit of the metric.
        attributes: What it was measured of.
    """

    value: float
    attributes: Attributes


@dataclass(frozen=True, slots=True, eq=False)
class RecordingHistogram:
    """A histogram that keeps its values.

    Attributes:
        name: Name of the metric.
        unit: Its unit.
        description: What it measures.
        boundaries: Upper bounds of its buckets.
        measurements: The values in the order in which they came.
    """

    name: str
    unit: str
    description: str
    boundaries: tuple[float, ...]
    measurements: list[Measurement] = field(default_factory=list)

    def record(self, value: float, attributes: Attributes) -> None:
        """Keep a value.

        Args:
            value: The value.
            attributes: What it was measured of.
        """
        self.measurements.append(Measurement(value, dict(attributes)))


class RecordingMeter:
    """A meter that keeps its histograms.

    Attributes:
        histograms: The histograms by the names of their metrics.
    """

    def __init__(self) -> None:
        self.histograms: dict[str, RecordingHistogram] = {}

    def create_histogram(
        self, name: str, *, unit: str, description: str, boundaries: Sequence[float]
    ) -> RecordingHistogram:
        """Return a new histogram.

        Args:
            name: Name of the metric.
            unit: Its unit.
            description: What it measures.
            boundaries: Upper bounds of its buckets.
        """
        histogram = RecordingHistogram(name, unit, description, tuple(boundaries))
        self.histograms[name] = histogram
        return histogram
