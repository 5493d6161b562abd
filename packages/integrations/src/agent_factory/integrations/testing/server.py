"""A server of OpenAI's protocols for tests: it answers from a script, and refuses what OpenAI refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from aiohttp import web

from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.testing.answers import Reply, ServerScript
from agent_factory.integrations.testing.chat_answers import write_chat, write_chat_events
from agent_factory.integrations.testing.chat_requests import read_chat_request
from agent_factory.integrations.testing.checks import check_key, check_length, check_model
from agent_factory.integrations.testing.errors import ErrorAnswer, RefusedError
from agent_factory.integrations.testing.faults import NO_FAULT, Fault, send
from agent_factory.integrations.testing.fields import Fields, refuse
from agent_factory.integrations.testing.listening import Listener
from agent_factory.integrations.testing.responses_answers import (
    write_output,
    write_responses,
    write_responses_events,
)
from agent_factory.integrations.testing.responses_requests import (
    read_items,
    read_responses_request,
)
from agent_factory.integrations.testing.script import Script

if TYPE_CHECKING:
    from types import TracebackType

    from agent_factory.integrations.testing.received import ReceivedRequest

__all__ = ["OpenAIServer"]

_BODY_BYTES: Final = 64 * 1024 * 1024
_CREATED: Final = 1_700_000_000


class OpenAIServer:
    """A server of OpenAI's Chat Completions and Responses protocols, on this machine, for tests.

    It answers from a script, and checks requests as OpenAI does: what it refuses, OpenAI would refuse.

    ```python
    async with OpenAIServer([create_tool_call("add", {"a": 1, "b": 2}), "It is 3."]) as server:
        model = OpenAIModel("tiny", api_key=server.api_key, base_url=server.base_url)
        ...
    assert [request.messages[-1] for request in server.requests] == ...
    ```

    It works with any client: give that `base_url` and `api_key`. Where tests must not open network sockets, use
    ``unix=True``, and give the client a connection to `path`: ``OpenAIModel(..., connector=server.connector)``, or
    for the ``openai`` package an HTTP client with ``AsyncHTTPTransport(uds=server.path)``.

    Args:
        answers: The answers in their order, or a function of the request, which may be a coroutine function. A
            request that the script has no answer for is refused with the code ``script_ended``; what the function
            raises is raised again when the server stops.
        faults: What goes wrong with each request in turn; None, and every request after the last one, goes well.
        api_key: The key that requests must carry, or None to take any and none.
        models: Names of the models that there are.
        context_tokens: Tokens that a conversation and its answer may have; at least 1.
        chunk_tokens: Tokens of each piece of a streamed answer; at least 1.
        unix: Whether to listen on a Unix socket instead of a port of 127.0.0.1.

    Attributes:
        requests: The requests that were answered, oldest first, those answered with a scripted error among them.
        refusals: What was said to the requests that were refused.
        connections: How many connections were made.

    Raises:
        IntegrationConfigurationError: A value is out of its range.
    """

    def __init__(
        self,
        answers: ServerScript = (),
        *,
        faults: Iterable[Fault | None] = (),
        api_key: str | None = "sk-test",
        models: Iterable[str] = ("tiny",),
        context_tokens: int = 128_000,
        chunk_tokens: int = 1,
        unix: bool = False,
    ) -> None:
        for name, value in (("context_tokens", context_tokens), ("chunk_tokens", chunk_tokens)):
            if value < 1:
                raise IntegrationConfigurationError(
                    f"OpenAIServer: {name} must be at least 1, not {value!r}"
                )
        self._script = Script(answers)
        self._faults = iter(faults)
        self._key = api_key
        self._models = tuple(models)
        self._context_tokens = context_tokens
        self._chunk_tokens = chunk_tokens
        self._unix = unix
        self._listener = Listener(unix=unix)
        self._transports: dict[Any, int] = {}
        # What a later request may continue: the items of each conversation by the last response's identifier.
        self._stored: dict[str, list[Any]] = {}
        self.requests: list[ReceivedRequest] = []
        self.refusals: list[ErrorAnswer] = []
        self.connections = 0

    def __repr__(self) -> str:
        return f"OpenAIServer(models={list(self._models)!r}, requests={len(self.requests)})"

    @property
    def base_url(self) -> str:
        """Address for clients, which ends with ``/v1``.

        Raises:
            IntegrationConfigurationError: The server does not run.
        """
        return f"{self._listener.url}/v1"

    @property
    def api_key(self) -> str:
        """A key that the server takes."""
        return self._key or "sk-any"

    @property
    def path(self) -> str:
        """Path of the Unix socket.

        Raises:
            IntegrationConfigurationError: The server does not run, or listens on a port.
        """
        return self._listener.path

    def connector(self) -> aiohttp.BaseConnector:
        """Return a connector of aiohttp that reaches only this server."""
        return aiohttp.UnixConnector(self.path) if self._unix else aiohttp.TCPConnector(limit=0)

    async def __aenter__(self) -> Self:
        """Start the server."""
        app = web.Application(client_max_size=_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        await self._listener.open(app)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server, and break what is still going on.

        Raises:
            Exception: What the script's function raised, unless the block ended with an error itself.
        """
        await self._listener.close()
        if self._script.failure is not None and error is None:
            raise self._script.failure

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        connection = self._transports.get(request.transport)
        if connection is None:
            self.connections += 1
            connection = self._transports[request.transport] = self.connections
        fault = NO_FAULT
        try:
            check_key(request.headers, self._key)
            if request.method == "GET":
                return web.json_response(self._list(request.path))
            fault = next(self._faults, None) or NO_FAULT
            if fault.status:
                return await self._send_error(
                    request, fault, ErrorAnswer(fault.status, retry_after=fault.retry_after)
                )
            received, before = await self._read(request, connection)
        except RefusedError as refused:
            self.refusals.append(refused.answer)
            return await self._send_error(request, fault, refused.answer)
        return await self._answer(request, fault, received, before)

    def _list(self, path: str) -> dict[str, Any]:
        models = {
            name: {"id": name, "object": "model", "created": _CREATED, "owned_by": "test"}
            for name in self._models
        }
        if path == "/v1/models":
            return {"object": "list", "data": list(models.values())}
        name = path.removeprefix("/v1/models/")
        if path.startswith("/v1/models/"):
            check_model(name, self._models)
            return models[name]
        raise RefusedError(ErrorAnswer(404, f"Invalid URL (GET {path})"))

    async def _read(
        self, request: web.Request, connection: int
    ) -> tuple[ReceivedRequest, list[Any]]:
        if request.method != "POST" or request.path not in (
            "/v1/chat/completions",
            "/v1/responses",
        ):
            raise RefusedError(ErrorAnswer(404, f"Invalid URL ({request.method} {request.path})"))
        try:
            value = json.loads(await request.read())
        except (ValueError, RecursionError):
            refuse(
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
                "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
            )
        body = Fields(value)
        before: list[Any] = []
        if request.path == "/v1/responses":
            before = self._continue(body)
            received = read_responses_request(body, before)
            before = [*before, *read_items(body)]
        else:
            received = read_chat_request(body)
        check_model(received.model, self._models)
        check_length(received, self._context_tokens)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return replace(received, headers=headers, connection=connection), before

    def _continue(self, body: Fields) -> list[Any]:
        name = body.value.get("previous_response_id")
        if name is None:
            return []
        if name not in self._stored:
            refuse(
                f"Previous response with id '{name}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        return self._stored[name]

    async def _answer(
        self, request: web.Request, fault: Fault, received: ReceivedRequest, before: list[Any]
    ) -> web.StreamResponse:
        self.requests.append(received)
        number = len(self.requests)
        response = await self._script.answer(received, number)
        if isinstance(response, ErrorAnswer):
            return await self._send_error(request, fault, response)
        reply = Reply(received, response, number, int(time.time()), self._chunk_tokens)
        chat = received.protocol == "chat.completions"
        if not chat and received.body.get("store") is not False:
            self._stored[f"resp_{number}"] = [*before, *_as_input(write_output(reply))]
        if received.stream:
            parts = list(write_chat_events(reply) if chat else write_responses_events(reply))
            kind = "text/event-stream; charset=utf-8"
        else:
            parts = [write_chat(reply) if chat else write_responses(reply)]
            kind = "application/json"
        headers = {**self._headers(number), "Content-Type": kind}
        return await send(request, fault, parts, headers=headers)

    async def _send_error(
        self, request: web.Request, fault: Fault, answer: ErrorAnswer
    ) -> web.StreamResponse:
        kind = "text/html" if answer.is_page else "application/json"
        headers = {
            **self._headers(len(self.requests)),
            **answer.write_headers(),
            "Content-Type": kind,
        }
        return await send(request, fault, [answer.write()], status=answer.status, headers=headers)

    def _headers(self, number: int) -> dict[str, str]:
        return {
            "x-request-id": f"req_{number}",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "1",
        }


def _as_input(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "status"} for item in output]
