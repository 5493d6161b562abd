"""Approvals: a person's word on one tool call, and on no other.

An approval is bound to the digest of what it was asked for: the run, the call and its place in the run, the tool and its
arguments in their canonical form. The loop checks it, not the tool: `check_approval` is the one gate, and a tool behind
it cannot run without passing.

An approval counts for one call of one run, once. A run that is begun again under its ``run_id`` asks about the same
calls with the same digests: an approver that keeps decisions may give the same one again, for the same call and for no
other. What keeps a call that took effect from running a second time is the journal, which is asked before the person.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from agent_factory.core.exceptions import ApprovalError
from agent_factory.core.identifiers import create_run_id

__all__ = ["Approval", "ApprovalRequest", "Approver", "check_approval", "create_digest"]


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What a person is asked to approve.

    Attributes:
        digest: What an approval has to repeat: made of all that follows but the time.
        agent: Name of the agent.
        tool: Name of the tool.
        arguments: The arguments, validated, as canonical JSON text.
        run_id: Identifier of the run.
        call_id: Identifier of the call, which models repeat from answer to answer.
        expires_at: When the question lapses, in UTC.
        idempotency_key: Key of the call, which no other call has: two equal calls of a run differ in it, and a run that is
            begun again under its ``run_id`` has the same ones.
    """

    digest: str
    agent: str
    tool: str
    arguments: str
    run_id: str
    call_id: str
    expires_at: datetime
    idempotency_key: str = ""

    def approve(self, approver: str, *, reason: str = "") -> Approval:
        """Return the word that lets this very call run.

        Args:
            approver: Who approves, for the record; not empty.
            reason: Why.

        Raises:
            ApprovalError: The approver has no name.
        """
        return self._decide(approver, reason, granted=True)

    def deny(self, approver: str, *, reason: str = "") -> Approval:
        """Return the word that keeps this call from running.

        Args:
            approver: Who denies, for the record; not empty.
            reason: Why; the model is told.

        Raises:
            ApprovalError: The approver has no name.
        """
        return self._decide(approver, reason, granted=False)

    def _decide(self, approver: str, reason: str, *, granted: bool) -> Approval:
        if not approver.strip():
            raise ApprovalError("an approval needs the name of who decided")
        return Approval(create_run_id(), self.digest, approver, granted, self.expires_at, reason)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word on one tool call. It counts once.

    Attributes:
        id: Identifier of the decision, for single use.
        digest: Digest of the request that it answers.
        approver: Who decided.
        granted: Whether the call may run: True or False, and nothing that is merely like them.
        expires_at: Until when it counts, in UTC.
        reason: Why; the model is told where it is denied.
    """

    id: str
    digest: str
    approver: str
    granted: bool
    expires_at: datetime
    reason: str = ""


@runtime_checkable
class Approver(Protocol):
    """Asks a person. Safe to use by many runs at a time."""

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return a person's decision; it may take as long as the request is good for.

        Args:
            request: What is to be approved.

        Raises:
            CoreError: No decision could be had; the call is then not carried out.
        """
        ...


def create_digest(
    *, agent: str, tool: str, arguments: str, run_id: str, call_id: str, idempotency_key: str
) -> str:
    """Return the SHA-256 digest that binds an approval to a call.

    Args:
        agent: Name of the agent.
        tool: Name of the tool.
        arguments: The arguments as canonical JSON text.
        run_id: Identifier of the run.
        call_id: Identifier of the call.
        idempotency_key: Key of the call, which no other call has.

    Returns:
        64 hexadecimal digits.
    """
    # A JSON array keeps the parts apart whatever they contain.
    parts = json.dumps([agent, tool, arguments, run_id, call_id, idempotency_key]).encode()
    return hashlib.sha256(parts).hexdigest()


def check_approval(
    request: ApprovalRequest, approval: Approval, *, now: datetime, used: set[str]
) -> None:
    """Make sure that an approval counts for a request, and use it up.

    Args:
        request: What was asked.
        approval: What was answered.
        now: The time, in UTC.
        used: Identifiers of the approvals used so far; this one is added.

    Raises:
        ApprovalError: It is no approval or a malformed one, answers another request, came too late, or was used before.
    """
    if not isinstance(approval, Approval):
        raise ApprovalError(
            f"the approver answered with {type(approval).__name__} in place of an Approval: return request.approve(...) "
            "or request.deny(...)",
            details={"tool": request.tool, "call_id": request.call_id},
        )
    malformed = _find_malformed(approval)
    if malformed:
        raise ApprovalError(
            f"the approver answered with an Approval whose {malformed}: return request.approve(...) or request.deny(...)",
            details={"tool": request.tool, "call_id": request.call_id},
        )
    if approval.digest != request.digest:
        wrong = "it was given for another call"
    elif now >= min(approval.expires_at, request.expires_at):
        wrong = f"it was good until {min(approval.expires_at, request.expires_at).isoformat()}"
    elif approval.id in used:
        wrong = "it was used before, and counts once"
    else:
        used.add(approval.id)
        return
    raise ApprovalError(
        f"the approval of {approval.approver!r} does not count for this call of tool {request.tool!r}: {wrong}",
        details={"tool": request.tool, "call_id": request.call_id, "approval": approval.id},
    )


def _find_malformed(approval: Any) -> str:
    """Return what is wrong with the types of an approval, such as one read from a form; empty if nothing is."""
    if not isinstance(approval.granted, bool):
        # Never taken for its truth: "false" is true.
        return f"granted is {type(approval.granted).__name__} in place of True or False"
    for name in ("id", "digest", "approver", "reason"):
        value = getattr(approval, name)
        if not isinstance(value, str):
            return f"{name} is {type(value).__name__} in place of text"
    for name in ("id", "approver"):
        if not getattr(approval, name).strip():
            return f"{name} is empty"
    if not isinstance(approval.expires_at, datetime):
        return f"expires_at is {type(approval.expires_at).__name__} in place of a datetime"
    if approval.expires_at.utcoffset() is None:
        return "expires_at has no time zone"
    return ""
