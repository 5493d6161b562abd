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
    from collections.abc import AsyncIterator, Mapping

__all__ = [
    "FinishReason",
    "Model",
    "ModelRequest",
    "ModelResponse",
    "OutputSchema",
    "TextDelta",
    "ToolSpec",
]

FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter"]
"""Why a model stopped: it was done, it wants tools called, it ran out of tokens, or it was filtered."""


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
class ModelRequest:
    """One question to a model.

    Attributes:
        messages: The conversation, oldest first; passes `check_history`.
        tools: The tools that the model may ask for.
        output: The shape of a structured answer, or None for free text.
        timeout: Seconds until the adapter must have answered or failed; greater than 0.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSchema | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """A model's whole answer.

    Attributes:
        message: What it said, with the tool calls it wants.
        usage: What the call used; ``requests`` is 1.
        finish_reason: Why it stopped.
        model: The model that answered, as the server names it.
    """

    message: AssistantMessage
    usage: Usage = field(default_factory=lambda: Usage(requests=1))
    finish_reason: FinishReason = "stop"
    model: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text as it arrives.

    Attributes:
        text: The piece; never empty.
    """

    text: str


@runtime_checkable
class Model(Protocol):
    """A model that answers requests. Safe to use by many runs at a time."""

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

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
        """Answer a request piece by piece.

        Yields:
            Text as it arrives, then, as the last item, the whole `ModelResponse`, whose text is
            the concatenation of the pieces.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        ...
