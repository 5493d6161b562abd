"""What the benchmarks' server answers, as bytes that are made once, and what a right run ends with."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

__all__ = ["ADD_ONE", "Scenario", "create_scenario"]

TEXT = "The capital of France is Paris, on the river Seine."
ADD_ONE = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "description": "The first number."},
        "b": {"type": "integer", "description": "The second number."},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}
_TOKENS = 1000
_EVENTS_A_WRITE = 16
_NAME = re.compile(r"(one|stream|sequence-(\d{1,3})|parallel-(\d{1,3}))")


class Scenario:
    """A conversation that always goes the same way; how far it is, each request tells by its tool results.

    Attributes:
        name: ``one`` (an answer at once), ``sequence-N`` (N tool calls one after the other), ``parallel-N`` (N
            tool calls in one answer) or ``stream`` (an answer of 1000 tokens in pieces).
        text: The final answer.
        tool_calls: Tool calls in a right run.
        total: The sum of what the tool returns in a right run.
    """

    def __init__(self, name: str) -> None:
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is no scenario")
        self.name = name
        self.streaming = name == "stream"
        self._sequence = int(found[2] or 0)
        self._parallel = int(found[3] or 0)
        self.tool_calls = self._sequence or self._parallel
        self.total = sum(index + 1 for index in range(self.tool_calls))
        self.text = "".join(_tokens()) if self.streaming else TEXT

    @cache  # noqa: B019 - there are as many scenarios as names
    def answer(self, results: int) -> tuple[bytes, ...]:
        """Return the HTTP answer to a request, in the pieces that are written at a time.

        Args:
            results: Tool results in the request.
        """
        if self.streaming:
            return _stream(_tokens())
        if results >= self.tool_calls:
            message: dict[str, Any] = {"role": "assistant", "content": TEXT, "refusal": None}
            return _whole(message, "stop")
        count = self._parallel or 1
        calls = [_call(index) for index in range(results, results + count)]
        return _whole(
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls},
            "tool_calls",
        )


@cache
def create_scenario(name: str) -> Scenario:
    """Return a scenario by its name."""
    return Scenario(name)


def _call(index: int) -> dict[str, Any]:
    return {
        "id": f"call_{index:03}",
        "type": "function",
        "function": {"name": "add", "arguments": json.dumps({"a": index, "b": 1})},
    }


def _tokens() -> list[str]:
    return [f"word{index % 10} " for index in range(_TOKENS - 1)] + ["end."]


def _whole(message: dict[str, Any], finish: str) -> tuple[bytes, ...]:
    body = json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "bench-1",
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
            ],
            "usage": _usage(20),
            "service_tier": "default",
            "system_fingerprint": "fp_bench",
        }
    ).encode()
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body,)


def _stream(tokens: list[str]) -> tuple[bytes, ...]:
    events = [_event({"role": "assistant", "content": "", "refusal": None})]
    events += [_event({"content": token}) for token in tokens]
    events += [_event({}, finish="stop"), _event(None), b"data: [DONE]\n\n"]
    chunks = [b"%x\r\n%s\r\n" % (len(event), event) for event in events] + [b"0\r\n\r\n"]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
    pieces = [
        b"".join(chunks[at : at + _EVENTS_A_WRITE]) for at in range(0, len(chunks), _EVENTS_A_WRITE)
    ]
    return (head + pieces[0], *pieces[1:])


def _event(delta: dict[str, Any] | None, *, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "bench-1",
        "service_tier": "default",
        "system_fingerprint": "fp_bench",
        "choices": [] if delta is None else [choice],
        "usage": _usage(_TOKENS) if delta is None else None,
    }
    return b"data: %s\n\n" % json.dumps(body, separators=(",", ":")).encode()


def _usage(written: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 50,
        "completion_tokens": written,
        "total_tokens": 50 + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
