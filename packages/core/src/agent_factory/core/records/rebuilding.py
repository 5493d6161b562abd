"""A run rebuilt from its events alone, ended or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agent_factory.core.events import (
    HandedOff,
    ModelAnswered,
    ModelRequested,
    ModelRetried,
    OutputRejected,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolStarted,
)
from agent_factory.core.exceptions import HistoryError
from agent_factory.core.messages import (
    AssistantMessage,
    History,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.records.exceptions import RecordError
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from agent_factory.core.events import RunEvent
    from agent_factory.core.exceptions import CoreError
    from agent_factory.core.messages import Message, ToolCall

__all__ = ["RecordedRun", "RunRebuilder", "RunStatus", "rebuild_run"]

RunStatus: TypeAlias = Literal["finished", "failed", "unfinished"]
"""How far a run came: it has a result, it ended without one, or its events break off."""

_UNKNOWN = "Error: the run was cut off before this call had a result; whether it was carried out is not known."


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What the events of a run tell of it.

    Attributes:
        run_id: Identifier of the run.
        agent: Name of the agent that has the conversation in the end, after handoffs.
        model: Name of that agent's model.
        messages: The conversation; it is whole and can be the history of a next run. Calls that have no result get
            one with the outcome ``unknown``.
        usage: What the run used; that of its result, or else the sum of its own model calls, failed ones included, and
            tool calls, without those of runs within it.
        status: How far the run came.
        output: The output, of a run that finished.
        error: The error, of a run that failed.
        started_at: When it began, in UTC.
        ended_at: When it ended, in UTC; None while it is unfinished.
        text: What had arrived of the answer that the events break off in; empty outside of a model call.
        parent_run_id: Identifier of the run whose tool call this run answers, if there is one.
        parent_call_id: Identifier of that tool call within its answer.
    """

    run_id: str
    agent: str
    model: str
    messages: tuple[Message, ...]
    usage: Usage
    status: RunStatus
    output: Any
    error: CoreError | None
    started_at: datetime
    ended_at: datetime | None
    text: str = ""
    parent_run_id: str = ""
    parent_call_id: str = ""


def rebuild_run(events: Iterable[RunEvent[Any]]) -> RecordedRun:
    """Return the run that events tell of.

    Args:
        events: The events of one run, from its start; all of them, or those up to any moment.

    Raises:
        RecordError: There are none, some are missing, or they are not those of one run.
    """
    rebuilder = RunRebuilder()
    for event in events:
        rebuilder.add(event)
    return rebuilder.build()


