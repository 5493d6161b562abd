"""The port through which an agent talks to a model.

Adapters live in other distributions (`agent_factory.integrations` has several); for tests there are
`agent_factory.core.testing.ScriptedModel` and `FunctionModel`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from agent_factory.core.messages import AssistantMessage, Message
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from agent_factory.core.exceptions import ModelError

__all__ = [
    "Ask",
    "FinishReason",
    "Model",
    "ModelDelta",
    "ModelRequest",
    "ModelResponse",
    "ModelRetry",
    "OutputSchema",
    "ReasoningDelta",
    "TextDelta",
    "TokenLogprob",
    "ToolSpec",
    "get_sent",
]

FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter", "refusal"]
"""Why a model stopped: it was done, it wants tools called, it ran out of tokens, it was filtered, or it refused.

The text of a refusal is what the model said instead of an answer.
"""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool.

    Attributes:
        name: Name, 1 to 64 characters out of letters, digits, ``_`` and ``-``.
        description: What the tool does, in words for the model.
        parameters: JSON Schema (2020-12) of the arguments, an object.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """The shape that the final answer must have.

    Attributes:
        name: A short name of the shape, made as a tool's name is.
        schema: JSON Schema (2020-12) of the answer.
    """

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRetry:
    """A model call that failed for a passing reason is made again.

    Attributes:
        model: Name of the model that failed.
        attempt: Number of the attempt that failed, from 1.
        reason: Why, as the error says it.
        delay: Seconds until the next attempt.
        next_model: Name of the model that is asked instead, if it is another one.
        sent: Whether the attempt that failed may have to be paid for; None if that is not known, which counts as paid for.
    """

    model: str
    attempt: int
    reason: str
    delay: float
    next_model: str = ""
    sent: bool | None = None


def get_sent(error: ModelError) -> bool | None:
    """Return whether the attempt that ended with an error may have to be paid for; None if that is not known.

    What the details of the error say of it counts; else an error with an HTTP status is one that the server refused.

    Args:
        error: What the model raised.
    """
    said = error.details.get("last_sent", error.details.get("sent"))
    if isinstance(said, bool):
        return said
    return None if error.status is None else False


def _ignore(retry: ModelRetry) -> None:
    """Take no notice of a retry."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model.

    Attributes:
        messages: The conversation, oldest first; passes `check_history`.
        tools: The tools that the model may ask for.
        output: The shape of a structured answer, or None for free text.
        timeout: Seconds until the adapter must have answered or failed; greater than 0.
        max_output_tokens: Tokens that the answer may have at most, or None to leave that to the model.
        notify: Told of each attempt that failed, before it is made again. What it raises ends the call: a budget has no
            room for another attempt, say.
        memo: Where an adapter may keep what it made of the messages, so that each is encoded once a run: all
            requests of a run carry the same dictionary, and the run keeps its messages alive. Keys start
            with the adapter's class.
        seed: What a model that can repeat itself is to begin with, or None to leave that to it.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSchema | None = None
    timeout: float = 60.0
    max_output_tokens: int | None = None
    notify: Callable[[ModelRetry], None] = field(default=_ignore, repr=False, compare=False)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """How likely a model held one token of its answer.

    Attributes:
        token: The token's text.
        logprob: Natural logarithm of its probability; 0 or less.
        top: The likeliest tokens at its place with their logarithms, as far as they were asked for.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """A model's whole answer.

    Attributes:
        message: What it said, with the tool calls it wants.
        usage: What the call used; ``requests`` is 1.
        finish_reason: Why it stopped.
        model: The model that answered, as the server names it.
        logprobs: How likely each token of the text was, where the server was asked for it.
        answered_by: `Model.name` of the model that answered, where that is another one than was asked.
    """

    message: AssistantMessage
    usage: Usage = field(default_factory=lambda: Usage(requests=1))
    finish_reason: FinishReason = "stop"
    model: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text as it arrives.

    Attributes:
        text: The piece; never empty.
    """

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's thoughts as it arrives.

    Attributes:
        text: The piece; never empty.
    """

    text: str


ModelDelta: TypeAlias = TextDelta | ReasoningDelta
"""A piece of an answer as it arrives."""


class Ask(Protocol):
    """Asks a model within the limits and budgets of a run, aside from its conversation."""

    async def __call__(
        self, model: Model, messages: tuple[Message, ...], *, output: OutputSchema | None = None
    ) -> str:
        """Return the text of the model's answer.

        Args:
            model: The model.
            messages: A conversation that passes `check_history`.
            output: The shape of a structured answer, or None for free text.

        Raises:
            CoreError: The call failed, the answer is not whole, or a limit or budget was reached.
        """
        ...


@runtime_checkable
class Model(Protocol):
    """A model that answers requests. Safe to use by many runs at a time.

    A model with the attribute ``keeps_deadlines = True`` is awaited where it is called. It promises to have answered or
    failed within the timeout of each request, and to end at once when it is cancelled. Any other model gets a task of
    its own, which is left behind where it does not end.
    """

    @property
    def name(self) -> str:
        """Name for people and records, such as ``openai:gpt-5-mini``."""
        ...

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        """Answer a request piece by piece.

        Yields:
            Text and thoughts as they arrive, then, as the last item, the whole `ModelResponse`, whose text
            is the concatenation of the pieces of text.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        ...
