"""A recorded run as lines for people: when what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.cli.runs.records import RecordedDenial
from agent_factory.cli.text import clean, count, format_cost, shorten
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
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolRetried,
    ToolStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from agent_factory.core.events import RunEvent

__all__ = ["render_timeline"]

_WIDTH = 100


def render_timeline(
    events: Iterable[RunEvent[Any] | RecordedDenial], *, currency: str, full: bool = False
) -> Iterator[str]:
    """Yield a line for each thing that happened, those of runs within a run indented below it.

    Pieces of text are counted, not shown: the answer that they make up comes after them.

    Args:
        events: The events of a run and of those within it, and what they were refused, in the order in which it happened.
        currency: The unit of what runs cost.
        full: Whether texts are shown as a whole, over several lines, and not shortened to one.
    """
    depths: dict[str, int] = {}
    started: datetime | None = None
    received: dict[str, list[int]] = {}
    for event in events:
        if started is None:
            started = event.time
        if isinstance(event, RunStarted):
            depths[event.run_id] = depths.get(event.parent_run_id, -1) + 1
        if isinstance(event, (TextReceived, ReasoningReceived)):
            pieces = received.setdefault(event.run_id, [0, 0])
            pieces[0] += 1
            pieces[1] += len(event.text)
            continue
        if isinstance(event, RecordedDenial):
            label, text = "refused", f"{event.kind}: {event.target!r}: {event.reason}"
        else:
            label, text = _describe(event, received.pop(event.run_id, [0, 0]), currency)
        margin = f"{(event.time - started).total_seconds():+11.3f} s  "
        if not isinstance(event, RecordedDenial):
            margin += "    " * depths.get(event.run_id, 0)
        head = f"{margin}{label:<15} "
        if full:
            lines = clean(text).splitlines() or [""]
            yield "\n".join(
                [head + lines[0], *(" " * len(head) + line for line in lines[1:])]
            ).rstrip()
        else:
            yield (head + shorten(text, _WIDTH)).rstrip()


def _describe(event: RunEvent[Any], pieces: list[int], currency: str) -> tuple[str, str]:
    match event:
        case RunStarted():
            # A workflow has no model of its own.
            on = f" on {event.model}" if event.model else ""
            return "started", f"{event.agent}{on}: {event.prompt}"
        case ModelRequested():
            aside = " (aside)" if event.aside else ""
            return "model asked", f"{event.model or 'the model'}, call {event.attempt}{aside}"
        case ModelRetried():
            following = f", then {event.next_model}" if event.next_model else ""
            return "model retried", f"in {event.delay:g} s{following}: {event.reason}"
        case ModelAnswered():
            return "model answered", _describe_answer(event, pieces)
        case GuardrailChecked():
            place = f"{event.stage} {event.tool}".strip()
            reason = f": {event.reason}" if event.reason else ""
            return "guardrail", f"{event.guardrail} at {place}: {event.decision}{reason}"
        case ApprovalRequested():
            return "approval asked", f"{event.request.tool} {event.request.arguments}"
        case ApprovalDecided():
            return _describe_decision(event)
        case ToolStarted():
            return "tool started", f"{event.call.name} {event.call.arguments}"
        case ToolRetried():
            return (
                "tool retried",
                f"{event.call.name}, after attempt {event.attempt}: {event.reason}",
            )
        case ToolFinished():
            return f"tool {event.outcome}", f"{event.call.name}: {event.content}"
        case OutputRejected():
            return "answer refused", event.reason
        case HandedOff():
            return "handed over", f"{event.agent} to {event.to} on {event.model}"
        case RunFailed():
            return "failed", f"{event.error.code}: {event.error.message}"
        case RunFinished():
            usage = event.result.usage
            used = ", ".join(
                (
                    count(usage.requests, "model call"),
                    count(usage.tool_calls, "tool call"),
                    count(usage.tokens, "token"),
                    f"cost {format_cost(usage.cost, currency)}",
                )
            )
            return "finished", used
        case _:
            return event.type, ""


def _describe_answer(event: ModelAnswered, pieces: list[int]) -> str:
    message = event.message
    parts = []
    if pieces[0]:
        parts.append(f"{count(pieces[0], 'piece')} of {count(pieces[1], 'character')}")
    parts.append(f"{event.usage.input_tokens:,} tokens in, {event.usage.output_tokens:,} out")
    if message.tool_calls:
        parts.append(f"calls {', '.join(call.name for call in message.tool_calls)}")
    said = "; ".join(parts)
    return f"{said}: {message.text}" if message.text.strip() else said


def _describe_decision(event: ApprovalDecided) -> tuple[str, str]:
    approval = event.approval
    if approval is None:
        return "not approved", f"{event.request.tool}: {event.reason}"
    word = "approved" if approval.granted else "denied"
    reason = f": {event.reason}" if event.reason else ""
    return word, f"{event.request.tool} by {approval.approver}{reason}"