class RunRebuilder:
    """Takes the events of one run one by one, and knows after each how the run stands."""

    __slots__ = (
        "_agent",
        "_asked",
        "_calls",
        "_end",
        "_history",
        "_model",
        "_next",
        "_results",
        "_start",
        "_text",
        "_usage",
    )

    def __init__(self) -> None:
        self._start: RunStarted | None = None
        self._end: RunFinished[Any] | RunFailed | None = None
        self._next = 0
        self._history: list[Message] = []
        # The calls of the last message, and their results as they come.
        self._calls: dict[str, ToolCall] = {}
        self._results: dict[str, ToolMessage] = {}
        self._text: list[str] = []
        self._usage = Usage()
        self._agent = self._model = ""
        # What the run was asked, which an agent that takes over may see in other words.
        self._asked: Message | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far, made whole."""
        return (*self._history, *self._complete_results())

    def add(self, event: RunEvent[Any]) -> None:
        """Take the next event.

        Args:
            event: An event of the run, the first one `RunStarted`.

        Raises:
            RecordError: It is not the next event of this run.
        """
        self._check(event)
        match event:
            case RunStarted():
                self._begin(event)
            case ModelRequested():
                self._text.clear()
                self._usage += Usage(requests=1)
            case ModelRetried():
                self._text.clear()
            case TextReceived():
                self._text.append(event.text)
            case ModelAnswered():
                self._answer(event)
            case ToolStarted():
                self._usage += Usage(tool_calls=1)
            case ToolFinished():
                call = event.call
                self._settle(event, ToolMessage(call.id, call.name, event.content, event.outcome))
            case OutputRejected():
                for message in event.messages:
                    self._say(event, message)
            case HandedOff():
                self._hand_over(event)
            case RunFinished() | RunFailed():
                self._end = event
        self._next += 1

    def build(self) -> RecordedRun:
        """Return the run as it stands.

        Raises:
            RecordError: No event was taken yet.
        """
        start, end = self._start, self._end
        if start is None:
            raise RecordError("there are no events: a run has at least the event 'run_started'")
        finished = end if isinstance(end, RunFinished) else None
        failed = end if isinstance(end, RunFailed) else None
        return RecordedRun(
            run_id=start.run_id,
            agent=self._agent,
            model=self._model,
            messages=self.messages,
            usage=finished.result.usage if finished else self._usage,
            status="finished" if finished else "failed" if failed else "unfinished",
            output=finished.result.output if finished else None,
            error=failed.error if failed else None,
            started_at=start.time,
            ended_at=end.time if end else None,
            text="".join(self._text),
            parent_run_id=start.parent_run_id,
            parent_call_id=start.parent_call_id,
        )

    def _check(self, event: RunEvent[Any]) -> None:
        start = self._start
        if start is None:
            if not isinstance(event, RunStarted):
                raise _refuse(
                    event, "is the first one: the events of a run begin with 'run_started'"
                )
        elif event.run_id != start.run_id:
            raise _refuse(event, f"is among those of run {start.run_id!r}: sort them by run first")
        elif self._end is not None:
            raise _refuse(event, f"comes after the end of the run, {self._end.type!r}")
        if event.sequence != self._next:
            raise _refuse(event, f"comes where number {self._next} has to come: events are missing")
        if start is not None and isinstance(event, RunStarted):
            raise _refuse(event, "is a second start of the run")

    def _begin(self, event: RunStarted) -> None:
        try:
            self._history = list(History(event.messages).messages)
        except HistoryError as error:
            raise _refuse(event, f"has a broken conversation: {error.message}") from None
        self._start = event
        self._asked = self._history[-1] if self._history else None
        self._agent, self._model = event.agent, event.model

    def _answer(self, event: ModelAnswered) -> None:
        self._text.clear()
        self._usage += replace(event.usage, requests=0, tool_calls=0)
        if not event.aside:
            self._close_calls()
            self._append(event.message)

    def _append(self, message: Message) -> None:
        if isinstance(message, AssistantMessage):
            self._calls = {}
            for call in message.tool_calls:
                self._calls.setdefault(call.id, call)
            if len(self._calls) < len(message.tool_calls):
                # A run fails at such a message, and no history can hold it: results could not be told apart.
                message = replace(message, tool_calls=tuple(self._calls.values()))
        self._history.append(message)

    def _say(self, event: OutputRejected, message: Message) -> None:
        if isinstance(message, ToolMessage):
            self._settle(event, message)
        else:
            self._close_calls()
            self._append(message)

    def _settle(self, event: RunEvent[Any], result: ToolMessage) -> None:
        identifier = result.call_id
        if identifier not in self._calls:
            raise _refuse(
                event, f"has a result for the tool call {identifier!r}, which was not made"
            )
        if identifier in self._results:
            raise _refuse(event, f"has a second result for the tool call {identifier!r}")
        self._results[identifier] = result

    def _close_calls(self) -> None:
        self._history.extend(self._complete_results())
        self._calls, self._results = {}, {}

    def _complete_results(self) -> list[ToolMessage]:
        return [
            self._results.get(call.id) or ToolMessage(call.id, call.name, _UNKNOWN, "unknown")
            for call in self._calls.values()
        ]

    def _hand_over(self, event: HandedOff) -> None:
        self._agent, self._model = event.to, event.model
        if self._history and isinstance(self._history[0], SystemMessage):
            del self._history[0]
        if event.instructions:
            self._history.insert(0, SystemMessage(event.instructions))
        asked, prompt = self._asked, event.prompt
        if prompt is not None and isinstance(asked, UserMessage) and asked.text != prompt:
            self._asked = replace(asked, text=prompt)
            self._history = [self._asked if item is asked else item for item in self._history]


def _refuse(event: RunEvent[Any], wrong: str) -> RecordError:
    return RecordError(
        f"event {event.sequence} ({event.type}) of run {event.run_id!r} {wrong}",
        details={"run_id": event.run_id, "sequence": event.sequence, "type": event.type},
    )
