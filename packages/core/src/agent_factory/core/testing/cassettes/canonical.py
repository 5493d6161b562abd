"""The canonical form of requests: two requests are the same if, and only if, it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from agent_factory.core.messages import AssistantMessage, ToolMessage, UserMessage
from agent_factory.core.serialization import message_to_dict, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.messages import Message
    from agent_factory.core.models import ModelRequest

__all__ = ["canonical_call", "canonical_request", "compute_key", "parse_json"]

_MAX_DEPTH = 100


def canonical_request(model: str, request: ModelRequest) -> dict[str, Any]:
    """Return what a request asks, as plain data.

    Identifiers of tool calls are numbered in the order in which they appear, JSON inside of tool calls and results
    is taken apart, and a picture that carries its own data becomes a digest. Timeouts are left out.

    Args:
        model: Name of the model that is asked.
        request: The request.
    """
    data: dict[str, Any] = {"model": model, "messages": _canonical_messages(request.messages)}
    if request.tools:
        data["tools"] = [
            {
                "name": spec.name,
                "description": spec.description,
                "parameters": dict(spec.parameters),
            }
            for spec in request.tools
        ]
    if request.output is not None:
        data["output"] = {
            "name": request.output.name,
            "schema": dict(request.output.schema),
        }
    if request.max_output_tokens is not None:
        data["max_output_tokens"] = request.max_output_tokens
    if request.seed is not None:
        data["seed"] = request.seed
    return data


def canonical_call(tool: str, arguments: str) -> dict[str, Any]:
    """Return what a tool call asks, as plain data.

    Args:
        tool: Name of the tool.
        arguments: The arguments' JSON text, as a model wrote it.
    """
    return {"tool": tool, "arguments": parse_json(arguments or "{}")}


def compute_key(request: dict[str, Any]) -> str:
    """Return the SHA-256 of a request in its canonical form, as hexadecimal digits.

    Args:
        request: What `canonical_request` or `canonical_call` returned, scrubbed.
    """
    text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parse_json(text: str) -> Any:
    """Return the data of a JSON object or array, or the text itself where it is neither.

    Args:
        text: Any text.
    """
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        data = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return text
    return data if _is_shallow(data, _MAX_DEPTH) else text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key stands there twice")
    return data


def _is_shallow(data: object, depth: int) -> bool:
    if isinstance(data, dict):
        return depth > 0 and all(_is_shallow(item, depth - 1) for item in data.values())
    if isinstance(data, list):
        return depth > 0 and all(_is_shallow(item, depth - 1) for item in data)
    return True


def _canonical_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = []
    made = 0
    names: dict[str, str] = {}
    for message in messages:
        data = message_to_dict(message)
        if isinstance(message, AssistantMessage) and message.tool_calls:
            # Providers may use an identifier again in a later message, so the names start anew.
            names = {}
            calls = []
            for call in message.tool_calls:
                made += 1
                names[call.id] = f"call-{made}"
                calls.append(
                    {
                        "id": names[call.id],
                        "name": call.name,
                        "arguments": parse_json(call.arguments),
                    }
                )
            data["tool_calls"] = calls
        elif isinstance(message, ToolMessage):
            data["call_id"] = names.get(message.call_id, message.call_id)
            data["content"] = parse_json(message.content)
        elif isinstance(message, UserMessage) and message.images:
            data["images"] = [
                {**to_plain(image), "url": _shorten(image.url)} for image in message.images
            ]
        plain.append(data)
    return plain


def _shorten(url: str) -> str:
    if not url.startswith("data:"):
        return url
    head, _, content = url.partition(",")
    return f"{head},sha256:{hashlib.sha256(content.encode()).hexdigest()}"
