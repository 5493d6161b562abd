"""What is noted of the events that are no operation of their own: retries, guardrails, approvals, handoffs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    ApprovalDecided,
    ApprovalRequested,
    GuardrailChecked,
    HandedOff,
    ModelRetried,
    OutputRejected,
    ToolFinished,
    ToolRetried,
)
from agent_factory.core.telemetry.conventions import describe_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.events import RunEvent
    from agent_factory.core.messages import ToolOutcome
    from agent_factory.core.telemetry.ports import AttributeValue, LogLevel

__all__ = ["TOOL_ERRORS", "Note", "create_note"]

TOOL_ERRORS: Mapping[ToolOutcome, str] = {
    "error": "tool",
    "denied": "tool_denied",
    "unknown": "tool_outcome_unknown",
}
"""The kinds of error of tool calls by their outcome, which are codes of exceptions."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened within an operation.

    Attributes:
        name: What happened.
        level: How much it matters to a log; None if not at all.
        attributes: More about it.
    """

    name: str
    level: LogLevel | None
    attributes: dict[str, AttributeValue]


def create_note(event: RunEvent[Any], *, content: bool) -> Note | None:
    """Return what is noted of an event, or None for an event of which nothing is.

    Args:
        event: An event; a `ToolFinished` only where the call never began.
        content: Whether to note what was said.
    """
    note, reason = _describe(event, content=content)
    if note is not None and content and reason:
        note.attributes["agent_factory.reason"] = reason
    return note


def _describe(event: RunEvent[Any], *, content: bool) -> tuple[Note | None, str]:
    match event:
        case ModelRetried():
            note = Note(
                "agent_factory.model.retried",
                "warning",
                {
                    "agent_factory.model": event.model,
                    "agent_factory.attempt": event.attempt,
                    "agent_factory.delay": event.delay,
                },
            )
            if event.next_model:
                note.attributes["agent_factory.next_model"] = event.next_model
            return note, event.reason
        case ToolRetried():
            attributes: dict[str, AttributeValue] = {
                "gen_ai.tool.name": describe_tool(event.call.name),
                "gen_ai.tool.call.id": event.call.id,
                "agent_factory.attempt": event.attempt,
            }
            return Note("agent_factory.tool.retried", "warning", attributes), event.reason
        case ToolFinished():
            attributes = {"gen_ai.tool.call.id": event.call.id}
            level: LogLevel | None = "warning" if event.is_error else "info"
            if event.is_error:
                attributes["error.type"] = TOOL_ERRORS[event.outcome]
            # The name in a call that was not carried out may be none of a tool, but anything that the model wrote.
            attributes["gen_ai.tool.name"] = describe_tool(
                event.call.name if event.outcome == "ok" else ""
            )
            return Note("agent_factory.tool.not_run", level, attributes), event.content
        case GuardrailChecked():
            attributes = {
                "agent_factory.guardrail.name": event.guardrail,
                "agent_factory.guardrail.stage": event.stage,
                "agent_factory.guardrail.decision": event.decision,
            }
            if event.tool:
                attributes["gen_ai.tool.name"] = describe_tool(event.tool)
            level = None if event.decision == "allow" else "warning"
            return Note("agent_factory.guardrail.checked", level, attributes), event.reason
        case ApprovalRequested():
            attributes = {
                "gen_ai.tool.name": event.request.tool,
                "gen_ai.tool.call.id": event.request.call_id,
            }
            return Note("agent_factory.approval.requested", "info", attributes), ""
        case ApprovalDecided():
            return _describe_decision(event, content=content), event.reason
        case OutputRejected():
            return Note("agent_factory.output.rejected", "warning", {}), event.reason
        case HandedOff():
            attributes = {
                "agent_factory.handoff.from": event.agent,
                "agent_factory.handoff.to": event.to,
            }
            return Note("agent_factory.handed_off", "info", attributes), ""
    return None, ""


def _describe_decision(event: ApprovalDecided, *, content: bool) -> Note:
    approval = event.approval
    attributes: dict[str, AttributeValue] = {
        "gen_ai.tool.name": event.request.tool,
        "gen_ai.tool.call.id": event.request.call_id,
        "agent_factory.approval.decision": (
            "none" if approval is None else "granted" if approval.granted else "denied"
        ),
    }
    # Who decided is a person.
    if content and approval is not None:
        attributes["agent_factory.approval.approver"] = approval.approver
    return Note("agent_factory.approval.decided", "info", attributes)
