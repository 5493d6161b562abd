from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.telemetry import LogRecord, Meter, Span, Telemetry, Tracer
from agent_factory.core.telemetry.recording import (
    RecordingMeter,
    RecordingTracer,
)
from tests.core.records.run_events import create_run
from tests.core.telemetry.watching import (
    DONE,
    FAILED,
    SECRET,
    STARTED,
    WHOLE,
    every_event,
)

if TYPE_CHECKING:

    from agent_factory.core.telemetry import Attributes


class BrokenTracer:
    """Fails wherever it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def start_span(self, name: str, **_: Any) -> Span:
        self.fail("start_span")
        return self

    def set_attributes(self, attributes: Attributes) -> None:
        self.fail("set_attributes")

    def add_event(self, name: str, attributes: Attributes, *, time: int) -> None:
        self.fail("add_event")

    def set_error(self, description: str) -> None:
        self.fail("set_error")

    def end(self, *, time: int) -> None:
        self.fail("end")

    def fail(self, where: str) -> None:
        if where == self.where:
            raise ValueError(SECRET)


@pytest.mark.parametrize("where", ["start_span", "set_attributes", "add_event", "set_error", "end"])
def test_failing_tracer_harms_neither_the_run_nor_the_metrics(where: str) -> None:
    meter, records = RecordingMeter(), list[LogRecord]()
    telemetry = Telemetry(BrokenTracer(where), meter, records.append)

    for event in [*every_event("said"), *create_run(STARTED, FAILED, run_id="run-2")]:
        telemetry(event)

    assert telemetry.failures > 0
    assert len(meter.histograms["gen_ai.invoke_agent.duration"].measurements) == 2
    reports = [record for record in records if record.name == "agent_factory.telemetry.failed"]
    assert [record.attributes for record in reports] == [{"error.type": "ValueError"}]


def test_failing_meter_and_log_harm_nothing_else() -> None:
    tracer = RecordingTracer()

    class BrokenMeter:
        def create_histogram(self, name: str, **_: Any) -> BrokenMeter:
            return self

        def record(self, value: float, attributes: Attributes) -> None:
            raise ValueError("full")

    def log(record: LogRecord) -> None:
        raise OSError("closed")

    telemetry = Telemetry(tracer, BrokenMeter(), log)

    for event in create_run(*WHOLE):
        telemetry(event)

    assert len(tracer.spans) == 4
    assert all(span.end_time for span in tracer.spans)
    assert telemetry.failures > 2


def test_event_that_cannot_be_understood_is_counted_and_never_raised() -> None:
    records = list[LogRecord]()
    telemetry = Telemetry(log=records.append)
    first, second = create_run(STARTED, DONE)

    telemetry(first)
    telemetry(replace(second, time=datetime(2026, 1, 31)))  # noqa: DTZ001

    assert telemetry.failures == 1
    assert records[-1].name == "agent_factory.telemetry.failed"


def test_telemetry_without_an_outlet_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a tracer, a meter or a log"):
        Telemetry()


def test_recorders_fit_the_ports() -> None:
    span = RecordingTracer().start_span("x", kind="internal", attributes={}, time=0, parent=None)

    assert isinstance(RecordingTracer(), Tracer)
    assert isinstance(span, Span)
    assert isinstance(RecordingMeter(), Meter)
