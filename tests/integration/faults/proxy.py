"""A TCP proxy between a client and a server that does to the answers what networks and bad servers do."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self, TypeAlias

__all__ = [
    "Exchange",
    "Fault",
    "FaultProxy",
    "frame",
    "pour",
    "reply",
    "reset_at",
    "stall_at",
    "take_body",
]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.I)
_FRAMING = re.compile(rb"\r\n(?:content-length|transfer-encoding|connection):[^\r]*", re.I)
_END = b"\r\n0\r\n\r\n"


class Exchange:
    """One request that a client sent, and the means to answer it in any way.

    Args:
        request: The request, with its headers.
        upstream: Address and port of the real server.
        writer: Leads to the client.
    """

    def __init__(
        self, request: bytes, upstream: tuple[str, int], writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._upstream = upstream
        self._writer = writer

    async def ask(self) -> bytes:
        """Return the whole answer of the real server, with its headers."""
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(self.request)
            head = await reader.readuntil(b"\r\n\r\n")
            if _CHUNKED.search(head):
                body = b"\r\n"
                while not body.endswith(_END):
                    body += await reader.read(65536)
                return head + body[2:]
            length = _LENGTH.search(head)
            return head + await reader.readexactly(int(length[1]) if length else 0)
        finally:
            writer.close()

    async def send(self, data: bytes) -> None:
        """Send bytes to the client, and wait until most of what was sent is on its way."""
        self._writer.write(data)
        await self._writer.drain()

    async def forward(self) -> None:
        """Answer as the real server does."""
        await self.send(await self.ask())

    def close(self) -> None:
        """End the connection in order, with a FIN."""
        self._writer.close()

    def reset(self) -> None:
        """Break the connection, with an RST."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Fault: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""Answers a request; `Exchange.forward` is the one without a fault."""


def reply(data: bytes, *, close: bool = True) -> Fault:
    """Return a fault that answers with bytes of its own.

    Args:
        data: The bytes.
        close: Whether the connection ends then.
    """

    async def answer(exchange: Exchange) -> None:
        await exchange.send(data)
        if close:
            exchange.close()

    return answer


def pour(start: bytes, piece: bytes) -> Fault:
    """Return a fault that never ends its answer.

    Args:
        start: How the answer begins.
        piece: What it goes on with, for ever.
    """

    async def answer(exchange: Exchange) -> None:
        await exchange.send(start)
        while True:
            await exchange.send(piece)
            # Even where nobody reads: the client is to have its turn.
            await asyncio.sleep(0)

    return answer


def reset_at(length: int) -> Fault:
    """Return a fault that breaks the connection after some bytes of the real answer."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send((await exchange.ask())[:length])
        exchange.reset()

    return answer


def stall_at(length: int) -> Fault:
    """Return a fault that falls silent after some bytes of the real answer."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send((await exchange.ask())[:length])
        await asyncio.Event().wait()

    return answer


class FaultProxy:
    """A proxy on a port of 127.0.0.1. What it did wrong itself is raised at the end.

    Args:
        upstream: Address of the real server, as `OpenAIServer.base_url`.
        faults: What happens to each request in turn; None, and every request after the last, goes well.
        always: What happens to every request instead.
        greet: What happens to each connection before its first request.
        listener: The socket that it listens on, instead of one of its own.

    Attributes:
        requests: What came, oldest first.
        connections: How many connections were made.
    """

    def __init__(
        self,
        upstream: str,
        faults: Iterable[Fault | None] = (),
        *,
        always: Fault | None = None,
        greet: Fault | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        host, port = upstream.removeprefix("http://").split("/")[0].split(":")
        self._upstream = host, int(port)
        self._faults = iter(faults)
        self._always = always
        self._greet = greet
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._failures: list[Exception] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def base_url(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        """Start."""
        self._server = await asyncio.start_server(
            self._accept, sock=self._listener, limit=1 << 22, backlog=1024
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and break what is still going on."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if self._failures:
            raise self._failures[0]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._greet is not None:
                await self._greet(Exchange(b"", self._upstream, writer))
            while not writer.is_closing() and (request := await _read_request(reader)):
                self.requests.append(request)
                fault = self._always or next(self._faults, None) or Exchange.forward
                await fault(Exchange(request, self._upstream, writer))
        except ConnectionError:
            pass  # the client has left, as it may
        except Exception as error:  # noqa: BLE001 - told at the end
            self._failures.append(error)
        except asyncio.CancelledError:
            # Whatever the client does not read any more would keep the connection open.
            writer.transport.abort()
            raise
        finally:
            writer.close()


def take_body(answer: bytes) -> tuple[bytes, list[bytes]]:
    """Return the head of an answer without what says how long it is, and its body: the chunks, or one piece.

    Args:
        answer: An answer with its headers.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    bare = _FRAMING.sub(b"", head + b"\r\n").removesuffix(b"\r\n")
    if not _CHUNKED.search(head + b"\r\n"):
        return bare, [body]
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        pieces.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return bare, [piece for piece in pieces if piece]


def frame(head: bytes, pieces: Iterable[bytes], how: str = "chunked") -> bytes:
    """Return an answer.

    Args:
        head: Its head, as `take_body` returns it.
        pieces: The pieces of its body.
        how: Its end is said by ``chunked``, by its ``length``, or by the end of the connection: ``close``.
    """
    if how == "chunked":
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
        return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"
    body = b"".join(pieces)
    if how == "length":
        return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    return head + b"\r\nConnection: close\r\n\r\n" + body


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    """Return the next request, or nothing at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return head + await reader.readexactly(int(length[1]) if length else 0)
    except asyncio.IncompleteReadError:
        return b""
