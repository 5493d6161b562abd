"""Writes requests of the Responses protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, Message, ToolMessage, UserMessage
from agent_factory.integrations.openai.encoding import describe_output
from agent_factory.integrations.openai.responses_reasoning import encode_reasoning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.models import OutputSchema, ToolSpec

__all__ = ["REASONING", "RESERVED_FIELDS", "encode_fields", "encode_message"]

REASONING = "reasoning.encrypted_content"
"""What is to be part of an answer so that a model's thoughts can be sent back to a server that stores nothing."""

RESERVED_FIELDS = frozenset(
    {
        "background", "conversation", "input", "model", "previous_response_id", "store", "stream",
        "tools",
    }
)  # fmt: skip
"""Fields of a request that the client sets itself, or that would make the server keep the conversation."""


def encode_fields(
    tools: Sequence[ToolSpec],
    output: OutputSchema | None,
    *,
    streaming: bool,
    extra: Mapping[str, Any],
    reasoning: bool = True,
) -> dict[str, Any]:
    """Return the fields of a request, without those of the model and the conversation.

    The server is asked to store nothing.

    Args:
        tools: The tools that the model may ask for.
        output: The shape of a structured answer, or None.
        streaming: Whether the answer is to come piece by piece.
        extra: Further fields, JSON-compatible; none of `RESERVED_FIELDS`, ``text`` without ``format``, and ``include``
            a list.
        reasoning: Whether to ask for the model's thoughts in the form in which they can be sent back.
    """
    fields: dict[str, Any] = {"store": False, **extra}
    wanted = fields.pop("include", [])
    if reasoning and REASONING not in wanted:
        wanted = [REASONING, *wanted]
    if wanted:
        fields["include"] = wanted
    if tools:
        fields["tools"] = [
            {
                "type": "function",
                "name": spec.name,
                "description": spec.description,
                "parameters": spec.parameters,
                # Strict is the default of this protocol, and refuses schemas that it cannot express.
                "strict": False,
            }
            for spec in tools
        ]
    if output is not None:
        shape = {"type": "json_schema", **describe_output(output)}
        fields["text"] = {**fields.get("text", {}), "format": shape}
    if streaming:
        fields["stream"] = True
    return fields


def encode_message(message: Message) -> list[dict[str, Any]]:
    """Return a message as the items that the protocol makes of it.

    Args:
        message: The message.

    Raises:
        ValueError: Thoughts of this protocol are not the JSON object that they were.
    """
    if isinstance(message, ToolMessage):
        output = message.content
        return [{"type": "function_call_output", "call_id": message.call_id, "output": output}]
    if isinstance(message, UserMessage) and message.images:
        return [{"role": "user", "content": _encode_parts(message)}]
    if not isinstance(message, AssistantMessage):
        return [{"role": message.role, "content": message.text}]
    items = encode_reasoning(message.reasoning)
    if message.text or not message.tool_calls:
        items.append({"role": message.role, "content": message.text})
    for call in message.tool_calls:
        items.append(
            {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments or "{}",
            }
        )
    return items


def _encode_parts(message: UserMessage) -> list[dict[str, Any]]:
    text: list[dict[str, Any]] = (
        [{"type": "input_text", "text": message.text}] if message.text else []
    )
    return text + [
        {"type": "input_image", "image_url": image.url, "detail": image.detail}
        for image in message.images
    ]
