"""What the readers of both protocols share: putting an answer together from what arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent_factory.core.messages import AssistantMessage, Reasoning, ToolCall
from agent_factory.core.models import (
    FinishReason,
    ModelDelta,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
)
from agent_factory.core.usage import Usage
from agent_factory.integrations.openai.fields import ProtocolError, as_object, as_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["UNCOUNTED", "Fold", "PendingCall", "assemble", "read_model", "read_usage", "take_apart"]

UNCOUNTED = Usage(requests=1, cost=None)
"""What a call used whose server does not count; what it costs is for the run to say."""


_TOO_MANY = 2**53
"""No count is that large, and not every reader of JSON could tell it from the next one."""


class Fold(Protocol):
    """Puts the pieces of a streamed answer together."""

    @property
    def ended(self) -> bool:
        """Whether nothing of the answer can follow any more."""
        ...

    def add(self, body: dict[str, Any], deltas: list[ModelDelta]) -> None:
        """Take one chunk.

        Args:
            body: The chunk, from `decode_json`.
            deltas: Gets the pieces of text and of thoughts in it.

        Raises:
            ProtocolError: A field is not what the protocol says.
            ReportedError: It is an error of the server.
        """
        ...

    def finished(self) -> ModelResponse:
        """Return the whole response.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        ...


class PendingCall:
    """A tool call as far as it has arrived.

    Attributes:
        id: The server's identifier of it, or an empty text.
        name: Name of the tool, or an empty text.
        arguments: The pieces of its arguments.
    """

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def build(self, number: int) -> ToolCall:
        """Return the whole call.

        Args:
            number: Its place among the calls of the answer, from 1.

        Raises:
            ProtocolError: It has no name.
        """
        if not self.name:
            raise ProtocolError(f"tool call number {number} has no name")
        # The id only pairs a call with its result, so one of ours does where a server gives none.
        return ToolCall(self.id or f"call-{number}", self.name, "".join(self.arguments))


def assemble(
    text: Sequence[str],
    calls: Iterable[PendingCall],
    finish: FinishReason,
    *,
    refused: bool,
    usage: Usage,
    model: str,
    reasoning: Iterable[Reasoning] = (),
    logprobs: Iterable[TokenLogprob] = (),
) -> ModelResponse:
    """Return the response that the parts of an answer make.

    Args:
        text: The pieces of its text.
        calls: Its tool calls.
        finish: Why the model stopped, as the server says.
        refused: Whether the model refused to answer.
        usage: What the call used.
        model: The model that answered, as the server names it.
        reasoning: What the model thought before.
        logprobs: How likely each token of the text was.

    Raises:
        ProtocolError: The parts contradict each other.
    """
    built = tuple(call.build(number) for number, call in enumerate(calls, 1))
    finish = "refusal" if refused else finish
    # Many servers say "stop" where they mean that they want tools called.
    if built and finish == "stop":
        finish = "tool_calls"
    if finish == "tool_calls" and not built:
        raise ProtocolError("the model stopped for tool calls, but there are none")
    if len({call.id for call in built}) < len(built):
        raise ProtocolError("two tool calls have the same id")
    message = AssistantMessage("".join(text), built, tuple(reasoning))
    return ModelResponse(message, usage, finish, model, tuple(logprobs))


def take_apart(response: ModelResponse) -> list[ModelDelta]:
    """Return the pieces that a stream would have given out, where a response came as a whole.

    Args:
        response: The response.
    """
    message = response.message
    deltas: list[ModelDelta] = [
        ReasoningDelta(thought.text) for thought in message.reasoning if thought.text
    ]
    if message.text:
        deltas.append(TextDelta(message.text))
    return deltas


def read_model(body: dict[str, Any]) -> str:
    """Return the name of the model in an answer, or an empty text.

    Raises:
        ProtocolError: It is no text.
    """
    return as_text(body.get("model"), "model")


def read_usage(body: dict[str, Any], input_field: str, output_field: str) -> Usage:
    """Return what a call used, as far as the answer says.

    Args:
        body: The answer.
        input_field: Name of the count of tokens that the model read.
        output_field: Name of the count of tokens that it wrote.

    Raises:
        ProtocolError: A count is none.
    """
    if body.get("usage") is None:
        return UNCOUNTED
    usage = as_object(body["usage"], "usage")
    read = _read_count(usage.get(input_field, 0), f"usage.{input_field}")
    written = _read_count(usage.get(output_field, 0), f"usage.{output_field}")
    cached = _read_detail(usage, f"{input_field}_details", "cached_tokens")
    thought = _read_detail(usage, f"{output_field}_details", "reasoning_tokens")
    # Both are parts: a server that counts them beside the rest would make totals wrong.
    return Usage(1, read, written, 0, min(cached, read), min(thought, written), None)


def _read_detail(usage: dict[str, Any], field: str, name: str) -> int:
    details = usage.get(field)
    if details is None:
        return 0
    return _read_count(as_object(details, f"usage.{field}").get(name) or 0, f"usage.{field}.{name}")


def _read_count(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _TOO_MANY:
        raise ProtocolError(f"'{where}' is {shown(value)} instead of a count")
    return value
