"""What the readers of both protocols share: putting an answer together from what arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent_factory.core.messages import AssistantMessage, ToolCall
from agent_factory.core.models import FinishReason, ModelResponse
from agent_factory.core.usage import Usage
from agent_factory.integrations.openai.fields import ProtocolError, as_object, as_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Fold", "PendingCall", "assemble", "read_model", "read_usage"]


class Fold(Protocol):
    """Puts the pieces of a streamed answer together."""

    @property
    def ended(self) -> bool:
        """Whether nothing of the answer can follow any more."""
        ...

    def add_chunk(self, body: dict[str, Any]) -> str:
        """Take one chunk and return the text in it, which may be empty.

        Args:
            body: The chunk, from `decode_json`.

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
) -> ModelResponse:
    """Return the response that the parts of an answer make.

    Args:
        text: The pieces of its text.
        calls: Its tool calls.
        finish: Why the model stopped, as the server says.
        refused: Whether the model refused to answer.
        usage: What the call used.
        model: The model that answered, as the server names it.

    Raises:
        ProtocolError: The parts contradict each other.
    """
    built = tuple(call.build(number) for number, call in enumerate(calls, 1))
    finish = "content_filter" if refused else finish
    # Many servers say "stop" where they mean that they want tools called.
    if built and finish == "stop":
        finish = "tool_calls"
    if finish == "tool_calls" and not built:
        raise ProtocolError("the model stopped for tool calls, but there are none")
    if len({call.id for call in built}) < len(built):
        raise ProtocolError("two tool calls have the same id")
    return ModelResponse(AssistantMessage("".join(text), built), usage, finish, model)


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
        return Usage(requests=1)
    usage = as_object(body["usage"], "usage")
    counts = []
    for name in (input_field, output_field):
        value = usage.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ProtocolError(f"'usage.{name}' is {shown(value)} instead of a count")
        counts.append(value)
    return Usage(1, *counts)
