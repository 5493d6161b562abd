"""Writes requests of the Responses protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, Message, ToolMessage
from agent_factory.integrations.openai.encoding import describe_output, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_factory.core.models import ModelRequest

__all__ = ["RESERVED_FIELDS", "encode_request"]

RESERVED_FIELDS = frozenset(
    {
        "background", "conversation", "input", "model", "previous_response_id", "store", "stream",
        "tools",
    }
)  # fmt: skip
"""Fields of a request that the client sets itself, or that would make the server keep the conversation."""


def encode_request(
    request: ModelRequest, *, model: str, stream: bool, extra: Mapping[str, object]
) -> bytes:
    """Return the body of a request. The server is asked to store nothing.

    Args:
        request: What the agent asks.
        model: Name of the model.
        stream: Whether the answer is to come piece by piece.
        extra: Further fields, JSON-compatible; none of `RESERVED_FIELDS`, and ``text`` without ``format``.
    """
    body: dict[str, Any] = {
        "model": model,
        "input": [item for message in request.messages for item in _encode_message(message)],
        "store": False,
        **extra,
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
                # Strict is the default of this protocol, and refuses schemas that it cannot express.
                "strict": False,
            }
            for spec in request.tools
        ]
    if request.output is not None:
        shape = {"type": "json_schema", **describe_output(request.output)}
        body["text"] = {**body.get("text", {}), "format": shape}
    if stream:
        body["stream"] = True
    return write_json(body)


def _encode_message(message: Message) -> Iterator[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        yield {
            "type": "function_call_output",
            "call_id": message.call_id,
            "output": message.content,
        }
        return
    calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
    if message.text or not calls:
        yield {"role": message.role, "content": message.text}
    for call in calls:
        yield {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments or "{}",
        }
