"""A server of OpenAI's protocols on a Unix socket, which answers what a test tells it to."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
from aiohttp import web

from agent_factory.integrations.openai import OpenAIModel, OpenAIResponsesModel, RetryPolicy

__all__ = [
    "Answer",
    "Server",
    "chunk",
    "completion",
    "delta",
    "events",
    "function_call",
    "item",
    "message",
    "reply",
    "response",
    "serving",
    "terminal",
]

PATHS = (
    "/v1/chat/completions",
    "/v1/responses",
    "/openai/deployments/tiny/chat/completions",
)

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def completion(
    content: object = "Paris.",
    *,
    finish_reason: object = "stop",
    tool_calls: list[Any] | None = None,
    usage: object = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the body of a whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": content, **fields}
    if tool_calls is not None:
        message["tool_calls"] = tool_calls
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "tiny-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage or {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def chunk(
    content: str | None = None, *, finish_reason: str | None = None, **delta: Any
) -> dict[str, Any]:
    """Return one chunk of a streamed answer."""
    if content is not None:
        delta["content"] = content
    return {
        "object": "chat.completion.chunk",
        "model": "tiny-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def message(*texts: str, refusal: str = "") -> dict[str, Any]:
    """Return a message in the output of a response."""
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    if refusal:
        content.append({"type": "refusal", "refusal": refusal})
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": content}


def function_call(name: str, arguments: str, call_id: str) -> dict[str, Any]:
    """Return a tool call in the output of a response."""
    return {
        "id": f"fc_{call_id}",
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def response(*output: object, status: object = "completed", **fields: Any) -> dict[str, Any]:
    """Return the body of a whole answer of the Responses protocol."""
    return {
        "id": "resp_1",
        "object": "response",
        "model": "tiny-1",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": list(output),
        "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
        **fields,
    }


def delta(text: object, index: object = 0, kind: str = "output_text") -> dict[str, Any]:
    """Return an event with a piece of text."""
    return {"type": f"response.{kind}.delta", "output_index": index, "delta": text}


def item(value: object, index: object = 0, kind: str = "done") -> dict[str, Any]:
    """Return an event with an item of the output."""
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": value}


def terminal(body: dict[str, Any]) -> dict[str, Any]:
    """Return the event that ends a streamed response."""
    return {"type": f"response.{body['status']}", "response": body}


def reply(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = ""
) -> Answer:
    """Return an answer with a body: JSON for an object, else text or bytes as they are."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if isinstance(body, (bytes, str)):
            data = body.encode() if isinstance(body, str) else body
            content_type = kind or "text/plain"
        else:
            data, content_type = json.dumps(body).encode(), kind or "application/json"
        return web.Response(body=data, status=status, headers=headers, content_type=content_type)

    return answer


def events(*items: object, done: bool = True, abort: bool = False, cut: int = 0) -> Answer:
    """Return a streamed answer.

    Args:
        items: The data of each event: JSON for an object, bytes for bytes of the stream as they are.
        done: Whether the stream ends as the protocol says.
        abort: Whether the connection breaks instead of ending.
        cut: Bytes that are sent at a time; 0 for one event at a time.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        parts = [
            item if isinstance(item, bytes) else b"data: %s\n\n" % json.dumps(item).encode()
            for item in items
        ]
        if done:
            parts.append(b"data: [DONE]\n\n")
        whole = b"".join(parts)
        for part in ([whole[at : at + cut] for at in range(0, len(whole), cut)] if cut else parts):
            await response.write(part)
        if abort:
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


class Server:
    """What a running server got, and what it will answer.

    Attributes:
        path: Path of its socket.
        answers: What it answers to the next requests; the last answer stays.
        models: What it answers to a request for its models, or None for 404.
        refuse_models: HTTP status of the answer to that request; 0 for none of its own.
        bodies: The JSON body of each request for a completion, oldest first.
        headers: The headers of each such request.
        paths: The path of each such request.
        connections: Identities of the connections that requests came over.
    """

    def __init__(self, path: str, answers: tuple[Answer, ...]) -> None:
        self.path = path
        self.answers = list(answers)
        self.models: object = None
        self.refuse_models = 0
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.connections: set[int] = set()

    def model(self, **options: Any) -> OpenAIModel:
        """Return a client of the server, which repeats failed calls without waiting."""
        return OpenAIModel("tiny", **self._options(options))

    def responses_model(self, **options: Any) -> OpenAIResponsesModel:
        """Return a client of the server that speaks the Responses protocol."""
        return OpenAIResponsesModel("tiny", **self._options(options))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {
            "api_key": "sk-secret",
            "base_url": "http://server.test/v1",
            "retry": RetryPolicy(first_delay=0),
            "connector": self.connector,
        }
        return known | options

    def connector(self) -> aiohttp.BaseConnector:
        """Return a connector that reaches only this server."""
        return aiohttp.UnixConnector(self.path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.connections.add(id(request.transport))
        if request.method == "GET" and request.path == "/v1/models":
            status = self.refuse_models or (404 if self.models is None else 200)
            return web.json_response(self.models, status=status)
        assert request.method == "POST"
        assert request.path in PATHS
        self.paths.append(request.path)
        self.headers.append(request.headers)
        self.bodies.append(json.loads(await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Server]:
    """Run a server.

    Args:
        answers: What it answers, one after the other.
    """
    # Not pytest's tmp_path: the path of a Unix socket has to be short.
    with tempfile.TemporaryDirectory() as folder:
        server = Server(str(Path(folder, "s")), answers)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.UnixSite(runner, server.path).start()
        try:
            yield server
        finally:
            await runner.cleanup()
