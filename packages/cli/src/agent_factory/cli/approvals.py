"""Approvals at the terminal: a person sees the whole call, and says yes to this one or to none."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from agent_factory.cli.terminal import TerminalClosedError
from agent_factory.cli.text import clean, format_json

if TYPE_CHECKING:
    from agent_factory.cli.terminal import Terminal
    from agent_factory.core.approvals import Approval, ApprovalRequest

__all__ = ["DenyingApprover", "TerminalApprover"]


class TerminalApprover:
    """Asks the person at the terminal about each call. Only ``y`` or ``yes`` approves it.

    Args:
        terminal: Where the person is.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return the person's decision.

        Args:
            request: What is to be approved.
        """
        text = (
            f"\n{clean(request.agent)} wants to call the tool {clean(request.tool)} with\n"
            f"{_indent(format_json(request.arguments))}"
        )
        name = _find_name()
        try:
            answer = await self._terminal.ask(text, "Approve this call? [y/N] ", discard=True)
        except TerminalClosedError:
            return request.deny(name, reason="the input ended before there was an answer")
        if answer.lower() in ("y", "yes"):
            return request.approve(name)
        return request.deny(name, reason="the person at the terminal said no")


class DenyingApprover:
    """Denies every call, and says why.

    Args:
        reason: Why nobody is asked.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return that the call is denied.

        Args:
            request: What is to be approved.
        """
        return request.deny("agent-factory", reason=self._reason)


def _find_name() -> str:
    try:
        return getpass.getuser().strip() or "terminal"
    except (KeyError, OSError, ImportError):  # a user without a name, as in some containers
        return "terminal"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
