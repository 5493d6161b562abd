"""The gate before tool calls that a person has to approve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent_factory.core.approvals import (
    Approval,
    ApprovalRequest,
    check_approval,
    create_digest,
)
from agent_factory.core.events import ApprovalDecided, ApprovalRequested
from agent_factory.core.exceptions import ApprovalError, CoreError, ToolDeniedError
from agent_factory.core.waiting import DeadlineError, run_bounded

if TYPE_CHECKING:
    from agent_factory.core.context import ToolContext
    from agent_factory.core.runs.scope import RunScope
    from agent_factory.core.tools import Tool

__all__ = ["decide"]


async def decide(
    scope: RunScope, tool: Tool[Any], context: ToolContext[Any], arguments: str
) -> None:
    """Return once a person has approved a call; the run's time stands still meanwhile.

    Args:
        scope: The run.
        tool: The tool.
        context: Which call it is.
        arguments: Its arguments as canonical JSON, which are the ones that run.

    Raises:
        ToolDeniedError: Nobody approved it: it was denied, no decision came in time, the decision was one for another call, or
            there is nobody to ask.
    """
    seconds = scope.limits.approval_timeout
    request = ApprovalRequest(
        create_digest(
            agent=context.agent,
            tool=tool.name,
            arguments=arguments,
            run_id=context.run_id,
            call_id=context.call_id,
            idempotency_key=context.idempotency_key,
        ),
        context.agent,
        tool.name,
        arguments,
        context.run_id,
        context.call_id,
        _add(scope.tell_time(), seconds),
        context.idempotency_key,
    )
    scope.emit(ApprovalRequested, request)
    approval: Approval | None = None
    try:
        approval = await _ask(scope, request, seconds)
    except DeadlineError:
        reason = f"nobody decided within {seconds:g} s"
    except ApprovalError as error:
        reason = error.message
    except CoreError as error:
        reason = f"no decision could be had: {error.message}"
    # Whatever an approver raises is no approval.
    except Exception as error:  # noqa: BLE001
        reason = f"no decision could be had: {type(error).__name__}"
        # The model is told no more than that, so it is told here what has to be repaired.
        scope.loop.call_exception_handler(
            {
                "message": f"the approver of run {scope.run_id} failed at tool {tool.name!r}",
                "exception": error,
            }
        )
    else:
        reason = "" if approval is None else approval.reason
        if approval is None:
            reason = "it needs a person's approval, and there is nobody to ask"
    scope.emit(ApprovalDecided, request, approval, reason)
    if approval is None:
        raise ToolDeniedError(f"not carried out: {reason}", tool=tool.name)
    if not approval.granted:
        because = f": {reason}" if reason else ""
        raise ToolDeniedError(f"not carried out: a person denied it{because}", tool=tool.name)


async def _ask(scope: RunScope, request: ApprovalRequest, seconds: float) -> Approval | None:
    approver = scope.options.approver
    if approver is None:
        return None
    scope.deadline.pause()
    try:
        approval = await run_bounded(approver.decide(request), seconds)
    finally:
        scope.deadline.resume()
    check_approval(request, approval, now=scope.tell_time(), used=scope.approvals)
    return approval


def _add(now: datetime, seconds: float) -> datetime:
    try:
        return now + timedelta(seconds=seconds)
    except OverflowError:  # later than the last day that there is
        return datetime.max.replace(tzinfo=UTC)
