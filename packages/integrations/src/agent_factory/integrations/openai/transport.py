"""Carries bytes to a server and back: pooled connections, deadlines, bounds.

An `aiohttp.ClientSession` belongs to one event loop, while a model belongs to none: each `Agent.run_sync` has a
loop of its own. So there is one session for each running loop, closed when that loop ends.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from agent_factory.core.exceptions import ModelConnectionError, ModelError, ModelResponseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    import yarl

__all__ = ["Transport"]

_CONNECT_SECONDS = 10.0
_DRAIN_SECONDS = 0.5


@dataclass(slots=True)
class Transport:
    """Connections to one server.

    Attributes:
        model: Name of the model, for errors.
        base_url: Address that paths are appended to.
        headers: Headers of every request; they may hold secrets, so they are not shown.
        max_bytes: Bytes that an answer may have, decompressed.
        connector: Makes the connector of a session; None for TCP.
        proxy: Address of a proxy, or None.
    """

    model: str
    base_url: yarl.URL
    headers: Mapping[str, str] = field(repr=False)
    max_bytes: int
    connector: Callable[[], aiohttp.BaseConnector] | None = None
    proxy: str | None = field(default=None, repr=False)
    _open: dict[asyncio.AbstractEventLoop, AsyncGenerator[aiohttp.ClientSession, None]] = field(
        default_factory=dict, repr=False
    )
    _sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = field(
        default_factory=dict, repr=False
    )

    @property
    def server(self) -> str:
        """The server's address without anything that may be secret."""
        return str(self.base_url.with_query(None))

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: bytes | None, deadline: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and give its answer, as soon as the headers are there.

        Args:
            method: ``GET`` or ``POST``.
            path: Path below `base_url`, without a leading slash.
            body: JSON to send, or None.
            deadline: Time of the running loop at which to give up.

        Raises:
            ModelConnectionError: There was no answer.
            ModelResponseError: The answer is not HTTP.
        """
        url = self.base_url.joinpath(*path.split("/")).with_query(self.base_url.query)
        session = await self._session()
        with _Faults(self, deadline):
            async with asyncio.timeout_at(deadline):
                response = await session.request(
                    method, url, data=body, headers=self.headers, allow_redirects=False
                )
        try:
            yield response
        finally:
            # Back into the pool if it was read to its end, else the connection is closed.
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    async def chunks(
        self, response: aiohttp.ClientResponse, deadline: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the body of an answer as it arrives.

        Args:
            response: The answer.
            deadline: Time of the running loop at which to give up.

        Raises:
            ModelConnectionError: The connection broke, or the deadline passed.
            ModelResponseError: The answer has more than `max_bytes`.
        """
        total = 0
        while True:
            with _Faults(self, deadline):
                # Not around the loop: a timeout must not span a yield.
                async with asyncio.timeout_at(deadline):
                    chunk = await response.content.readany()
            if not chunk:
                return
            total += len(chunk)
            if total > self.max_bytes:
                raise ModelResponseError(
                    f"model {self.model!r}: the answer of the server at {self.server} has more than "
                    f"{self.max_bytes} bytes. Raise max_response_bytes, or ask for less.",
                    model=self.model,
                    status=response.status,
                )
            yield chunk

    async def read(self, response: aiohttp.ClientResponse, deadline: float) -> bytes:
        """Return the whole body of an answer; raises as `chunks`."""
        async with aclosing(self.chunks(response, deadline)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def drain(self, response: aiohttp.ClientResponse) -> None:
        """Read what is left of an answer that is complete, so that its connection can be used again.

        Args:
            response: The answer; a server that does not end it within a moment loses the connection.
        """
        soon = asyncio.get_running_loop().time() + _DRAIN_SECONDS
        with suppress(ModelError):
            await self.read(response, soon)

    async def close(self) -> None:
        """Close the running loop's connections. Connections of other loops close with those loops."""
        guard = self._open.pop(asyncio.get_running_loop(), None)
        if guard is not None:
            await guard.aclose()

    async def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            guard = self._guard(loop)
            self._open[loop] = guard
            session = await anext(guard)
        return session

    async def _guard(
        self, loop: asyncio.AbstractEventLoop
    ) -> AsyncGenerator[aiohttp.ClientSession, None]:
        # asyncio closes the asynchronous generators of a loop before the loop itself
        # (https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_asyncgens), which is the
        # only notice that a library gets of a loop's end.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0) if self.connector is None else self.connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            proxy=self.proxy,
        )
        self._sessions[loop] = session
        try:
            yield session
        finally:
            self._open.pop(loop, None)
            self._sessions.pop(loop, None)
            await session.close()


class _Faults:
    """Turns what goes wrong below HTTP into core's errors."""

    __slots__ = ("_deadline", "_transport")

    def __init__(self, transport: Transport, deadline: float) -> None:
        self._transport = transport
        self._deadline = deadline

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if isinstance(error, (aiohttp.ClientError, OSError, ValueError)):
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> ModelError:
        model, server = self._transport.model, self._transport.server
        name = f"model {model!r}: "
        if isinstance(error, aiohttp.ServerTimeoutError):
            said = f"the server at {server} could not be reached within {_CONNECT_SECONDS:g} s"
            advice = "Check that it runs, and base_url"
        elif isinstance(error, TimeoutError):
            said = f"the server at {server} did not answer in the time given to the call"
            advice = "Give it more time, or ask for less"
        elif isinstance(error, aiohttp.ClientConnectorCertificateError):
            said = f"the server at {server} has a certificate that is not trusted ({error.certificate_error})"
            advice = "Check base_url, or install the certificate of its authority"
        elif isinstance(error, aiohttp.ClientConnectorError):
            said = f"the server at {server} cannot be reached ({error.os_error})"
            advice = "Check that it runs, and base_url"
        elif isinstance(error, (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError)):
            return ModelResponseError(
                f"{name}what answers at {server} does not speak HTTP "
                f"({type(error).__name__}). Check base_url.",
                model=model,
            )
        else:
            said = f"the connection to the server at {server} broke ({type(error).__name__})"
            advice = "Try again"
        return ModelConnectionError(f"{name}{said}. {advice}.", model=model)
