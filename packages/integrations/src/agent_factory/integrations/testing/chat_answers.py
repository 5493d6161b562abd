"""Writes answers of the Chat Completions protocol, whole ones and streamed ones."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from agent_factory.integrations.testing.answers import split_text
from agent_factory.integrations.testing.tokens import split_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.messages import ToolCall
    from agent_factory.integrations.testing.answers import Piece, Reply

__all__ = ["write_chat", "write_chat_events"]


def write_chat(reply: Reply) -> bytes:
    """Return the body of a whole answer.

    Args:
        reply: The answer.
    """
    response = reply.response
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if reply.refused or not reply.text else reply.text,
        "refusal": reply.text if reply.refused else None,
        "annotations": [],
    }
    if thoughts := _think(reply):
        message["reasoning_content"] = thoughts
    if response.message.tool_calls:
        message["tool_calls"] = [_show_call(call) for call in response.message.tool_calls]
    elif not reply.refused:
        message["content"] = reply.text
    shown = [entry for piece in _split(reply) for entry in piece.logprobs]
    choice = {
        "message": message,
        "logprobs": _show_logprobs(reply, shown),
        "finish_reason": _finish(reply),
    }
    body = _start(reply, "chat.completion")
    body["choices"] = [{"index": index, **choice} for index in _choices(reply)]
    body["usage"] = _show_usage(reply)
    return json.dumps(body).encode()


def write_chat_events(reply: Reply) -> Iterator[bytes]:
    """Yield the events of a streamed answer.

    Args:
        reply: The answer.
    """
    options = reply.request.body.get("stream_options") or {}
    usage = bool(options.get("include_usage"))
    obfuscates = options.get("include_obfuscation") is not False
    number = count()

    def write(choices: list[dict[str, Any]], *, last: bool = False) -> bytes:
        body = _start(reply, "chat.completion.chunk")
        body["choices"] = choices
        if obfuscates:
            # Random at OpenAI; here only different from the others, so that tests see the same each time.
            body["obfuscation"] = f"{next(number):06x}"
        if usage:
            body["usage"] = _show_usage(reply) if last else None
        return b"data: %s\n\n" % json.dumps(body, separators=(",", ":")).encode()

    for index in _choices(reply):
        for delta, shown in _deltas(reply):
            yield write(
                [
                    {
                        "index": index,
                        "delta": delta,
                        "logprobs": _show_logprobs(reply, shown),
                        "finish_reason": None,
                    }
                ]
            )
        yield write(
            [{"index": index, "delta": {}, "logprobs": None, "finish_reason": _finish(reply)}]
        )
    if usage:
        yield write([], last=True)
    yield b"data: [DONE]\n\n"


def _deltas(reply: Reply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    calls = reply.response.message.tool_calls
    first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    if calls and not reply.text:
        first["content"] = None
    yield first, []
    size = reply.chunk_tokens
    for piece in _cut(_think(reply), size):
        yield {"reasoning_content": piece}, []
    for text in _split(reply):
        yield {"refusal" if reply.refused else "content": text.text}, text.logprobs
    for index, call in enumerate(calls):
        start = {"index": index, **_show_call(call)}
        start["function"] = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [start]}, []
        for piece in _cut(call.arguments, size):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, []


def _start(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.number}",
        "object": kind,
        "created": reply.created,
        "model": reply.response.model,
        "service_tier": "default",
        "system_fingerprint": "fp_test",
    }


def _split(reply: Reply) -> Iterator[Piece]:
    body = reply.request.body
    return split_text(reply, logprobs=bool(body.get("logprobs")), top=body.get("top_logprobs") or 0)


def _cut(text: str, size: int) -> Iterator[str]:
    tokens = split_tokens(text)
    for at in range(0, len(tokens), size):
        yield "".join(tokens[at : at + size])


def _choices(reply: Reply) -> range:
    return range(reply.request.body.get("n") or 1)


def _think(reply: Reply) -> str:
    # Not a part of OpenAI's own protocol; it is what the servers do that show a model's thoughts.
    return "\n\n".join(item.text for item in reply.response.message.reasoning if item.text)


def _show_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _show_logprobs(reply: Reply, shown: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not reply.request.body.get("logprobs"):
        return None
    refused = reply.refused
    return {"content": None if refused else shown, "refusal": shown if refused else None}


def _finish(reply: Reply) -> str:
    reason = reply.response.finish_reason
    return "stop" if reason == "refusal" else reason


def _show_usage(reply: Reply) -> dict[str, Any]:
    usage = reply.response.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
