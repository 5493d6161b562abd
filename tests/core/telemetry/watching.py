"""Events of a run, with a secret wherever something is said, and a telemetry that keeps all in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent_factory.core.approvals import ApprovalRequest
from agent_factory.core.events import (
    ApprovalDecided,
    ApprovalRequested,
    GuardrailChecked,
    HandedOff,
    ModelAnswered,
    ModelRequested,
    ModelRetried,
    OutputRejected,
    ReasoningReceived,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolRetried,
    ToolStarted,
)
from agent_factory.core.exceptions import ModelRateLimitError
from agent_factory.core.messages import (
    AssistantMessage,
    Reasoning,
    SystemMessage,
    ToolCall,
    UserMessage,
)
from agent_factory.core.result import RunResult
from agent_factory.core.telemetry import LogRecord, Telemetry
from agent_factory.core.telemetry.recording import (
    Measurement,
    RecordingMeter,
    RecordingSpan,
    RecordingTracer,
)
from agent_factory.core.usage import Usage
from tests.core.records.run_events import START, create_run

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = [
    "ANSWERING",
    "ASKING",
    "AT",
    "BEGIN",
    "BEGUN",
    "CALL",
    "CALLING",
    "DONE",
    "ENDED",
    "EPOCH",
    "FAILED",
    "OTHER",
    "REQUEST",
    "SECOND",
    "SECRET",
    "STARTED",
    "WHOLE",
    "Watcher",
    "every_event",
    "show",
]

SECRET = "hunter2"
AT: dict[str, Any] = {"run_id": "", "sequence": 0, "time": START}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN = int((START - EPOCH) / timedelta(microseconds=1)) * 1000
SECOND = 1_000_000_000
CALL = ToolCall("c1", "look", f'{{"where": "{SECRET}"}}')
OTHER = ToolCall("c2", "list", "{}")
STARTED = RunStarted(
    **AT,
    agent="clerk",
    model="openai:gpt-5-mini",
    prompt=SECRET,
    messages=(SystemMessage(f"Keep {SECRET}."), UserMessage(SECRET)),
)
ASKING = ModelRequested(**AT, attempt=1, model="openai:gpt-5-mini")
CALLING = ModelAnswered(
    **AT,
    message=AssistantMessage("", (CALL,), (Reasoning(SECRET),)),
    usage=Usage(1, 52, 47, cached_input_tokens=20, reasoning_tokens=7, cost=12),
    finish_reason="tool_calls",
    model="gpt-5-mini-2026-01-01",
)
ANSWERING = ModelAnswered(**AT, message=AssistantMessage(SECRET), usage=Usage(1, 60, 5, cost=3))
BEGUN = ToolStarted(**AT, call=CALL)
ENDED = ToolFinished(**AT, call=CALL, content=SECRET)
DONE = RunFinished(**AT, result=RunResult(SECRET, (), Usage(2, 112, 52, 1, cost=15), ""))
FAILED = RunFailed(**AT, error=ModelRateLimitError(SECRET, model="m", details={"x": SECRET}))
REQUEST = ApprovalRequest("d", "clerk", "look", SECRET, "run-1", "c1", START)
WHOLE: list[RunEvent[Any]] = [
    STARTED,
    ASKING,
    CALLING,
    BEGUN,
    ENDED,
    replace(ASKING, attempt=2),
    ANSWERING,
    DONE,
]


class Watcher:
    """A telemetry with all its outlets in memory."""

    def __init__(self, **options: Any) -> None:
        self.tracer = RecordingTracer()
        self.meter = RecordingMeter()
        self.records: list[LogRecord] = []
        self.telemetry = Telemetry(self.tracer, self.meter, self.records.append, **options)

    def watch(self, events: Iterable[RunEvent[Any]]) -> Watcher:
        for event in events:
            self.telemetry(event)
        assert self.telemetry.failures == 0
        return self

    def find(self, name: str) -> RecordingSpan:
        (span,) = [span for span in self.tracer.spans if span.name == name]
        return span

    def measured(self, name: str) -> list[Measurement]:
        return self.meter.histograms[name].measurements

    def logged(self) -> list[tuple[str, str]]:
        return [(record.name, record.level) for record in self.records]


def every_event(secret: str) -> list[RunEvent[Any]]:
    call = ToolCall("c1", "look", json.dumps({"where": secret}))
    invented = ToolCall("c3", secret, secret)
    request = replace(REQUEST, arguments=secret)
    return create_run(
        STARTED,
        GuardrailChecked(
            **AT, guardrail="g", stage="input", decision="replace", reason=secret, tool="look"
        ),
        ASKING,
        ModelRetried(**AT, model="m", attempt=1, reason=secret, delay=1, next_model="n"),
        TextReceived(**AT, text=secret),
        ReasoningReceived(**AT, text=secret),
        replace(CALLING, message=AssistantMessage(secret, (call, invented), (Reasoning(secret),))),
        ApprovalRequested(**AT, request=request),
        ApprovalDecided(
            **AT, request=request, approval=request.deny(secret, reason=secret), reason=secret
        ),
        replace(BEGUN, call=call),
        ToolRetried(**AT, call=call, attempt=1, reason=secret),
        replace(ENDED, outcome="error"),
        ToolFinished(**AT, call=invented, content=secret, outcome="error"),
        OutputRejected(**AT, reason=secret, messages=(UserMessage(secret),)),
        HandedOff(**AT, agent="a", to="b", model="m", instructions=secret),
        ASKING,
        ANSWERING,
        DONE,
    )


def show(watcher: Watcher) -> str:
    """Return all that left through the outlets as one text."""
    spans = [
        (
            span.name,
            span.attributes,
            span.error,
            [(event.name, event.attributes) for event in span.events],
        )
        for span in watcher.tracer.spans
    ]
    metrics = [item.measurements for item in watcher.meter.histograms.values()]
    logs = [(record.name, record.attributes) for record in watcher.records]
    return repr([spans, metrics, logs])
