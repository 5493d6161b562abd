"""Speaks with a server over streamable HTTP: only with the addresses that are granted, and never further than a bound."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from agent_factory.core.exceptions import AgentFactoryError, ToolError
from agent_factory.integrations.http.resolving import Lookup, Route, find_route
from agent_factory.integrations.http.urls import parse_url
from agent_factory.integrations.mcp.links import MAX_MESSAGE_BYTES, Failure, Link

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant
    from agent_factory.integrations.http.urls import HttpUrl
    from agent_factory.integrations.mcp.sdk import Sdk

__all__ = ["open_streamable"]

_MOST_ADDRESSES = 4
_SESSION = "mcp-session-id"
_CODE = -32_000


@asynccontextmanager
async def open_streamable(
    address: HttpUrl,
    headers: Mapping[str, str],
    sdk: Sdk,
    grant: Grant,
    lookup: Lookup,
    timeout: float,
) -> AsyncIterator[Link]:
    """Open a way to a server.

    Args:
        address: The address of the server.
        headers: Headers of every request, secrets among them.
        sdk: The SDK.
        grant: What may be called.
        lookup: Finds the addresses of a name.
        timeout: Seconds that connecting, and sending a request, may take.

    Raises:
        PermissionDeniedError: The address may not be called.
        ToolError: There is no such host.
    """
    # Asked before anything is begun, so that a refusal is told as what it is.
    await find_route(address, grant, lookup)
    transport = _GuardedTransport(sdk, grant, lookup)
    client = sdk.httpx.AsyncClient(
        transport=transport,
        headers={**headers, "Accept-Encoding": "identity"},
        # How long an answer may take is the caller's to say, who cancels the request.
        timeout=sdk.httpx.Timeout(timeout, read=None),
        follow_redirects=False,
        trust_env=False,
    )
    async with (
        client,
        sdk.streamable.streamable_http_client(
            str(address.url), http_client=client, max_sse_event_size=MAX_MESSAGE_BYTES
        ) as streams,
    ):
        yield Link(streams[0], streams[1], transport.find_failure)


class _GuardedTransport:
    """A transport of httpx that connects to addresses that were checked, and to nothing else.

    What goes wrong becomes an answer to the one request that it is about: an exception would end the whole session, and
    with it requests that are well.
    """

    def __init__(self, sdk: Sdk, grant: Grant, lookup: Lookup) -> None:
        self._sdk = sdk
        self._grant = grant
        self._lookup = lookup
        self._inner = sdk.httpx.AsyncHTTPTransport(
            trust_env=False, limits=sdk.httpx.Limits(max_connections=None)
        )
        # No server can guess it, and so pass off an error of its own as one of these.
        self._mark = secrets.token_hex(16)

    async def __aenter__(self) -> _GuardedTransport:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._inner.__aexit__(*details)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def find_failure(self, data: object) -> Failure | None:
        """Return what an answer of this transport's own stands for.

        Args:
            data: The data of the error that a session got.
        """
        if isinstance(data, dict) and data.get("mark") == self._mark:
            return Failure(data["kind"], data["message"])
        return None

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request.

        Args:
            request: The request of httpx.
        """
        httpx = self._sdk.httpx
        try:
            route = await find_route(parse_url(str(request.url)), self._grant, self._lookup)
        except AgentFactoryError as error:
            return self._answer(403, "unsent", error.message)
        try:
            response = await self._send(request, route)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return self._answer(503, "unsent", f"the server cannot be reached: {_say(error)}")
        except httpx.TransportError as error:
            return self._answer(502, "lost", f"the connection broke: {_say(error)}")
        return await self._check(request, response)

    async def _send(self, request: Any, route: Route) -> Any:
        """Send a request to the first of its addresses that can be connected to."""
        httpx = self._sdk.httpx
        last = len(route.addresses[:_MOST_ADDRESSES]) - 1
        for number, address in enumerate(route.addresses[:_MOST_ADDRESSES]):
            direct = httpx.Request(
                request.method,
                request.url.copy_with(host=address.partition("%")[0]),
                # The header Host is among them, and has the name.
                headers=request.headers,
                stream=request.stream,
                # The certificate has to be that of the name.
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
            try:
                return await self._inner.handle_async_request(direct)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == last:
                    raise
        raise ToolError("the host has no address")

    async def _check(self, request: Any, response: Any) -> Any:
        status = response.status_code
        encoding = response.headers.get("content-encoding", "identity")
        failure: tuple[Literal["expired", "refused", "lost"], str] | None = None
        is_json = response.headers.get("content-type", "").lower().startswith("application/json")
        if encoding.strip().lower() not in ("", "identity"):
            failure = ("lost", "the server compressed its answer, which was not asked for")
        elif request.method == "POST" and status == 404 and request.headers.get(_SESSION):
            failure = ("expired", "the server does not know the session any more")
        elif request.method == "POST" and status >= 400 and not is_json:
            failure = ("lost" if status >= 500 else "refused", _describe_status(status))
        if failure is not None:
            await response.aclose()
            return self._answer(status if status >= 400 else 502, *failure)
        return self._sdk.httpx.Response(
            status,
            headers=response.headers,
            content=_bound(response, is_json=is_json),
            extensions=response.extensions,
        )

    def _answer(self, status: int, kind: str, message: str) -> Any:
        data = {"mark": self._mark, "kind": kind, "message": message}
        error = {"code": _CODE, "message": message, "data": data}
        return self._sdk.httpx.Response(status, json={"jsonrpc": "2.0", "id": None, "error": error})


async def _bound(response: Any, *, is_json: bool) -> AsyncIterator[bytes]:
    """Return the body as it arrives; of one that is read as a whole, no more than a message may have."""
    left = MAX_MESSAGE_BYTES
    try:
        async for chunk in response.stream:
            left -= len(chunk) if is_json else 0
            if left < 0:
                break  # what is cut short is no JSON, and told as that
            yield chunk
    finally:
        await response.aclose()


def _describe_status(status: int) -> str:
    if status in (401, 403):
        return f"the server refused the request (HTTP {status}): check the secrets in 'headers'"
    if status in (404, 405):
        return f"there is no MCP server at this address (HTTP {status}): check 'url'"
    return f"the server answered with HTTP {status}"


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__
