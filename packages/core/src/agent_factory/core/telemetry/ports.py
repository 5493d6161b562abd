"""The ports through which telemetry leaves the process, shaped so that an adapter for OpenTelemetry is a few lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AttributeValue",
    "Attributes",
    "Histogram",
    "Log",
    "LogLevel",
    "LogRecord",
    "Meter",
    "Span",
    "SpanKind",
    "Tracer",
]

AttributeValue: TypeAlias = str | bool | int | float | tuple[str, ...]
"""What an attribute can be."""

Attributes: TypeAlias = Mapping[str, AttributeValue]
"""Attributes by their names."""

SpanKind: TypeAlias = Literal["internal", "client"]
"""Whether an operation stays in the process or asks another one."""

LogLevel: TypeAlias = Literal["info", "warning", "error"]
"""How much a log record matters."""


@runtime_checkable
class Span(Protocol):
    """An operation that began, and will end. All times are nanoseconds since 1970 in UTC."""

    def set_attributes(self, attributes: Attributes) -> None:
        """Add attributes, or replace those of the same name.

        Args:
            attributes: The attributes.
        """
        ...

    def add_event(self, name: str, attributes: Attributes, *, time: int) -> None:
        """Note something that happened within the operation.

        Args:
            name: What happened.
            attributes: More about it.
            time: When.
        """
        ...

    def set_error(self, description: str) -> None:
        """Say that the operation failed.

        Args:
            description: Why, for people; empty unless content is recorded.
        """
        ...

    def end(self, *, time: int) -> None:
        """End the operation. Nothing is called afterwards.

        Args:
            time: When it ended.
        """
        ...


@runtime_checkable
class Tracer(Protocol):
    """Starts spans. Safe to use by many runs at a time, and from several threads."""

    def start_span(
        self, name: str, *, kind: SpanKind, attributes: Attributes, time: int, parent: Span | None
    ) -> Span:
        """Return a new span that has started.

        Args:
            name: Name of the span.
            kind: Where the operation takes place.
            attributes: What is known of the operation from the start, for sampling.
            time: When it began, in nanoseconds since 1970 in UTC.
            parent: A span that this tracer started; None leaves the parent to the tracer, such as the span that is
                current where the agent was called.
        """
        ...


@runtime_checkable
class Histogram(Protocol):
    """Takes the values of one metric. Safe to use by many runs at a time, and from several threads."""

    def record(self, value: float, attributes: Attributes) -> None:
        """Take a value.

        Args:
            value: What was measured, in the unit of the metric.
            attributes: What it was measured of.
        """
        ...


@runtime_checkable
class Meter(Protocol):
    """Makes histograms, each once."""

    def create_histogram(
        self, name: str, *, unit: str, description: str, boundaries: Sequence[float]
    ) -> Histogram:
        """Return the histogram of a metric.

        Args:
            name: Name of the metric.
            unit: Its unit, as UCUM writes it.
            description: What it measures.
            boundaries: Upper bounds of the buckets that suit it.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogRecord:
    """Something that happened, for a log.

    Attributes:
        name: What happened, such as ``agent_factory.run.failed``.
        level: How much it matters.
        time: When, in nanoseconds since 1970 in UTC.
        attributes: More about it.
        span: The span that it belongs to, if there is one.
    """

    name: str
    level: LogLevel
    time: int
    attributes: Attributes
    span: Span | None = None


Log: TypeAlias = Callable[[LogRecord], None]
"""Takes log records. Safe to call by many runs at a time, and from several threads."""
