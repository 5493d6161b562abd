"""Callers that leave in the middle of a run, and clients that are closed under it: nothing is left."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from agent_factory.core import Agent, ModelConnectionError, TextReceived
from agent_factory.integrations.openai import RetryPolicy
from tests.integration.faults.proxy import Exchange
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

MOMENTS = range(0, 120, 2)
"""Rounds of the event loop until somebody leaves."""


async def dawdle(exchange: Exchange) -> None:
    """Answer in pieces, so that somebody can leave at each of them."""
    answer = await exchange.ask()
    for at in range(0, len(answer), 200):
        await exchange.send(answer[at : at + 200])
        await asyncio.sleep(0)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_may_leave_at_any_moment(kind: Kind, stream: bool) -> None:
    async def leave(task: asyncio.Task[Ending], moment: int) -> Ending | None:
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return None

    async def call() -> list[Ending | None]:
        async with put_up(kind, always=dawdle, script=answer_with_tool) as bench:
            # Connections stand already, so that a moment is not always the same one.
            assert (await bench.run(stream=stream)).output == TEXT
            return await asyncio.gather(
                *(
                    leave(asyncio.create_task(bench.run(stream=stream)), moment)
                    for moment in MOMENTS
                )
            )

    endings = asyncio.run(call())
    assert None in endings
    assert all(ending is None or ending.output == TEXT for ending in endings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_may_leave_a_stream_after_its_first_piece(kind: Kind) -> None:
    async def call() -> list[str]:
        seen = []
        async with put_up(kind, always=dawdle, script=answer_with_tool) as bench:
            agent: Agent[None, str] = Agent(name="clerk", model=bench.model)
            for _ in range(20):
                async with aclosing(agent.stream("Hi")) as events:
                    async for event in events:
                        if isinstance(event, TextReceived):
                            seen.append(event.text)
                            break
        return seen

    assert all(SAYING.startswith(text) for text in asyncio.run(call()))


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_is_closed_under_its_runs_breaks_or_repeats_them(
    kind: Kind, stream: bool
) -> None:
    async def call(moment: int, retries: int) -> list[Ending]:
        retry = RetryPolicy(retries, first_delay=0)
        async with put_up(kind, always=dawdle, script=answer_with_tool, retry=retry) as bench:
            runs = [asyncio.create_task(bench.run(stream=stream)) for _ in range(5)]
            for _ in range(moment):
                await asyncio.sleep(0)
            await bench.model.aclose()
            return await asyncio.gather(*runs)

    for moment in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        for retries in (0, 1):
            for ending in asyncio.run(call(moment, retries)):
                if ending.error is None:
                    assert (ending.output, ending.calls) == (TEXT, [(1, 2)])
                else:
                    assert isinstance(ending.error, ModelConnectionError)
                    assert len(ending.calls) <= 1
