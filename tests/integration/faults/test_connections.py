"""Connections that cannot be made, that were closed meanwhile, or that many runs need at a time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from agent_factory.core import ModelConnectionError, ModelError, RunTimeoutError, Usage
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai import OpenAIModel, RetryPolicy
from agent_factory.integrations.testing import OpenAIServer, ReceivedRequest
from tests.integration.faults.proxy import Exchange, Fault, FaultProxy, reply, reset_at
from tests.integration.faults.runs import (
    KINDS,
    SAYING,
    TEXT,
    Bench,
    Ending,
    Kind,
    answer_at_once,
    answer_with_tool,
    leaving_nothing,
    put_up,
)

pytestmark = pytest.mark.integration

AGAIN = RetryPolicy(first_delay=0)


class NoResolver(AbstractResolver):
    """Knows no host."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(None, f"{host} is not known")

    async def close(self) -> None:
        pass


async def forward_and_close(exchange: Exchange) -> None:
    """Answer, and close the connection without a word about that."""
    await exchange.forward()
    exchange.close()


async def hang_up(exchange: Exchange) -> None:
    """Take the request, and close the connection."""
    exchange.close()


async def reset(exchange: Exchange) -> None:
    """Take the request, and break the connection."""
    exchange.reset()


def fail(**options: Any) -> Ending:
    """Return how a run ends whose connections cannot be made; they are tried three times."""

    async def call() -> Ending:
        async with put_up("chat", **{"retry": AGAIN, **options}) as bench:
            ending = await bench.run(stream=False)
            assert bench.server.requests == []
            return ending

    return asyncio.run(call())


def check_unsent(ending: Ending, *words: str) -> None:
    """Check that nothing was sent, and nothing has to be paid for."""
    assert isinstance(ending.error, ModelConnectionError)
    assert all(word in ending.error.message for word in words)
    assert ending.error.details["sent"] is False
    assert ending.retries == 2
    assert ending.used == Usage()


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_refused_connection_is_named() -> None:
    ending = fail(base_url=f"http://127.0.0.1:{free_port()}/v1")
    check_unsent(ending, "cannot be reached", "base_url")


def test_a_host_that_is_not_known_is_named() -> None:
    ending = fail(
        base_url="http://nowhere.invalid/v1",
        connector=lambda: aiohttp.TCPConnector(resolver=NoResolver()),
    )
    check_unsent(ending, "nowhere.invalid", "cannot be reached", "base_url")


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", "a..invalid", ".invalid"])
def test_a_host_that_can_be_none_is_refused_at_once(host: str) -> None:
    with pytest.raises(IntegrationConfigurationError, match="base_url must be"):
        OpenAIModel("tiny", api_key=None, base_url=f"http://{host}/v1")


def test_tls_to_a_plain_port_is_named() -> None:
    async def call() -> Ending:
        async with put_up("chat", greet=reply(b"HTTP/1.1 400 Bad\r\n\r\n")) as bench:
            port = bench.proxy.port
            async with OpenAIModel(
                "tiny", api_key="sk-1", base_url=f"https://127.0.0.1:{port}/v1", retry=AGAIN
            ) as model:
                return await Bench(model, bench.proxy, bench.server).run(stream=False)

    check_unsent(asyncio.run(call()), "https://127.0.0.1", "cannot be reached", "SSL")


def test_a_proxy_that_cannot_be_reached_is_named() -> None:
    ending = fail(proxy=f"http://ada:hidden@127.0.0.1:{free_port()}")
    check_unsent(ending, "the proxy cannot be reached")
    assert ending.error is not None
    assert "hidden" not in str(ending.error.to_dict())


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_does_not_connect_is_named(status: int) -> None:
    async def call() -> Ending:
        refusal = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
        async with (
            put_up("chat", always=reply(refusal)) as bench,
            OpenAIModel(
                "tiny",
                api_key="sk-1",
                base_url="https://model.invalid/v1",
                proxy=f"http://127.0.0.1:{bench.proxy.port}",
                retry=AGAIN,
            ) as model,
        ):
            return await Bench(model, bench.proxy, bench.server).run(stream=False)

    check_unsent(asyncio.run(call()), "the proxy does not connect", f"HTTP {status}")


