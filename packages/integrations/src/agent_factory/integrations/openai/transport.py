"""Carries bytes to a server and back: pooled connections, bounds.

An `aiohttp.ClientSession` belongs to one event loop, while a model belongs to none: each `Agent.run_sync` has a
loop of its own. So there is one session for each running loop, closed when that loop ends.
"""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from agent_factory.core.exceptions import ModelResponseError
from agent_factory.integrations.openai.faults import CONNECT_SECONDS, FAULTS, UnaskedAnswerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    import yarl
    from aiohttp.connector import Connection

__all__ = ["Transport"]

_DRAIN_SECONDS = 0.5
# Above it aiohttp wants a file, which it writes piece by piece.
_LARGE_BYTES = 1024 * 1024
_CONNECTIONS = 3
_REFUSAL_BYTES = 1024 * 1024


class _Request(aiohttp.ClientRequest):
    """A request that is sent over no connection which holds an answer already.

    What a server sends over a connection that waits in the pool, such as an earlier answer once more, would be taken
    for the answer to the next request.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send it, unless it is answered before it is asked."""
        # There is no public way to ask; a test says if there is none of this name any more.
        if getattr(conn.protocol, "_buffer", None):
            raise UnaskedAnswerError
        return await super().send(conn)


@dataclass(slots=True)
class Transport:
    """Connections to one server. Deadlines are the caller's.

    What goes wrong below the answer's bytes is one of `FAULTS`.

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
    # The answers that somebody may be reading.
    _reading: dict[asyncio.AbstractEventLoop, set[aiohttp.ClientResponse]] = field(
        default_factory=dict, repr=False
    )
    _urls: dict[str, yarl.URL] = field(default_factory=dict, repr=False)

    @property
    def server(self) -> str:
        """The server's address without anything that may be secret."""
        return str(self.base_url.with_query(None))

    async def send(self, method: str, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        """Send a request and return its answer, as soon as the headers are there.

        Args:
            method: ``GET`` or ``POST``.
            path: Path below `base_url`, without a leading slash.
            body: JSON to send, or None.
        """
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = await self._start_session()
        left = _CONNECTIONS
        while True:
            left -= 1
            data = io.BytesIO(body) if body is not None and len(body) > _LARGE_BYTES else body
            try:
                # Not the session's headers: those go to a proxy too.
                response = await session.request(
                    method, self._url(path), data=data, headers=self.headers, allow_redirects=False
                )
            except UnaskedAnswerError:
                # Nothing was sent, and that connection is closed.
                if not left:
                    raise
            else:
                self._reading.setdefault(loop, set()).add(response)
                return response

    async def receive(self, response: aiohttp.ClientResponse, before: int) -> bytes:
        """Return the next bytes of an answer, or none at its end.

        Args:
            response: The answer.
            before: Number of bytes that were received before.

        Raises:
            ModelResponseError: The answer has more than `max_bytes`.
        """
        chunk = await response.content.readany()
        if before + len(chunk) > self.max_bytes:
            raise ModelResponseError(
                f"model {self.model!r}: the answer of the server at {self.server} has more than "
                f"{self.max_bytes} bytes. Raise max_response_bytes, or ask for less.",
                model=self.model,
            )
        return chunk

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the whole body of an answer; raises as `receive`."""
        chunks = []
        total = 0
        while chunk := await self.receive(response, total):
            chunks.append(chunk)
            total += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def read_start(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the beginning of the body of a refusal, as far as it arrives."""
        chunks = []
        total = 0
        with suppress(ModelResponseError, *FAULTS):
            while total < _REFUSAL_BYTES and (chunk := await self.receive(response, total)):
                chunks.append(chunk)
                total += len(chunk)
        return b"".join(chunks)

    async def drain(self, response: aiohttp.ClientResponse) -> None:
        """Read what is left of an answer that is complete, so that its connection can be used again.

        Args:
            response: The answer; a server that does not end it within a moment loses the connection.
        """
        if response.content.at_eof():
            return
        total = 0
        with suppress(ModelResponseError, *FAULTS):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while chunk := await self.receive(response, total):
                    total += len(chunk)

    def release(self, response: aiohttp.ClientResponse) -> None:
        """Give the connection of an answer back into the pool, or up if there is more to come.

        Args:
            response: The answer.
        """
        reading = self._reading.get(asyncio.get_running_loop())
        if reading is not None:
            reading.discard(response)
        if response.content.at_eof():
            response.release()
        else:
            response.close()

    async def close(self) -> None:
        """Close the running loop's connections. Connections of other loops close with those loops."""
        guard = self._open.pop(asyncio.get_running_loop(), None)
        if guard is not None:
            await guard.aclose()

    def _url(self, path: str) -> yarl.URL:
        url = self._urls.get(path)
        if url is None:
            url = self.base_url.joinpath(*path.split("/")).with_query(self.base_url.query)
            self._urls[path] = url
        return url

    async def _start_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        guard = self._guard(loop)
        self._open[loop] = guard
        return await anext(guard)

    async def _guard(
        self, loop: asyncio.AbstractEventLoop
    ) -> AsyncGenerator[aiohttp.ClientSession, None]:
        # asyncio closes the asynchronous generators of a loop before the loop itself
        # (https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_asyncgens), which is the
        # only notice that a library gets of a loop's end.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0) if self.connector is None else self.connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            proxy=self.proxy,
            request_class=_Request,
        )
        self._sessions[loop] = session
        try:
            yield session
        finally:
            self._open.pop(loop, None)
            self._sessions.pop(loop, None)
            for response in self._reading.pop(loop, ()):
                # aiohttp does not tell those who wait for bytes.
                response.content.set_exception(aiohttp.ClientConnectionError("closed"))
            await session.close()
