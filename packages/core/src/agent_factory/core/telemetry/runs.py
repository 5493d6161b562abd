"""One run as spans, metrics and log records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    HandedOff,
    ModelAnswered,
    ModelRequested,
    RunFailed,
    RunFinished,
    ToolFinished,
    ToolStarted,
)
from agent_factory.core.telemetry.content import render_input, render_output
from agent_factory.core.telemetry.conventions import (
    AGENT_DURATION,
    OPERATION_DURATION,
    TOKEN_USAGE,
    TOOL_DURATION,
    describe_model,
    describe_tool,
    describe_usage,
    to_nanoseconds,
)
from agent_factory.core.telemetry.notes import TOOL_ERRORS, create_note
from agent_factory.core.telemetry.operations import ABANDONED, OpenOperations
from agent_factory.core.telemetry.ports import LogRecord
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.events import RunEvent, RunStarted
    from agent_factory.core.records.rebuilding import RunRebuilder
    from agent_factory.core.telemetry.outlets import Operation, Outlets
    from agent_factory.core.telemetry.ports import Attributes, AttributeValue, LogLevel, Span

__all__ = ["RunTelemetry"]


class RunTelemetry:
    """Turns the events of one run into telemetry.

    Args:
        start: The first event of the run.
        outlets: Where telemetry goes.
        providers: Names of providers by what the names of models begin with.
        content: Whether to record what was said.
        conversation: Identifier of the conversation that the run belongs to; empty if it is not known.
        parent: The span around the run.

    Attributes:
        operations: What of the run is under way.
    """

    def __init__(
        self,
        start: RunStarted,
        outlets: Outlets,
        *,
        providers: Mapping[str, str],
        content: bool,
        conversation: str,
        parent: Span | None,
    ) -> None:
        self._outlets = outlets
        self._providers = providers
        self._content = _create_rebuilder() if content else None
        self._run_id, self._agent, self._model = start.run_id, start.agent, start.model
        self._conversation = {"gen_ai.conversation.id": conversation} if conversation else {}
        self._usage = Usage()
        self._answer: ModelAnswered | None = None
        self._asked = 0
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": start.agent,
            **describe_model(start.model, providers),
            "agent_factory.run.id": start.run_id,
            **self._conversation,
        }
        if self._content is not None:
            self._content.add(start)
            attributes["gen_ai.input.messages"] = render_input(start.messages)
        run = outlets.open(
            f"invoke_agent {start.agent}",
            AGENT_DURATION,
            time=to_nanoseconds(start.time),
            measured={"gen_ai.agent.name": start.agent},
            attributes=attributes,
            parent=parent,
        )
        self.operations = OpenOperations(outlets, run)
        self._log("agent_factory.run.started", "info", run, run.time, {})

    def observe(self, event: RunEvent[Any]) -> None:
        """Take the next event.

        Args:
            event: An event of the run.
        """
        now = to_nanoseconds(event.time)
        match event:
            case ModelRequested():
                self._start_chat(event, now)
            case ModelAnswered():
                self._end_chat(event, now)
            case ToolStarted():
                self._start_tool(event, now)
            case ToolFinished() if event.call.id in self.operations.tools:
                self._end_tool(event, now)
            case RunFinished():
                self._finish(event, now)
            case RunFailed():
                self._fail(event, now)
            case _:
                self._note(event, now)
        if isinstance(event, HandedOff):
            self._agent, self._model = event.to, event.model
        if self._content is not None:
            self._content.add(event)

    def abandon(self) -> None:
        """End the spans of a run whose end nobody saw, at the time at which the last of them began."""
        operations = self.operations
        now = operations.latest_time
        operations.close_all(now, ABANDONED)
        self._log("agent_factory.run.abandoned", "warning", operations.run, now, {})
        self._close(operations.run, now, {}, error=ABANDONED)

    def _start_chat(self, event: ModelRequested, now: int) -> None:
        model = describe_model(event.model or self._model, self._providers)
        measured = {"gen_ai.operation.name": "chat", **model}
        attributes: dict[str, AttributeValue] = {
            **measured,
            "gen_ai.agent.name": self._agent,
            "agent_factory.attempt": event.attempt,
            **self._conversation,
        }
        if self._content is not None:
            attributes["gen_ai.input.messages"] = render_input(self._content.messages)
        if not event.aside:
            # The conversation has one at a time, so the one before failed. Others may be under way beside it.
            self.operations.close_chat(self._asked, now, ABANDONED)
            self._asked = event.attempt
        self.operations.close_chat(event.attempt, now, ABANDONED)
        self.operations.chats[event.attempt] = self._outlets.open(
            f"chat {model['gen_ai.request.model']}",
            OPERATION_DURATION,
            time=now,
            measured=measured,
            attributes=attributes,
            kind="client",
            parent=self.operations.run.span,
        )

    def _end_chat(self, event: ModelAnswered, now: int) -> None:
        usage = event.usage
        self._usage += usage
        if not event.aside:
            self._answer = event
        chat = self.operations.take_chat(event.attempt)
        if chat is None:
            return
        served = {"gen_ai.response.model": event.model} if event.model else {}
        attributes: dict[str, AttributeValue] = {
            **served,
            "gen_ai.response.finish_reasons": (event.finish_reason,),
            **describe_usage(usage),
        }
        if self._content is not None:
            attributes["gen_ai.output.messages"] = render_output(event.message, event.finish_reason)
        self._close(chat, now, attributes, measured=served)
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if tokens:
                measured = {**chat.measured, **served, "gen_ai.token.type": kind}
                self._outlets.measure(TOKEN_USAGE, tokens, measured)

    def _start_tool(self, event: ToolStarted, now: int) -> None:
        call = event.call
        name = describe_tool(call.name)
        measured = {
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.agent.name": self._agent,
        }
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "execute_tool",
            **measured,
            "gen_ai.tool.call.id": call.id,
            **self._conversation,
        }
        if self._content is not None:
            attributes["gen_ai.tool.call.arguments"] = call.arguments
        self.operations.close_tool(call.id, now, ABANDONED)
        self.operations.tools[call.id] = self._outlets.open(
            f"execute_tool {name}",
            TOOL_DURATION,
            time=now,
            measured=measured,
            attributes=attributes,
            parent=self.operations.run.span,
        )

    def _end_tool(self, event: ToolFinished, now: int) -> None:
        tool = self.operations.tools.pop(event.call.id)
        said = {} if self._content is None else {"gen_ai.tool.call.result": event.content}
        error = TOOL_ERRORS[event.outcome] if event.is_error else ""
        if error:
            name = describe_tool(event.call.name)
            known = {"gen_ai.tool.name": name, "gen_ai.tool.call.id": event.call.id}
            attributes = {**known, "error.type": error, **said}
            self._log("agent_factory.tool.failed", "warning", tool, now, attributes)
        self._close(tool, now, said, error=error, description=event.content)

    def _finish(self, event: RunFinished[Any], now: int) -> None:
        self.operations.close_all(now, ABANDONED)
        attributes = describe_usage(event.result.usage)
        self._log("agent_factory.run.finished", "info", self.operations.run, now, attributes)
        answer = self._answer
        if self._content is not None and answer is not None:
            output = render_output(answer.message, answer.finish_reason)
            attributes = {**attributes, "gen_ai.output.messages": output}
        self._close(self.operations.run, now, attributes)

    def _fail(self, event: RunFailed, now: int) -> None:
        error = event.error
        self.operations.close_all(now, error.code)
        attributes: dict[str, AttributeValue] = {
            "error.type": error.code,
            "agent_factory.retryable": error.retryable,
            **describe_usage(self._usage),
        }
        if self._content is not None:
            attributes["exception.message"] = error.message
        self._log("agent_factory.run.failed", "error", self.operations.run, now, attributes)
        self._close(
            self.operations.run, now, attributes, error=error.code, description=error.message
        )

    def _note(self, event: RunEvent[Any], now: int) -> None:
        note = create_note(event, content=self._content is not None)
        if note is None:
            return
        within = self.operations.find(event)
        self._outlets.note(within, note.name, note.attributes, time=now)
        if note.level is not None:
            self._log(note.name, note.level, within, now, note.attributes)

    def _close(
        self,
        operation: Operation,
        now: int,
        attributes: Attributes,
        *,
        measured: Attributes | None = None,
        error: str = "",
        description: str = "",
    ) -> None:
        self._outlets.close(
            operation,
            time=now,
            measured=measured or {},
            attributes=attributes,
            error=error,
            description="" if self._content is None else description,
        )

    def _log(
        self, name: str, level: LogLevel, within: Operation, now: int, attributes: Attributes
    ) -> None:
        known = {"gen_ai.agent.name": self._agent, "agent_factory.run.id": self._run_id}
        every = {**known, **self._conversation, **attributes}
        self._outlets.log(LogRecord(name, level, now, every, within.span))


def _create_rebuilder() -> RunRebuilder:
    # Most programs never need it, and an import of theirs should not pay for it.
    from agent_factory.core.records.rebuilding import RunRebuilder

    return RunRebuilder()
