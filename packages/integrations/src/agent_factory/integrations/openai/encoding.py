"""Writes requests of the Chat Completions protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, Message, ToolMessage
from agent_factory.integrations.openai.schemas import make_strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.models import ModelRequest, OutputSchema

__all__ = ["RESERVED_FIELDS", "describe_output", "encode_request", "write_json"]

RESERVED_FIELDS = frozenset(
    {"model", "messages", "tools", "response_format", "stream", "stream_options", "n"}
)
"""Fields of a request that the client sets itself."""


def encode_request(
    request: ModelRequest, *, model: str, stream: bool, extra: Mapping[str, object]
) -> bytes:
    """Return the body of a request.

    Args:
        request: What the agent asks.
        model: Name of the model.
        stream: Whether the answer is to come piece by piece.
        extra: Further fields, JSON-compatible; none of `RESERVED_FIELDS`.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [_encode_message(message) for message in request.messages],
        **extra,
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                },
            }
            for spec in request.tools
        ]
    if request.output is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": describe_output(request.output),
        }
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return write_json(body)


def write_json(body: dict[str, Any]) -> bytes:
    """Return the bytes of a request.

    Args:
        body: The fields of the request; mappings of any kind are objects.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=dict)
    # Half of a surrogate pair is no character; servers answer it with an error that helps nobody.
    return text.encode("utf-8", "replace")


def describe_output(output: OutputSchema) -> dict[str, Any]:
    """Return what both protocols say of the shape of an answer: strict wherever it can be.

    Args:
        output: The shape.
    """
    strict = make_strict(output.schema)
    return {
        "name": output.name,
        "schema": output.schema if strict is None else strict,
        "strict": strict is not None,
    }


def _encode_message(message: Message) -> dict[str, Any]:
    if isinstance(message, ToolMessage):
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    if isinstance(message, AssistantMessage) and message.tool_calls:
        return {
            "role": "assistant",
            "content": message.text or None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments or "{}"},
                }
                for call in message.tool_calls
            ],
        }
    return {"role": message.role, "content": message.text}
