"""Writes requests of the Chat Completions protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, Message, ToolMessage, UserMessage
from agent_factory.integrations.openai.decoding import THOUGHTS_FIELDS
from agent_factory.integrations.openai.schemas import make_strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.models import OutputSchema, ToolSpec

__all__ = [
    "RESERVED_FIELDS",
    "describe_output",
    "encode_fields",
    "encode_message",
    "name_limits",
    "name_provider",
]

RESERVED_FIELDS = frozenset(
    {"model", "messages", "tools", "response_format", "stream", "stream_options", "n"}
)
"""Fields of a request that the client sets itself."""


def name_limits(host: str | None) -> tuple[str, ...]:
    """Return the names that the bound of an answer's tokens has on a server, the one that it knows first.

    Args:
        host: The server's name.
    """
    known = ("max_completion_tokens", "max_tokens")
    new = host == "api.openai.com" or (host or "").endswith(".openai.azure.com")
    # OpenAI's reasoning models refuse the old name, and many servers know no other.
    return known if new else known[::-1]


def name_provider(host: str | None) -> str:
    """Return what marks the thoughts of a server's models: no other server gets them.

    Args:
        host: The server's name.
    """
    return f"openai.chat:{host}"


def encode_fields(
    tools: Sequence[ToolSpec],
    output: OutputSchema | None,
    *,
    streaming: bool,
    extra: Mapping[str, object],
) -> dict[str, Any]:
    """Return the fields of a request, without those of the model and the conversation.

    Args:
        tools: The tools that the model may ask for.
        output: The shape of a structured answer, or None.
        streaming: Whether the answer is to come piece by piece.
        extra: Further fields, JSON-compatible; none of `RESERVED_FIELDS`.
    """
    fields: dict[str, Any] = dict(extra)
    if tools:
        fields["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                },
            }
            for spec in tools
        ]
    if output is not None:
        fields["response_format"] = {"type": "json_schema", "json_schema": describe_output(output)}
    if streaming:
        fields["stream"] = True
        fields["stream_options"] = {"include_usage": True}
    return fields


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


def encode_message(message: Message, provider: str = "") -> list[dict[str, Any]]:
    """Return a message as the protocol has it.

    Args:
        message: The message.
        provider: Marks the thoughts that came from the same server. Those before tool calls are sent back: some
            models do not go on without them.

    Raises:
        ValueError: Thoughts of that server are not the JSON object that they were.
    """
    if isinstance(message, ToolMessage):
        return [{"role": "tool", "tool_call_id": message.call_id, "content": message.content}]
    if isinstance(message, UserMessage) and message.images:
        return [{"role": "user", "content": _encode_parts(message)}]
    if isinstance(message, AssistantMessage) and message.tool_calls:
        encoded: dict[str, Any] = {
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
        for thought in message.reasoning:
            if provider and thought.provider == provider and thought.data:
                fields = json.loads(thought.data)
                if not isinstance(fields, dict) or not fields.keys() <= set(THOUGHTS_FIELDS):
                    raise ValueError("it is not an object with one of the fields of thoughts")
                encoded |= fields
        return [encoded]
    return [{"role": message.role, "content": message.text}]


def _encode_parts(message: UserMessage) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text else []
    for image in message.images:
        shown = {"url": image.url, "detail": image.detail}
        parts.append({"type": "image_url", "image_url": shown})
    return parts