def test_a_connection_that_is_never_accepted_is_given_up_at_the_deadline() -> None:
    async def call() -> Ending:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            async with put_up("chat", base_url=f"http://127.0.0.1:{port}/v1") as bench:
                return await bench.run(stream=False, timeout=0.3)

    ending = asyncio.run(call())
    assert isinstance(ending.error, (ModelConnectionError, RunTimeoutError))
    # The system has taken the request: nobody knows what becomes of it.
    assert ending.used.requests == 1


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
def test_a_connection_may_be_accepted_late(stream: bool) -> None:
    async def call() -> Ending:
        listener = socket.create_server(("127.0.0.1", 0))
        async with leaving_nothing(), OpenAIServer(answer_at_once) as server:
            proxy = FaultProxy(server.base_url, listener=listener)
            async with OpenAIModel(
                "tiny", api_key=server.api_key, base_url=proxy.base_url
            ) as model:
                run = asyncio.create_task(Bench(model, proxy, server).run(stream=stream))
                # The request is on its way long before anybody takes the connection.
                await asyncio.sleep(0.1)
                async with proxy:
                    return await run

    before = asyncio.run(call())
    assert before.output == TEXT


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_was_closed_in_the_pool_is_not_used(kind: Kind, stream: bool) -> None:
    async def call() -> tuple[Ending, int]:
        async with put_up(kind, [forward_and_close]) as bench:
            assert (await bench.run(stream=stream)).output == TEXT
            # The client's loop learns of the end before it needs the connection again.
            await asyncio.sleep(0.05)
            return await bench.run(stream=stream), bench.proxy.connections

    ending, connections = asyncio.run(call())
    # Without a repetition: nothing was sent over the closed connection.
    assert (ending.output, ending.retries, connections) == (TEXT, 0, 2)


@pytest.mark.parametrize("end", [hang_up, reset])
@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_may_have_been_carried_out_is_repeated_by_the_policy(
    kind: Kind, stream: bool, end: Fault
) -> None:
    async def call(retry: RetryPolicy) -> Ending:
        # The connection is in use already when it ends, as where a server closes it just then.
        async with put_up(kind, [None, end], retry=retry) as bench:
            assert (await bench.run(stream=stream)).output == TEXT
            ending = await bench.run(stream=stream)
            assert len(bench.proxy.requests) == 3 - (retry.max_retries == 0)
            return ending

    ending = asyncio.run(call(AGAIN))
    assert (ending.output, ending.retries) == (TEXT, 1)
    # The first one counts as used, should all of them fail.
    ending = asyncio.run(call(RetryPolicy(max_retries=0)))
    assert isinstance(ending.error, ModelConnectionError)
    assert ending.error.details["sent"] is True
    assert ending.used.tokens > 1000


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
def test_an_answer_that_comes_twice_is_not_the_answer_to_the_next_question(
    kind: Kind, stream: bool, late: bool
) -> None:
    def script(request: ReceivedRequest) -> str:
        return "second" if "second?" in str(request.body) else "first"

    async def twice(exchange: Exchange) -> None:
        answer = await exchange.ask()
        if late:
            await exchange.send(answer)
            await asyncio.sleep(0.05)
            await exchange.send(answer)
        else:
            await exchange.send(answer * 2)

    async def call() -> list[Ending]:
        async with put_up(kind, [twice], script=script) as bench:
            first = await bench.run("first?", stream=stream)
            await asyncio.sleep(0.2)
            return [first, await bench.run("second?", stream=stream)]

    first, second = asyncio.run(call())
    assert (first.output, first.text) == ("first", "first")
    assert (second.output, second.text) == ("second", "second")


def test_a_server_that_speaks_before_it_is_asked_is_not_understood() -> None:
    async def greet(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def call() -> Ending:
        async with put_up("chat", greet=greet) as bench:
            return await bench.run(stream=False)

    assert isinstance(asyncio.run(call()).error, ModelError)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_runs_get_their_own_answers_though_every_tenth_connection_breaks(
    kind: Kind, stream: bool
) -> None:
    count = 200

    def script(request: ReceivedRequest) -> Any:
        body = str(request.body)
        number = body.partition("number ")[2].partition(".")[0]
        answer = answer_with_tool(request)
        return f"{TEXT} {number}" if isinstance(answer, str) else answer

    def break_every_tenth() -> Iterator[Fault | None]:
        number = 0
        while True:
            number += 1
            # Before the answer begins, within its head, and within its body.
            yield reset_at((0, 100, 600)[number // 10 % 3]) if number % 10 == 0 else None

    async def call() -> list[Ending]:
        async with put_up(
            kind, break_every_tenth(), script=script, retry=RetryPolicy(4, first_delay=0)
        ) as bench:
            runs = (bench.run(f"number {n}.", stream=stream) for n in range(count))
            return await asyncio.gather(*runs)

    endings = asyncio.run(call())
    for number, ending in enumerate(endings):
        if ending.error is None:
            assert ending.output == f"{TEXT} {number}"
            assert ending.text == f"{SAYING}{TEXT} {number}"
            assert ending.calls == [(1, 2)]
        else:
            # Nothing is repeated once a piece of an answer was given out.
            assert stream
            assert isinstance(ending.error, ModelConnectionError)
            assert ending.text
    assert sum(ending.retries > 0 for ending in endings) >= count // 20
    assert sum(ending.error is None for ending in endings) >= count * 8 // 10
