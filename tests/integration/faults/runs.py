"""Runs of an agent through a faulty network, what they may end with, and what must not be left of them."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from agent_factory.core import (
    Agent,
    AssistantMessage,
    CoreError,
    InMemoryBudget,
    Limits,
    ModelRetried,
    RunFailed,
    RunFinished,
    RunOptions,
    TextReceived,
    ToolCall,
    ToolContext,
    Usage,
    tool,
)
from agent_factory.integrations.openai import OpenAIModel, OpenAIResponsesModel, RetryPolicy
from agent_factory.integrations.testing import OpenAIServer, ReceivedRequest
from tests.integration.faults.proxy import Fault, FaultProxy

__all__ = [
    "KINDS",
    "SAYING",
    "TEXT",
    "Bench",
    "Ending",
    "Kind",
    "Script",
    "answer_at_once",
    "answer_with_tool",
    "leaving_nothing",
    "put_up",
]

Kind: TypeAlias = Literal["chat", "responses"]
KINDS: tuple[Kind, ...] = ("chat", "responses")

Script: TypeAlias = Callable[[ReceivedRequest], str | AssistantMessage]

TEXT = "It is 3."
SAYING = "Wait."


def answer_with_tool(request: ReceivedRequest) -> str | AssistantMessage:
    """Ask for the tool first, then answer; the script of a server."""
    if "call_1" in str(request.body):
        return TEXT
    return AssistantMessage(SAYING, (ToolCall("call_1", "add", '{"a": 1, "b": 2}'),))


def answer_at_once(_request: ReceivedRequest) -> str:
    """Answer; the script of a server."""
    return TEXT


@dataclass
class Ending:
    """How a run ended.

    Attributes:
        output: Its answer, if there is one.
        error: Its error otherwise.
        text: The text that was given out.
        calls: The tool calls that were carried out.
        retries: How often the model was asked again.
        used: What the budget says was used.
    """

    output: str | None = None
    error: CoreError | None = None
    text: str = ""
    calls: list[tuple[int, int]] = field(default_factory=list)
    retries: int = 0
    used: Usage = field(default_factory=Usage)


@tool(effect="once")
async def add(context: ToolContext[Ending], a: int, b: int) -> int:
    """Add two numbers."""
    context.deps.calls.append((a, b))
    return a + b


@dataclass
class Bench:
    """A client, a proxy and a server.

    Attributes:
        model: The client.
        proxy: What stands between.
        server: What answers.
    """

    model: OpenAIModel | OpenAIResponsesModel
    proxy: FaultProxy
    server: OpenAIServer

    async def run(
        self,
        prompt: str = "1 + 2?",
        *,
        stream: bool,
        timeout: float = 30.0,
    ) -> Ending:
        """Run an agent with a tool and a budget; the budget is settled, whatever happens."""
        ending = Ending()
        budget = InMemoryBudget("test", max_tokens=1_000_000)

        def observe(event: object) -> None:
            if isinstance(event, ModelRetried):
                ending.retries += 1
            elif isinstance(event, TextReceived):
                ending.text += event.text

        agent: Agent[Ending, str] = Agent(
            name="clerk",
            model=self.model,
            tools=[add],
            limits=Limits(timeout=timeout),
        )
        options = RunOptions(budgets=(budget,), observers=(observe,))
        try:
            if stream:
                last: object = None
                async for last in agent.stream(prompt, deps=ending, options=options):
                    assert not isinstance(last, RunFailed) or ending.output is None
                assert isinstance(last, RunFinished)
                ending.output = last.result.output
            else:
                ending.output = (await agent.run(prompt, deps=ending, options=options)).output
        except CoreError as error:
            ending.error = error
        assert budget.reserved == Usage()
        ending.used = budget.used
        return ending


@asynccontextmanager
async def leaving_nothing() -> AsyncIterator[None]:
    """Check that nothing is left of what the block does: no tasks, no sockets."""
    tasks, files = asyncio.all_tasks(), _count_files()
    yield
    for _ in range(500):
        if asyncio.all_tasks() <= tasks and _count_files() <= files:
            break
        # What ends now takes a moment; what only lies around is found.
        await asyncio.sleep(0.01)
        gc.collect()
    assert asyncio.all_tasks() <= tasks
    assert _count_files() <= files


@asynccontextmanager
async def put_up(
    kind: Kind,
    faults: Iterable[Fault | None] = (),
    *,
    always: Fault | None = None,
    greet: Fault | None = None,
    script: Script = answer_at_once,
    chunk_tokens: int = 4,
    **options: Any,
) -> AsyncIterator[Bench]:
    """Put a client, a proxy and a server up, and check that nothing is left of them.

    Args:
        kind: The protocol.
        faults: As for the proxy.
        always: As for the proxy.
        greet: As for the proxy.
        script: What the server answers.
        chunk_tokens: As for the server.
        options: Options of the client, which by default repeats nothing.
    """
    create = OpenAIModel if kind == "chat" else OpenAIResponsesModel
    async with (
        leaving_nothing(),
        OpenAIServer(script, chunk_tokens=chunk_tokens) as server,
        FaultProxy(server.base_url, faults, always=always, greet=greet) as proxy,
    ):
        known: dict[str, Any] = {
            "api_key": server.api_key,
            "base_url": proxy.base_url,
            "retry": RetryPolicy(max_retries=0),
        }
        async with create("tiny", **(known | options)) as model:
            yield Bench(model, proxy, server)


def _count_files() -> int:
    return len(os.listdir("/dev/fd"))
