"""What happens in a run, as typed events in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeAlias

from typing_extensions import TypeVar

from agent_factory.core.messages import AssistantMessage, ToolCall
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.core.result import RunResult

__all__ = [
    "ModelAnswered",
    "ModelRequested",
    "OutputRejected",
    "RunEvent",
    "RunFinished",
    "RunStarted",
    "TextReceived",
    "ToolFinished",
    "ToolStarted",
]

OutT = TypeVar("OutT", covariant=True, default=str)


@dataclass(frozen=True, slots=True)
class _Event:
    """What every event has.

    Attributes:
        run_id: Identifier of the run.
        sequence: Number of the event within its run, from 0, without gaps.
        time: When it happened, in UTC.
    """

    run_id: str
    sequence: int
    time: datetime


@dataclass(frozen=True, slots=True)
class RunStarted(_Event):
    """The run began.

    Attributes:
        agent: Name of the agent.
        model: Name of the model.
        prompt: What the agent was asked.
    """

    agent: str
    model: str
    prompt: str


@dataclass(frozen=True, slots=True)
class ModelRequested(_Event):
    """A model call began.

    Attributes:
        attempt: Number of the model call within the run, from 1.
    """

    attempt: int


@dataclass(frozen=True, slots=True)
class TextReceived(_Event):
    """A piece of a model's text arrived. Whether it is part of the final answer shows only later.

    Attributes:
        text: The piece; never empty.
    """

    text: str


@dataclass(frozen=True, slots=True)
class ModelAnswered(_Event):
    """A model call ended with an answer.

    Attributes:
        message: The whole answer.
        usage: What the call used.
    """

    message: AssistantMessage
    usage: Usage


@dataclass(frozen=True, slots=True)
class ToolStarted(_Event):
    """A tool call began.

    Attributes:
        call: The model's request.
    """

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolFinished(_Event):
    """A tool call ended.

    Attributes:
        call: The model's request.
        content: The result as the model will see it.
        is_error: Whether it failed; the content then says why.
    """

    call: ToolCall
    content: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class OutputRejected(_Event):
    """A final answer did not fit the declared output type; the model is asked to correct it.

    Attributes:
        reason: What the model is told.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(_Event, Generic[OutT]):
    """The run ended with a result; always the last event of a run that did not fail.

    Attributes:
        result: The result.
    """

    result: RunResult[OutT]


RunEvent: TypeAlias = (
    RunStarted
    | ModelRequested
    | TextReceived
    | ModelAnswered
    | ToolStarted
    | ToolFinished
    | OutputRejected
    | RunFinished[OutT]
)
"""Any event of a run whose output is an ``OutT``."""
