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
        chat: The model call, if there is one.
        tools: The tool calls by their identifiers.
    """

    __slots__ = ("_outlets", "chat", "run", "tools")

    def __init__(self, outlets: Outlets, run: Operation) -> None:
        self._outlets = outlets
        self.run = run
        self.chat: Operation | None = None
        self.tools: dict[str, Operation] = {}

    @property
    def innermost_span(self) -> Span | None:
        """The span of the tool call, if there is exactly one, else that of the run."""
        tools = list(self.tools.values())
        return tools[0].span if len(tools) == 1 else self.run.span

    @property
    def latest_time(self) -> int:
        """When the last of them began."""
        chats = [] if self.chat is None else [self.chat]
        return max(operation.time for operation in (self.run, *chats, *self.tools.values()))

    def find(self, event: RunEvent[Any]) -> Operation:
        """Return the operation within which something happened, as far as the event says.

        Args:
            event: What happened.
        """
        match event:
            case ModelRetried():
                return self.chat or self.run
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

    def close_chat(self, now: int, error: str) -> None:
        """End the model call, if there is one, with an error.

        Args:
            now: When it ended.
            error: The kind of error.
        """
        chat, self.chat = self.chat, None
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
        self.close_chat(now, error)
        for call_id in list(self.tools):
            self.close_tool(call_id, now, error)
