"""What happens in a run, as typed events in the order in which it happens.

`RunEvent` is closed: these are all the kinds there are. Each event is plain data; `agent_factory.core.records` writes
them as JSON, reads them back, and rebuilds a run from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, TypeAlias

from typing_extensions import TypeVar

from agent_factory.core.approvals import Approval, ApprovalRequest
from agent_factory.core.guardrails.guardrail import GuardrailDecision, GuardrailStage
from agent_factory.core.messages import AssistantMessage, Message, ToolCall, ToolOutcome
from agent_factory.core.models import FinishReason, TokenLogprob
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.core.exceptions import CoreError
    from agent_factory.core.result import RunResult

__all__ = [
    "ApprovalDecided",
    "ApprovalRequested",
    "GuardrailChecked",
    "HandedOff",
    "ModelAnswered",
    "ModelRequested",
    "ModelRetried",
    "OutputRejected",
    "ReasoningReceived",
    "RunEvent",
    "RunFailed",
    "RunFinished",
    "RunStarted",
    "TextReceived",
    "ToolFinished",
    "ToolRetried",
    "ToolStarted",
]

OutT = TypeVar("OutT", covariant=True, default=str)


@dataclass(frozen=True, slots=True)
class _Event:
    """What every event has.

    Attributes:
        type: Name of the kind of event in records.
        run_id: Identifier of the run.
        sequence: Number of the event within its run, from 0, without gaps.
        time: When it happened, in UTC.
    """

    type: ClassVar[str]
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
        messages: The conversation that the run begins with: instructions, history, prompt.
        parent_run_id: Identifier of the run whose tool call this run answers, if there is one.
        parent_call_id: Identifier of that tool call within its answer.
    """

    type = "run_started"
    agent: str
    model: str
    prompt: str
    messages: tuple[Message, ...] = ()
    parent_run_id: str = ""
    parent_call_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelRequested(_Event):
    """A model call began.

    Attributes:
        attempt: Number of the model call within the run, from 1.
        model: Name of the model.
        aside: Whether the call is no part of the conversation.
    """

    type = "model_requested"
    attempt: int
    model: str = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class ModelRetried(_Event):
    """A model call failed for a passing reason and is made again.

    Attributes:
        model: Name of the model that failed.
        attempt: Number of the attempt that failed, from 1.
        reason: Why it failed.
        delay: Seconds until the next attempt.
        next_model: Name of the model that is asked instead, if it is another one.
    """

    type = "model_retried"
    model: str
    attempt: int
    reason: str
    delay: float
    next_model: str = ""


@dataclass(frozen=True, slots=True)
class TextReceived(_Event):
    """A piece of a model's text arrived. Whether it is part of the final answer shows only later.

    Attributes:
        text: The piece; never empty.
    """

    type = "text_received"
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningReceived(_Event):
    """A piece of a model's thoughts arrived.

    Attributes:
        text: The piece; never empty.
    """

    type = "reasoning_received"
    text: str


@dataclass(frozen=True, slots=True)
class ModelAnswered(_Event):
    """A model call ended with an answer.

    Attributes:
        message: The whole answer, as guardrails left it.
        usage: What the call used.
        finish_reason: Why the model stopped.
        model: The model that answered, as its server names it.
        logprobs: How likely each token of the text was, where the server was asked for it.
        aside: Whether the call is no part of the conversation, such as that of a memory that summarises it.
        attempt: Number of the model call within the run, as `ModelRequested` has it.
    """

    type = "model_answered"
    message: AssistantMessage
    usage: Usage
    finish_reason: FinishReason = "stop"
    model: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    aside: bool = False
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class GuardrailChecked(_Event):
    """A guardrail decided.

    Attributes:
        guardrail: Name of the guardrail.
        stage: What it looked at.
        decision: What it decided.
        reason: Why, in its own words; empty where it allowed.
        tool: Name of the tool whose call or result it looked at; empty for prompt and answer.
    """

    type = "guardrail_checked"
    guardrail: str
    stage: GuardrailStage
    decision: GuardrailDecision
    reason: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRequested(_Event):
    """A tool call waits for a person.

    Attributes:
        request: What is to be approved.
    """

    type = "approval_requested"
    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class ApprovalDecided(_Event):
    """A tool call was approved or denied.

    Attributes:
        request: What was to be approved.
        approval: The decision; None where none came in time, or none that counts.
        reason: Why it does not count, or what the approver said.
    """

    type = "approval_decided"
    request: ApprovalRequest
    approval: Approval | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ToolStarted(_Event):
    """A tool call began.

    Attributes:
        call: The model's request.
    """

    type = "tool_started"
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolRetried(_Event):
    """A tool call failed for a passing reason and is made again; never one that must take effect once.

    Attributes:
        call: The model's request.
        attempt: Number of the attempt that failed, from 1.
        reason: Why it failed.
    """

    type = "tool_retried"
    call: ToolCall
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class ToolFinished(_Event):
    """A tool call ended, carried out or not.

    Attributes:
        call: The model's request.
        content: The result as the model will see it.
        outcome: How it ended; the content says why, unless it is ``ok``.
    """

    type = "tool_finished"
    call: ToolCall
    content: str
    outcome: ToolOutcome = "ok"

    @property
    def is_error(self) -> bool:
        """Whether there is no result."""
        return self.outcome != "ok"


@dataclass(frozen=True, slots=True)
class OutputRejected(_Event):
    """A final answer did not fit the declared output type, or a guardrail sent it back; the model is asked again.

    Attributes:
        reason: What was wrong.
        messages: What the model is told, as the conversation goes on.
    """

    type = "output_rejected"
    reason: str
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class HandedOff(_Event):
    """Another agent goes on with the conversation.

    Attributes:
        agent: Name of the agent that handed over.
        to: Name of the agent that goes on.
        model: Name of the model of the agent that goes on.
        instructions: What that agent's model is told before the conversation; nothing if empty.
        prompt: What the first agent was asked, as the guardrails of this one left it; None where that is not said.
    """

    type = "handed_off"
    agent: str
    to: str
    model: str
    instructions: str = ""
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class RunFailed(_Event):
    """The run ended without a result; the last event of such a run, right before the error is raised.

    Attributes:
        error: The error.
    """

    type = "run_failed"
    error: CoreError


@dataclass(frozen=True)
class RunFinished(_Event, Generic[OutT]):
    """The run ended with a result; always the last event of a run that did not fail.

    Attributes:
        result: The result.
    """

    type = "run_finished"
    result: RunResult[OutT]


RunEvent: TypeAlias = (
    RunStarted
    | ModelRequested
    | ModelRetried
    | TextReceived
    | ReasoningReceived
    | ModelAnswered
    | GuardrailChecked
    | ApprovalRequested
    | ApprovalDecided
    | ToolStarted
    | ToolRetried
    | ToolFinished
    | OutputRejected
    | HandedOff
    | RunFailed
    | RunFinished[OutT]
)
"""Any event of a run whose output is an ``OutT``."""
