"""Writes answers of the Responses protocol, whole ones and streamed ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agent_factory.integrations.testing.answers import split_text
from agent_factory.integrations.testing.tokens import split_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.messages import Reasoning
    from agent_factory.integrations.testing.answers import Piece, Reply

__all__ = ["write_output", "write_responses", "write_responses_events"]

_LOGPROBS: Final = "message.output_text.logprobs"
_ENCRYPTED: Final = "reasoning.encrypted_content"
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ECHOED: Final = (
    "background", "instructions", "max_output_tokens", "max_tool_calls", "metadata",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "reasoning",
    "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools",
    "top_logprobs", "top_p", "truncation", "user",
)  # fmt: skip
_DEFAULTS: Final[dict[str, Any]] = {
    "background": False,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}


def write_output(reply: Reply) -> list[dict[str, Any]]:
    """Return the items of an answer.

    Args:
        reply: The answer.
    """
    return [item for item, _ in _items(reply)]


def write_responses(reply: Reply) -> bytes:
    """Return the body of a whole answer.

    Args:
        reply: The answer.
    """
    return json.dumps(_show(reply, _status(reply), write_output(reply))).encode()


def write_responses_events(reply: Reply) -> Iterator[bytes]:
    """Yield the events of a streamed answer.

    Args:
        reply: The answer.
    """
    for number, event in enumerate(_events(reply)):
        event["sequence_number"] = number
        data = json.dumps(event, separators=(",", ":"))
        yield f"event: {event['type']}\ndata: {data}\n\n".encode()


def _events(reply: Reply) -> Iterator[dict[str, Any]]:
    begun = _show(reply, "in_progress", [])
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    whole = []
    for index, (item, empty) in enumerate(_items(reply)):
        place = {"output_index": index}
        inner = {"item_id": item["id"], **place}
        yield {"type": "response.output_item.added", **place, "item": {**item, **empty}}
        if item["type"] == "message":
            yield from _say(reply, item, inner)
        elif item["type"] == "function_call":
            yield from _call(reply, item, inner)
        else:
            yield from _think(reply, item, inner)
        yield {"type": "response.output_item.done", **place, "item": item}
        whole.append(item)
    status = _status(reply)
    yield {"type": f"response.{status}", "response": _show(reply, status, whole)}


def _say(reply: Reply, item: dict[str, Any], inner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    kind, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
    inner = {**inner, "content_index": 0}
    empty = {**part, field: "", **({"logprobs": []} if field == "text" else {})}
    yield {"type": "response.content_part.added", **inner, "part": empty}
    for piece in _split(reply):
        extra = {"logprobs": piece.logprobs} if field == "text" else {}
        yield {"type": f"response.{kind}.delta", **inner, "delta": piece.text, **extra}
    extra = {"logprobs": part["logprobs"]} if field == "text" else {}
    yield {"type": f"response.{kind}.done", **inner, field: part[field], **extra}
    yield {"type": "response.content_part.done", **inner, "part": part}


def _call(reply: Reply, item: dict[str, Any], inner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = "response.function_call_arguments"
    for piece in _cut(item["arguments"], reply.chunk_tokens):
        yield {"type": f"{kind}.delta", **inner, "delta": piece}
    yield {
        "type": f"{kind}.done",
        **inner,
        "name": item["name"],
        "arguments": item["arguments"],
    }


def _think(reply: Reply, item: dict[str, Any], inner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, part in enumerate(item.get("summary") or ()):
        place = {**inner, "summary_index": index}
        kind = "response.reasoning_summary"
        empty = {**part, "text": ""}
        yield {"type": f"{kind}_part.added", **place, "part": empty}
        for piece in _cut(part["text"], reply.chunk_tokens):
            yield {"type": f"{kind}_text.delta", **place, "delta": piece}
        yield {"type": f"{kind}_text.done", **place, "text": part["text"]}
        yield {"type": f"{kind}_part.done", **place, "part": part}


def _items(reply: Reply) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each item, and what it has in place of that while it is not yet filled."""
    message = reply.response.message
    for index, thought in enumerate(message.reasoning):
        item = _show_thought(reply, thought, f"rs_{reply.number}_{index}")
        yield item, {"summary": []}
    status = _status(reply)
    if reply.text or not message.tool_calls:
        item = {
            "id": f"msg_{reply.number}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [_show_text(reply)],
        }
        yield item, {"status": "in_progress", "content": []}
    for index, call in enumerate(message.tool_calls):
        item = {
            "id": f"fc_{reply.number}_{index}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        yield item, {"status": "in_progress", "arguments": ""}


def _show_thought(reply: Reply, thought: Reasoning, name: str) -> dict[str, Any]:
    if thought.data and thought.provider == "openai.responses":
        item: dict[str, Any] = json.loads(thought.data)
        item.setdefault("id", name)
        item.setdefault("summary", [])
        return item
    summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
    item = {"id": name, "type": "reasoning", "summary": summary}
    if _ENCRYPTED in (reply.request.body.get("include") or ()):
        item["encrypted_content"] = f"gAAAAA{name}"
    return item


def _show_text(reply: Reply) -> dict[str, Any]:
    if reply.refused:
        return {"type": "refusal", "refusal": reply.text}
    shown = [entry for piece in _split(reply) for entry in piece.logprobs]
    return {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": shown}


def _show(reply: Reply, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    asked = reply.request.body
    echoed = {
        name: _DEFAULTS.get(name) if asked.get(name) is None else asked[name] for name in _ECHOED
    }
    reason = _INCOMPLETE.get(reply.response.finish_reason)
    ended = status != "in_progress"
    return {
        "id": f"resp_{reply.number}",
        "object": "response",
        "created_at": reply.created,
        "completed_at": reply.created if status == "completed" else None,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "model": reply.response.model,
        "output": output,
        **echoed,
        "usage": _show_usage(reply) if ended else None,
    }


def _status(reply: Reply) -> str:
    return "incomplete" if reply.response.finish_reason in _INCOMPLETE else "completed"


def _split(reply: Reply) -> Iterator[Piece]:
    body = reply.request.body
    wanted = _LOGPROBS in (body.get("include") or ())
    return split_text(reply, logprobs=wanted, top=body.get("top_logprobs") or 0)


def _cut(text: str, size: int) -> Iterator[str]:
    tokens = split_tokens(text)
    for at in range(0, len(tokens), size):
        yield "".join(tokens[at : at + size])


def _show_usage(reply: Reply) -> dict[str, Any]:
    usage = reply.response.usage
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.tokens,
    }
