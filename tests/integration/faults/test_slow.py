"""Answers that come a byte at a time, or stop coming."""

from __future__ import annotations

import asyncio
import re

import pytest

from agent_factory.core import ModelConnectionError, RunTimeoutError
from agent_factory.integrations.openai import RetryPolicy
from tests.integration.faults.proxy import Exchange, stall_at
from tests.integration.faults.runs import (
    KINDS,
    SAYING,
    TEXT,
    Ending,
    Kind,
    answer_with_tool,
    put_up,
)

pytestmark = [pytest.mark.integration]

PLACES = range(0, 4000, 131)


async def drip(exchange: Exchange) -> None:
    """Answer a byte at a time."""
    for byte in await exchange.ask():
        await exchange.send(bytes([byte]))
        await asyncio.sleep(0)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_may_come_a_byte_at_a_time(kind: Kind, stream: bool) -> None:
    async def call() -> Ending:
        async with put_up(kind, always=drip, script=answer_with_tool) as bench:
            return await bench.run(stream=stream)

    ending = asyncio.run(call())
    assert (ending.output, ending.text) == (TEXT, SAYING + TEXT)
    assert ending.calls == [(1, 2)]


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_stops_coming_is_given_up_at_the_deadline(kind: Kind, stream: bool) -> None:
    async def stall(exchange: Exchange) -> None:
        where = re.search(rb"stall at (\d+)\.", exchange.request)
        assert where is not None
        answer = await exchange.ask()
        # At most up to where the reason to stop may be: what comes later ends an answer.
        await exchange.send(answer[: min(int(where[1]), len(answer) // 2)])
        await asyncio.Event().wait()

    async def call_all() -> list[Ending]:
        async with put_up(kind, always=stall, script=answer_with_tool) as bench:
            runs = (
                bench.run(f"stall at {length}.", stream=stream, timeout=0.5) for length in PLACES
            )
            return await asyncio.gather(*runs)

    for ending in asyncio.run(call_all()):
        assert isinstance(ending.error, (ModelConnectionError, RunTimeoutError))
        assert ending.calls == []
        # Nobody knows how much of it has to be paid for.
        assert ending.used.tokens > 1000


@pytest.mark.parametrize("length", [0, 50, 400])
@pytest.mark.parametrize("kind", KINDS)
def test_an_attempt_that_stops_is_made_again(kind: Kind, length: int) -> None:
    async def call() -> Ending:
        retry = RetryPolicy(max_retries=1, first_delay=0, attempt_timeout=0.3)
        faults = [stall_at(length)]
        async with put_up(kind, faults, script=answer_with_tool, retry=retry) as bench:
            return await bench.run(stream=False)

    ending = asyncio.run(call())
    # A busy machine may let a good attempt fail too; then there was no other one left.
    assert ending.retries >= 1
    assert ending.error is None or isinstance(ending.error, ModelConnectionError)
    assert ending.error is not None or (ending.output, ending.calls) == (TEXT, [(1, 2)])
