"""Every error that `agent_factory.core` raises, drawn once.

```
AgentFactoryError                 root of every distribution's errors
└── CoreError                     root of this distribution
    ├── ConfigurationError        an agent, a tool or a workflow was put together wrongly
    │   ├── ToolDefinitionError   a function cannot be made into a tool
    │   └── ExportError           agents cannot be written as a blueprint (agent_factory.core.blueprints)
    ├── BlueprintError            a blueprint file cannot be used; carries every problem found
    ├── ModelError                a model call failed
    │   ├── ModelConnectionError      no answer: refused, reset or timed out  (retryable)
    │   ├── ModelAuthenticationError  the key was refused
    │   ├── ModelRateLimitError       too many requests                        (retryable)
    │   ├── ModelServerError          the server failed                        (retryable)
    │   ├── ModelRequestError         the server refused the request
    │   │   ├── ModelContextLengthError   the conversation is too long for the model
    │   │   └── ModelContentFilterError   the provider's filter refused the request
    │   └── ModelResponseError        the answer breaks the protocol
    ├── ToolError                 a tool failed; the model is told and may go on
    │   ├── ToolNotFoundError     the model asked for a tool that the agent does not have
    │   ├── ToolArgumentsError    the model's arguments do not fit the tool's schema
    │   ├── ToolTimeoutError      a tool ran past its deadline
    │   ├── ToolDeniedError       the call was not approved, or not allowed
    │   │   └── PermissionDeniedError   the blueprint's permissions do not name what the call touches
    │   └── ToolOutcomeUnknownError   whether the call took effect is not known
    ├── ToolExecutionError        a tool raised something else than a ToolError; the run stops
    ├── ApprovalError             an approval is not one of the call it was given for
    ├── GuardrailError            a guardrail blocked the run, or could not look
    ├── MemoryConflictError       a conversation was changed by somebody else meanwhile (retryable)
    ├── OutputError               the final answer does not fit the declared output type
    │   └── RefusalError          the model refused to answer
    ├── LimitExceededError        a run reached one of its limits
    │   └── BudgetExceededError       a budget that several runs share has not that much left
    ├── RunTimeoutError           a run reached its deadline (retryable)
    ├── RunCancelledError         the caller cancelled a run; only in its last event
    ├── HistoryError              messages that break the pairing of tool calls and results
    ├── RecordError               data that is no event, or events that are no run (agent_factory.core.records)
    ├── RecordedError             the error of a run as its record tells of it (agent_factory.core.records)
    ├── CassetteError             a cassette cannot be used (agent_factory.core.testing, as what follows)
    │   ├── CassetteMissError     a request that was not recorded
    │   ├── CassetteUnusedError   a recording that nothing asked for
    │   └── CassetteFormatError   a file that is no cassette
    ├── DeadlockError             on a virtual clock, everything waits for what cannot happen
    └── WorkflowError             a step of a workflow failed
```

Each class has a stable ``code`` for machines, and ``retryable`` says whether the same call may succeed later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.source import Problem

__all__ = [
    "AgentFactoryError",
    "ApprovalError",
    "BlueprintError",
    "BudgetExceededError",
    "ConfigurationError",
    "CoreError",
    "GuardrailError",
    "HistoryError",
    "LimitExceededError",
    "MemoryConflictError",
    "ModelAuthenticationError",
    "ModelConnectionError",
    "ModelContentFilterError",
    "ModelContextLengthError",
    "ModelError",
    "ModelRateLimitError",
    "ModelRequestError",
    "ModelResponseError",
    "ModelServerError",
    "OutputError",
    "PermissionDeniedError",
    "RefusalError",
    "RunCancelledError",
    "RunTimeoutError",
    "ToolArgumentsError",
    "ToolDefinitionError",
    "ToolDeniedError",
    "ToolError",
    "ToolExecutionError",
    "ToolNotFoundError",
    "ToolOutcomeUnknownError",
    "ToolTimeoutError",
    "WorkflowError",
]


class AgentFactoryError(Exception):
    """Root of every error that an Agent Factory distribution raises on purpose.

    Args:
        message: What was wrong, where, and what to do next; safe to show to a user.
        details: Structured fields for machines, JSON-compatible and free of secrets.

    Attributes:
        code: Stable, lower-case identifier of the kind of error.
        retryable: Whether the same call may succeed when it is repeated later.
        message: The message as given.
        details: The structured fields as given.
    """

    code: ClassVar[str] = "agent_factory_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = dict(details or {})

    def __reduce__(self) -> tuple[object, ...]:
        """Say how to make a copy: not by calling the class, whose arguments only its subclasses know."""
        return _create_empty, (type(self), self.args), vars(self)

    def to_dict(self) -> dict[str, object]:
        """Return the error as plain JSON-compatible data: code, message, retryable, details."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "details": self.details,
        }


