"""Reads a streamed answer, one chunk of the network at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_factory.integrations.openai.fields import ProtocolError, ReportedError, decode_json
from agent_factory.integrations.openai.sse import EventReader

if TYPE_CHECKING:
    import aiohttp

    from agent_factory.core.models import ModelDelta, ModelResponse
    from agent_factory.integrations.openai.folding import Fold
    from agent_factory.integrations.openai.transport import Transport

__all__ = ["StreamedAnswer"]


class StreamedAnswer:
    """A streamed answer that is being read.

    Args:
        transport: What brings it.
        response: The answer.
        fold: Puts its pieces together.
    """

    __slots__ = (
        "_ended",
        "_failure",
        "_fold",
        "_last",
        "_reader",
        "_timer",
        "_total",
        "_transport",
        "response",
    )

    def __init__(self, transport: Transport, response: aiohttp.ClientResponse, fold: Fold) -> None:
        self.response = response
        self._transport = transport
        self._fold = fold
        self._reader = EventReader()
        self._last = b""
        self._total = 0
        self._ended = False
        self._failure: ProtocolError | ReportedError | None = None
        self._timer: asyncio.TimerHandle | None = None

    def give_up_at(self, moment: float) -> None:
        """Let reading fail with `TimeoutError` from a moment on.

        Not `asyncio.timeout`, which would interrupt whoever is at work on the pieces at that moment.

        Args:
            moment: Time of the running loop; replaces what was said before.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._expire)

    async def read(self) -> list[ModelDelta] | None:
        """Return the pieces that come next, which may be none, or None at the end of the answer.

        Raises:
            ProtocolError: The answer breaks the protocol; what came before was returned.
            ReportedError: It is an error of the server.
            ModelResponseError: It is too long.
            Exception: One of `FAULTS`.
        """
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return None
        chunk = await self._transport.receive(self.response, self._total)
        if chunk:
            self._total += len(chunk)
            events = self._reader.feed(chunk)
        else:
            self._ended = True
            events = self._reader.finish()
        deltas: list[ModelDelta] = []
        add = self._fold.add
        try:
            for data in events:
                if data == b"[DONE]":
                    self._ended = True
                    break
                if data == self._last and _is_unique(data):
                    raise ProtocolError("an event came twice")
                self._last = data
                add(decode_json(data), deltas)
                if self._fold.ended:
                    self._ended = True
                    break
        except (ProtocolError, ReportedError) as error:
            if not deltas:
                raise
            self._failure = error
        return deltas

    async def finish(self) -> ModelResponse:
        """Return the whole response, once everything was read.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        await self._transport.drain(self.response)
        return self._fold.finished()

    def close(self) -> None:
        """Give the connection back, or up if there is more to come."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport.release(self.response)

    def _expire(self) -> None:
        # First, so that whoever waits for bytes learns why there are none.
        self.response.content.set_exception(TimeoutError())
        self.response.close()


def _is_unique(data: bytes) -> bool:
    """Return whether no server sends an event like this one twice in a row.

    A piece of text may well be the same as the one before. OpenAI gives each a random text of its own, and an answer
    ends only once.
    """
    return b'"obfuscation":' in data or b'"finish_reason":"' in data.replace(b": ", b":")
