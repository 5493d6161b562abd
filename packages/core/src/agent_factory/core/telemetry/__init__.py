"""Spans, metrics and logs of runs, with the names of OpenTelemetry's conventions, through ports.

`agent_factory.core.telemetry.recording` has adapters that keep everything in memory, for tests.
"""

from agent_factory.core.telemetry.ports import (
    Attributes,
    AttributeValue,
    Histogram,
    Log,
    LogLevel,
    LogRecord,
    Meter,
    Span,
    SpanKind,
    Tracer,
)
from agent_factory.core.telemetry.telemetry import Telemetry

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
    "Telemetry",
    "Tracer",
]
