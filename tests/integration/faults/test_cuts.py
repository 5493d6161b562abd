"""Connections that end at any byte of an answer, headers included, with a tool call at stake."""

from __future__ import annotations

import asyncio
import re
from typing import Literal, TypeAlias

import pytest

from agent_factory.core import ModelConnectionError, ModelResponseError
from agent_factory.integrations.openai import RetryPolicy
from tests.integration.faults.proxy import Exchange, frame, take_body
from tests.integration.faults.runs import (
    KINDS,
    SAYING,
    TEXT,
    Ending,
    Kind,
    answer_with_tool,
    put_up,
)

pytestmark = pytest.mark.integration

End: TypeAlias = Literal["reset", "closed", "unframed"]

AT_ONCE = 64
ECHOES = (b"event: response.created", b"event: response.in_progress")


class Cutter:
    """Cuts the first answer of a run where the run's prompt says.

    Args:
        kind: The protocol.
        stream: Whether answers are streamed.
        end: How the connection ends; where it is ``unframed``, only its end says where the answer ends.
        retries: How often the client asks again.
    """

    def __init__(self, kind: Kind, end: End, *, stream: bool, retries: int = 0) -> None:
        self.kind = kind
        self.stream = stream
        self.end = end
        self.retries = retries
        self.first = b""
        self.second = b""
        self.cut: set[int] = set()

    async def cut_all(self) -> list[Ending]:
        """Return how the runs end whose first answer was cut after 0 bytes, 1 byte, and so on to the whole."""
        async with put_up(
            self.kind,
            always=self,
            script=answer_with_tool,
            chunk_tokens=100,
            retry=RetryPolicy(max_retries=self.retries, first_delay=0),
        ) as bench:
            whole = await bench.run("record", stream=self.stream)
            assert (whole.output, whole.calls) == (TEXT, [(1, 2)])
            gate = asyncio.Semaphore(AT_ONCE)

            async def run(length: int) -> Ending:
                async with gate:
                    return await bench.run(f"cut at {length}.", stream=self.stream)

            return await asyncio.gather(*map(run, range(len(self.first) + 1)))

    async def __call__(self, exchange: Exchange) -> None:
        """Answer a request."""
        later = b"call_1" in exchange.request
        where = re.search(rb"cut at (\d+)\.", exchange.request)
        if where is None:
            head, pieces = take_body(await exchange.ask())
            # The client passes them over, and they are most of a short stream.
            pieces = [piece for piece in pieces if not piece.startswith(ECHOES)]
            framing = "chunked" if self.stream else "length"
            answer = frame(head, pieces, "close" if self.end == "unframed" else framing)
            if later:
                self.second = answer
            else:
                self.first = answer
            await exchange.send(answer)
        elif later or int(where[1]) in self.cut:
            await exchange.send(self.second if later else self.first)
        else:
            self.cut.add(int(where[1]))
            await exchange.send(self.first[: int(where[1])])
            if self.end == "reset":
                exchange.reset()
                return
            exchange.close()
        if self.end == "unframed":
            exchange.close()


@pytest.mark.parametrize("end", ["reset", "closed", "unframed"])
@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_cut_at_any_byte_is_an_error_or_whole(kind: Kind, stream: bool, end: End) -> None:
    cutter = Cutter(kind, end, stream=stream)
    endings = asyncio.run(cutter.cut_all())
    for length, ending in enumerate(endings):
        if ending.error is None:
            assert (ending.output, ending.text) == (TEXT, SAYING + TEXT), length
            assert ending.calls == [(1, 2)], length
        else:
            # Nothing is done that a truncated answer asks for, and the call may have to be paid for.
            assert isinstance(ending.error, (ModelConnectionError, ModelResponseError)), length
            assert SAYING.startswith(ending.text), length
            assert ending.calls == [], length
            assert ending.used.requests == 1, length
            assert ending.used.tokens > 0, length
    assert endings[-1].error is None or end == "reset"
    # What may be missing: the usage, the words that end a stream, white space.
    needed = len(cutter.first) - (800 if stream else 1)
    assert all(ending.error is not None for ending in endings[:needed])


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_answer_cut_at_any_byte_is_asked_for_again(kind: Kind) -> None:
    cutter = Cutter(kind, "reset", stream=False, retries=1)
    endings = asyncio.run(cutter.cut_all())
    for length, ending in enumerate(endings):
        assert (ending.output, ending.calls, ending.text) == (TEXT, [(1, 2)], SAYING + TEXT), length
    assert {ending.retries for ending in endings[:-1]} == {1}