def _create_empty(cls: type[AgentFactoryError], args: tuple[object, ...]) -> AgentFactoryError:
    """Return an error that has its attributes still to come, for `copy` and `pickle`."""
    return cls.__new__(cls, *args)


class CoreError(AgentFactoryError):
    """Root of the errors of `agent_factory.core`."""

    code = "core_error"


class ConfigurationError(CoreError):
    """An agent, a tool or a workflow was put together wrongly by the program."""

    code = "configuration"


class ToolDefinitionError(ConfigurationError):
    """A function cannot be made into a tool: its signature says too little or too much."""

    code = "tool_definition"


class BlueprintError(CoreError):
    """A blueprint file cannot be used.

    Args:
        message: A heading for the problems.
        problems: Every problem found, in the order of the file; at least one.
    """

    code = "blueprint"

    def __init__(self, message: str, *, problems: Sequence[Problem]) -> None:
        super().__init__(message, details={"problems": [item.to_dict() for item in problems]})
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *(str(problem) for problem in self.problems)])


class ModelError(CoreError):
    """A model call failed.

    Args:
        message: What was wrong, and what to do next.
        model: Name of the model that was called.
        status: HTTP status of the answer, if there was one.
        retry_after: Seconds the server asks to wait before the next try, if it said so.
        details: Further structured fields.
    """

    code = "model"

    def __init__(
        self,
        message: str,
        *,
        model: str,
        status: int | None = None,
        retry_after: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        known = {"model": model, "status": status, "retry_after": retry_after}
        super().__init__(
            message,
            details={key: value for key, value in known.items() if value is not None}
            | dict(details or {}),
        )
        self.model = model
        self.status = status
        self.retry_after = retry_after


class ModelConnectionError(ModelError):
    """The model gave no answer: the connection was refused, reset, or timed out."""

    code = "model_connection"
    retryable = True


class ModelAuthenticationError(ModelError):
    """The server refused the key, or the key lacks a permission."""

    code = "model_authentication"


class ModelRateLimitError(ModelError):
    """The server accepts no more requests for now."""

    code = "model_rate_limit"
    retryable = True


class ModelServerError(ModelError):
    """The server failed while it worked on the request."""

    code = "model_server"
    retryable = True


class ModelRequestError(ModelError):
    """The server understood the request and refused it; the same request fails again."""

    code = "model_request"


class ModelContextLengthError(ModelRequestError):
    """The conversation, with the answer asked for, is longer than the model can read."""

    code = "model_context_length"


class ModelContentFilterError(ModelRequestError):
    """The provider's filter refused the request before the model answered."""

    code = "model_content_filter"


class ModelResponseError(ModelError):
    """The answer breaks the protocol: cut short, not JSON, or without a required field."""

    code = "model_response"


class ToolError(CoreError):
    """A tool failed in a way that the model should be told about.

    Tools raise it themselves: the message goes to the model, which may try again.

    Args:
        message: What was wrong and what the model could do instead.
        tool: Name of the tool, where it is known.
        details: Further structured fields.
    """

    code = "tool"

    def __init__(
        self,
        message: str,
        *,
        tool: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        named = {} if tool is None else {"tool": tool}
        super().__init__(message, details=named | dict(details or {}))
        self.tool = tool


class ToolNotFoundError(ToolError):
    """The model asked for a tool that the agent does not have."""

    code = "tool_not_found"


class ToolArgumentsError(ToolError):
    """The model's arguments are not JSON, or do not fit the tool's schema."""

    code = "tool_arguments"


class ToolTimeoutError(ToolError):
    """A tool ran past its deadline."""

    code = "tool_timeout"


class ToolDeniedError(ToolError):
    """A tool call was not carried out: nobody approved it, or a guardrail or a permission forbids it."""

    code = "tool_denied"


class PermissionDeniedError(ToolDeniedError):
    """Something was asked for that the permissions of the blueprint do not name.

    Args:
        message: What was refused, why, and what would permit it.
        permission: What it was about, such as ``hosts`` or ``read``.
        target: What was asked for.
        tool: Name of the tool, where it is known.
    """

    code = "permission_denied"

    def __init__(
        self, message: str, *, permission: str, target: str, tool: str | None = None
    ) -> None:
        super().__init__(message, tool=tool, details={"permission": permission, "target": target})
        self.permission = permission
        self.target = target


class ToolOutcomeUnknownError(ToolError):
    """A tool call that must take effect once was cut off: whether it took effect is not known."""

    code = "tool_outcome_unknown"


class ToolExecutionError(CoreError):
    """A tool raised something other than a `ToolError`: a defect, so the run stops.

    Args:
        message: What was raised, without its traceback; ``__cause__`` has the exception.
        tool: Name of the tool.
    """

    code = "tool_execution"

    def __init__(self, message: str, *, tool: str) -> None:
        super().__init__(message, details={"tool": tool})
        self.tool = tool


class OutputError(CoreError):
    """The final answer is none, does not fit the declared output type, or a guardrail sent it back too often.

    ``details["reason"]`` is ``length``, ``content_filter``, ``empty``, ``mismatch`` or ``guardrail``.
    """

    code = "output"


class RefusalError(OutputError):
    """The model refused to answer.

    Args:
        message: What was wrong, and what to do next.
        refusal: What the model said instead of an answer.
    """

    code = "refusal"

    def __init__(self, message: str, *, refusal: str) -> None:
        super().__init__(message, details={"refusal": refusal})
        self.refusal = refusal


class ApprovalError(CoreError):
    """An approval was not one of the tool call that it was given for: another digest, too late, or used before."""

    code = "approval"


class GuardrailError(CoreError):
    """A guardrail blocked the run, or could not look.

    Args:
        message: What was blocked, and why.
        guardrail: Name of the guardrail.
        stage: What it looked at.
        tool: Name of the tool, where it looked at a call or a result.
    """

    code = "guardrail"

    def __init__(self, message: str, *, guardrail: str, stage: str, tool: str = "") -> None:
        details = {"guardrail": guardrail, "stage": stage}
        super().__init__(message, details=details | ({"tool": tool} if tool else {}))
        self.guardrail = guardrail
        self.stage = stage
        self.tool = tool


class MemoryConflictError(CoreError):
    """A conversation was changed by somebody else since it was read."""

    code = "memory_conflict"
    retryable = True


class LimitExceededError(CoreError):
    """A run reached one of its limits before it had an answer.

    Args:
        message: Which limit, and how to raise it.
        limit: Name of the field of `Limits` that was reached, or of the argument of a memory policy.
        allowed: The limit's value.
    """

    code = "limit_exceeded"

    def __init__(self, message: str, *, limit: str, allowed: float) -> None:
        super().__init__(message, details={"limit": limit, "allowed": allowed})
        self.limit = limit
        self.allowed = allowed


class BudgetExceededError(LimitExceededError):
    """A budget that several runs share has not as much left as a call may use.

    Args:
        message: Which budget, what it lacks, and how much is left.
        budget: Name of the budget.
        limit: What it lacks: a field of `Usage`.
        allowed: How much the whole budget has.
        wanted: How much was to be reserved; None where no price is known.
        left: How much is left.
    """

    code = "budget_exceeded"

    def __init__(
        self, message: str, *, budget: str, limit: str, allowed: int, wanted: int | None, left: int
    ) -> None:
        super().__init__(message, limit=limit, allowed=allowed)
        self.details |= {"budget": budget, "wanted": wanted, "left": left}
        self.budget = budget
        self.wanted = wanted
        self.left = left


class RunTimeoutError(CoreError):
    """A run reached its deadline before it had an answer."""

    code = "run_timeout"
    retryable = True


class RunCancelledError(CoreError):
    """The caller cancelled a run. It stands in the run's last event; the caller sees `asyncio.CancelledError`."""

    code = "run_cancelled"


class HistoryError(CoreError):
    """Messages in which a tool call has no result, or a result has no call."""

    code = "history"


class WorkflowError(CoreError):
    """A step of a workflow failed.

    Args:
        message: What was wrong.
        workflow: Name of the workflow.
        step: Path of the step that failed: its name, after those of the nodes around it, as in ``pages/3/read``.
    """

    code = "workflow"

    def __init__(self, message: str, *, workflow: str, step: str) -> None:
        super().__init__(message, details={"workflow": workflow, "step": step})
        self.workflow = workflow
        self.step = step
