"""Messages in the shape that the conventions have for them; used only where content is switched on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.messages import Image, Message
    from agent_factory.core.models import FinishReason

__all__ = ["render_input", "render_output"]


def render_input(messages: Iterable[Message]) -> str:
    """Return a conversation as the JSON text of ``gen_ai.input.messages``.

    Args:
        messages: The conversation.
    """
    rendered = [{"role": message.role, "parts": _render_parts(message)} for message in messages]
    return json.dumps(rendered, ensure_ascii=False)


def render_output(message: AssistantMessage, finish_reason: FinishReason) -> str:
    """Return an answer as the JSON text of ``gen_ai.output.messages``.

    Args:
        message: The answer.
        finish_reason: Why the model stopped.
    """
    # The one reason that the conventions word otherwise.
    reason = "tool_call" if finish_reason == "tool_calls" else finish_reason
    rendered = {"role": "assistant", "parts": _render_parts(message), "finish_reason": reason}
    return json.dumps([rendered], ensure_ascii=False)


def _render_parts(message: Message) -> list[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        return [{"type": "tool_call_response", "id": message.call_id, "response": message.content}]
    parts: list[dict[str, Any]] = []
    if isinstance(message, AssistantMessage):
        parts += [
            {"type": "reasoning", "content": thought.text}
            for thought in message.reasoning
            if thought.text
        ]
    if message.text:
        parts.append({"type": "text", "content": message.text})
    if isinstance(message, UserMessage):
        parts += [_render_image(image) for image in message.images]
    elif isinstance(message, AssistantMessage):
        parts += [
            {
                "type": "tool_call",
                "id": call.id,
                "name": call.name,
                "arguments": _parse(call.arguments),
            }
            for call in message.tool_calls
        ]
    return parts


def _render_image(image: Image) -> dict[str, Any]:
    if image.url.startswith("data:"):
        head, _, content = image.url.partition(",")
        media_type = head.removeprefix("data:").partition(";")[0]
        return {"type": "blob", "modality": "image", "mime_type": media_type, "content": content}
    return {"type": "uri", "modality": "image", "uri": image.url}


def _parse(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
