"""What of a run is under way: the run itself, a model call, tool calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    ApprovalDecided,
    ApprovalRequested,
    GuardrailChecked,
    ModelRetried,
    ToolRetried,
)
from agent_factory.core.telemetry.conventions import describe_tool

if TYPE_CHECKING:
    from agent_factory.core.events import RunEvent
    from agent_factory.core.telemetry.outlets import Operation, Outlets
    from agent_factory.core.telemetry.ports import Span

__all__ = ["ABANDONED", "OpenOperations"]

ABANDONED = "abandoned"
"""The kind of error of an operation whose end nobody saw."""


class OpenOperations:
    """The operations of one run that have not ended.

    Args:
        outlets: Where telemetry goes.
        run: The run itself.

    Attributes:
        run: The run itself.
        chats: The model calls by their numbers, the oldest first.
        tools: The tool calls by their identifiers.
    """

    __slots__ = ("_outlets", "chats", "run", "tools")

    def __init__(self, outlets: Outlets, run: Operation) -> None:
        self._outlets = outlets
        self.run = run
        self.chats: dict[int, Operation] = {}
        self.tools: dict[str, Operation] = {}

    def find_span(self, call_id: str) -> Span | None:
        """Return the span of a tool call, or that of the run where the call is not under way.

        Args:
            call_id: Identifier of the call within its answer; empty for the only one under way.
        """
        tool = self.tools.get(call_id)
        if tool is None and not call_id and len(self.tools) == 1:
            tool = next(iter(self.tools.values()))
        return self.run.span if tool is None else tool.span

    @property
    def latest_time(self) -> int:
        """When the last of them began."""
        under_way = (self.run, *self.chats.values(), *self.tools.values())
        return max(operation.time for operation in under_way)

    def find(self, event: RunEvent[Any]) -> Operation:
        """Return the operation within which something happened, as far as the event says.

        Args:
            event: What happened.
        """
        match event:
            case ModelRetried():
                return self._find_chat(event.model) or self.run
            case ToolRetried():
                return self.tools.get(event.call.id, self.run)
            case ApprovalRequested() | ApprovalDecided():
                return self.tools.get(event.request.call_id, self.run)
            case GuardrailChecked() if event.tool:
                name = describe_tool(event.tool)
                tools = [
                    tool
                    for tool in self.tools.values()
                    if tool.measured["gen_ai.tool.name"] == name
                ]
                return tools[0] if len(tools) == 1 else self.run
        return self.run

    def _find_chat(self, model: str) -> Operation | None:
        """Return the model call that a retry is a part of; its model may stand in for the one that was asked."""
        chats = list(self.chats.values())
        name = model.partition(":")[2] or model
        asked = [chat for chat in chats if chat.measured["gen_ai.request.model"] == name]
        return next(iter(asked if len(asked) == 1 else chats), None)

    def take_chat(self, number: int) -> Operation | None:
        """Return the model call of a number, which has ended; None if it is not under way.

        Args:
            number: Its number within the run; 0, where that is not known, for the oldest one.
        """
        if not number:
            number = next(iter(self.chats), 0)
        return self.chats.pop(number, None)

    def close_chat(self, number: int, now: int, error: str) -> None:
        """End a model call, if it is under way, with an error.

        Args:
            number: Its number within the run.
            now: When it ended.
            error: The kind of error.
        """
        chat = self.chats.pop(number, None)
        if chat is not None:
            self._outlets.close(chat, time=now, measured={}, attributes={}, error=error)

    def close_tool(self, call_id: str, now: int, error: str) -> None:
        """End a tool call, if it is under way, with an error.

        Args:
            call_id: Identifier of the call.
            now: When it ended.
            error: The kind of error.
        """
        tool = self.tools.pop(call_id, None)
        if tool is not None:
            self._outlets.close(tool, time=now, measured={}, attributes={}, error=error)

    def close_all(self, now: int, error: str) -> None:
        """End everything but the run itself, with an error.

        Args:
            now: When it ended.
            error: The kind of error.
        """
        for number in list(self.chats):
            self.close_chat(number, now, error)
        for call_id in list(self.tools):
            self.close_tool(call_id, now, error)
