"""Speaks with a server over its standard input and output: one message of JSON a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from agent_factory.integrations.mcp.links import MAX_MESSAGE_BYTES, Link
from agent_factory.integrations.mcp.programs import Process

if TYPE_CHECKING:
    from agent_factory.integrations.mcp.sdk import Sdk
    from agent_factory.integrations.mcp.words import LastWords

__all__ = ["open_stdio"]

_MOST_NOISE = 1000
_LEAVE_SECONDS = 0.3
_POLL_SECONDS = 0.01


@asynccontextmanager
async def open_stdio(
    start: Callable[[], Process], sdk: Sdk, words: LastWords, on_end: Callable[[str], None]
) -> AsyncIterator[Link]:
    """Start a server, and end it with all that it has started.

    Args:
        start: Starts it.
        sdk: The SDK.
        words: Gets what the server says beside the protocol.
        on_end: Called with a reason when the server ends by itself.

    Raises:
        ToolError: It cannot be started.
    """
    process = start()
    speaker = _Speaker(process, sdk, words, on_end)
    try:
        await speaker.open()
        yield Link(speaker.read, speaker.write)
    finally:
        await speaker.close()


class _Speaker:
    """The tasks that carry messages between a session and a process."""

    def __init__(
        self, process: Process, sdk: Sdk, words: LastWords, on_end: Callable[[str], None]
    ) -> None:
        self._process = process
        self._sdk = sdk
        self._words = words
        self._on_end = on_end
        self._tasks: list[asyncio.Task[None]] = []
        self._transports: list[asyncio.BaseTransport] = []
        create = sdk.anyio.create_memory_object_stream
        self._deliver, self.read = create(0)
        self.write, self._accept = create(0)

    async def open(self) -> None:
        """Connect to the pipes."""
        stdin, stdout, stderr = self._process.pipes
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(_Writing, stdin)
        self._transports.append(transport)
        output = await self._connect(stdout, MAX_MESSAGE_BYTES)
        errors = await self._connect(stderr, 65_536)
        self._tasks = [
            asyncio.create_task(self._receive(output)),
            asyncio.create_task(self._send(transport, protocol)),
            asyncio.create_task(self._listen(errors)),
        ]

    async def close(self) -> None:
        """Let the server leave by itself for a moment, then end it."""
        try:
            if self._transports:
                self._transports[0].close()  # its input, which tells it to leave
                await self._wait(_LEAVE_SECONDS)
        finally:
            self._process.stop()
            for task in self._tasks:
                task.cancel()
            for transport in self._transports:
                transport.close()
            for stream in (self._deliver, self.read, self.write, self._accept):
                stream.close()
            # To the end also where this is cancelled: what is left to do takes a bounded time.
            finishing = asyncio.ensure_future(asyncio.to_thread(self._process.finish))
            with suppress(asyncio.CancelledError):
                await asyncio.shield(finishing)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + seconds
        # The process tells nobody: a watcher would outlive the event loop.
        while self._process.poll() is None and loop.time() < limit:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)

    async def _connect(self, pipe: IO[bytes], limit: int) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=limit)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._transports.append(transport)
        return reader

    async def _receive(self, output: asyncio.StreamReader) -> None:
        reason = "the server ended"
        noise = 0
        adapter, message = self._sdk.types.jsonrpc_message_adapter, self._sdk.message.SessionMessage
        try:
            while line := await output.readline():
                try:
                    parsed = adapter.validate_json(line, by_name=False)
                except ValueError:
                    noise += 1
                    self._words.add(line[:500].decode(errors="replace"))
                    if noise > _MOST_NOISE:
                        reason = "the server writes to its standard output what is no message of the protocol"
                        break
                    continue
                await self._deliver.send(message(parsed))
        except ValueError:
            reason = f"the server sent a message of more than {MAX_MESSAGE_BYTES:,} bytes"
        except (
            self._sdk.anyio.BrokenResourceError,
            self._sdk.anyio.ClosedResourceError,
            OSError,
        ):
            reason = "the connection to the server broke"
        # What it said last is still on its way.
        await self._wait(_LEAVE_SECONDS / 3)
        self._on_end(reason)
        self._deliver.close()

    async def _send(self, transport: asyncio.WriteTransport, protocol: _Writing) -> None:
        with suppress(self._sdk.anyio.BrokenResourceError, self._sdk.anyio.ClosedResourceError):
            async for item in self._accept:
                text: str = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                if protocol.lost:
                    break
                transport.write(text.encode() + b"\n")
                await protocol.drain()
        if protocol.lost:
            self._on_end("the server closed its input")
            self._deliver.close()

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        while chunk := await errors.read(8192):
            self._words.add(chunk.decode(errors="replace"))


class _Writing(asyncio.BaseProtocol):
    """Says when a pipe takes no more for now, and when it takes no more at all."""

    def __init__(self) -> None:
        self.lost = False
        self._free = asyncio.Event()
        self._free.set()

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def connection_lost(self, _: Any) -> None:
        self.lost = True
        self._free.set()

    async def drain(self) -> None:
        """Wait until the pipe takes more."""
        await self._free.wait()
