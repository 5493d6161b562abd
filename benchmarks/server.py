"""The one server that all peers call: a bare protocol that writes prepared bytes, in a process of its own.

The first part of the path names the scenario: ``POST /sequence-10/v1/chat/completions``.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

from benchmarks.answers import create_scenario

__all__ = ["BenchmarkServer", "main", "serve"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_STREAM = re.compile(rb'"stream": ?true')
_RESULT = b'"tool_call_id"'
_TARGET = re.compile(rb"POST /([a-z0-9-]+)/v1/chat/completions HTTP/1\.1")
_BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"


class BenchmarkServer(asyncio.Protocol):
    """One connection, kept alive: whole requests in, prepared bytes out."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while True:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end])
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            body = bytes(self._received[end + 4 : whole])
            del self._received[:whole]
            self._write(_answer(head, body))

    def _write(self, pieces: tuple[bytes, ...]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(pieces[0])
        if len(pieces) > 1:
            # In the next turn of the loop, so that a client reads a stream piece by piece.
            self._loop.call_soon(self._write, pieces[1:])


def _answer(head: bytes, body: bytes) -> tuple[bytes, ...]:
    target = _TARGET.match(head)
    if target is None:
        return (_BAD,)
    scenario = create_scenario(target[1].decode())
    if bool(_STREAM.search(body)) != scenario.streaming:
        return (_BAD,)
    return scenario.answer(body.count(_RESULT))


async def serve(path: str = "") -> None:
    """Serve until cancelled; prints the port as its first line.

    Args:
        path: Path of a Unix socket to listen on; empty for a free port of 127.0.0.1.
    """
    loop = asyncio.get_running_loop()
    if path:
        server: asyncio.Server = await loop.create_unix_server(BenchmarkServer, path, backlog=1024)
        print(path, flush=True)
    else:
        server = await loop.create_server(BenchmarkServer, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the standard input is closed, so that no server outlives its runner."""

    async def run() -> None:
        task = asyncio.create_task(serve())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        task.cancel()

    asyncio.run(run())
