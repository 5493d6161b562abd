"""The one loop that every run goes through: ask the model, call the tools, until there is an answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.events import (
    ModelAnswered,
    ModelRequested,
    OutputRejected,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolStarted,
)
from agent_factory.core.exceptions import (
    LimitExceededError,
    ModelResponseError,
    OutputError,
    RefusalError,
    RunTimeoutError,
    ToolError,
    ToolNotFoundError,
)
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.messages import ToolMessage, UserMessage, check_history
from agent_factory.core.models import ModelRequest, ModelResponse
from agent_factory.core.result import RunResult
from agent_factory.core.tools import Tool, ToolContext
from agent_factory.core.usage import Limits, Usage
from agent_factory.core.waiting import DeadlineError, run_bounded, stream_bounded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from agent_factory.core.events import RunEvent
    from agent_factory.core.messages import Message, ToolCall
    from agent_factory.core.models import Model
    from agent_factory.core.output import OutputType

__all__ = ["RunLoop"]

EventT = TypeVar("EventT")


@dataclass(slots=True)
class RunLoop:
    """One run of one agent. Used once.

    Attributes:
        agent: Name of the agent.
        model: The model that answers.
        tools: The tools that the model may call.
        output: The shape of the answer.
        limits: What the run may use at most.
        deps: What the tools need of the caller.
        streaming: Whether text is reported piece by piece or as a whole.
    """

    agent: str
    model: Model
    tools: tuple[Tool[Any], ...]
    output: OutputType[Any]
    limits: Limits
    deps: Any
    streaming: bool

    async def run(
        self, prompt: str, messages: tuple[Message, ...]
    ) -> AsyncGenerator[RunEvent[Any], None]:
        """Yield the events of the run, the last one `RunFinished`.

        Args:
            prompt: What the agent was asked, for the record.
            messages: The conversation up to and including the prompt.

        Raises:
            CoreError: As `Agent.run`.
        """
        emit = _Emitter(create_run_id())
        deadline = asyncio.get_running_loop().time() + self.limits.timeout
        by_name = {tool.name: tool for tool in self.tools}
        specs = tuple(tool.spec for tool in self.tools)
        usage = Usage()
        rejections = 0
        yield emit(RunStarted, agent=self.agent, model=self.model.name, prompt=prompt)
        while True:
            if usage.requests >= self.limits.max_requests:
                raise self._exceeded("max_requests", self.limits.max_requests)
            yield emit(ModelRequested, attempt=usage.requests + 1)
            request = ModelRequest(
                check_history(messages), specs, self.output.schema, self._left(deadline)
            )
            response: ModelResponse | None = None
            async with aclosing(self._ask(request)) as items:
                async for item in items:
                    if isinstance(item, str):
                        yield emit(TextReceived, text=item)
                    else:
                        response = item
            if response is None:
                raise ModelResponseError(
                    f"model {self.model.name!r} ended its stream without a response",
                    model=self.model.name,
                )
            message = response.message
            usage += replace(response.usage, requests=1, tool_calls=0)
            messages = (*messages, message)
            yield emit(ModelAnswered, message=message, usage=response.usage)
            self._check_response(response)
            if not message.tool_calls:
                try:
                    output = self.output.parse(message.text)
                except OutputError as error:
                    rejections += 1
                    if rejections > self.limits.max_output_retries:
                        raise
                    messages = (*messages, UserMessage(f"{error.message}. Answer again."))
                    yield emit(OutputRejected, reason=error.message)
                    continue
                result = RunResult(output, check_history(messages), usage, emit.run_id)
                yield emit(RunFinished, result=result)
                return
            if usage.tool_calls + len(message.tool_calls) > self.limits.max_tool_calls:
                raise self._exceeded("max_tool_calls", self.limits.max_tool_calls)
            for call in message.tool_calls:
                yield emit(ToolStarted, call=call)
            answers = await self._call_tools(message.tool_calls, by_name, emit.run_id, deadline)
            for call, answer in zip(message.tool_calls, answers, strict=True):
                yield emit(
                    ToolFinished, call=call, content=answer.content, is_error=answer.is_error
                )
            usage += Usage(tool_calls=len(answers))
            messages = (*messages, *answers)

    async def _ask(self, request: ModelRequest) -> AsyncGenerator[str | ModelResponse, None]:
        """Yield the model's text as it comes, then its whole response."""
        try:
            if not self.streaming:
                response = await run_bounded(self.model.respond(request), request.timeout)
                if response.message.text:
                    yield response.message.text
                yield response
                return
            stream = stream_bounded(self.model.stream(request), request.timeout)
            async with aclosing(stream) as items:
                async for item in items:
                    yield item if isinstance(item, ModelResponse) else item.text
        except DeadlineError as error:
            raise self._timed_out() from error

    async def _call_tools(
        self,
        calls: tuple[ToolCall, ...],
        by_name: dict[str, Tool[Any]],
        run_id: str,
        deadline: float,
    ) -> list[ToolMessage]:
        """Run the calls side by side; their results stand in the order of the calls."""
        left = self._left(deadline)
        tasks = [
            asyncio.create_task(self._call_tool(call, by_name, run_id, left)) for call in calls
        ]
        try:
            # Not a TaskGroup: its ExceptionGroup would hide the one error that callers catch.
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            # Bounded: each tool gives up its clean-up after a moment.
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _call_tool(
        self, call: ToolCall, by_name: dict[str, Tool[Any]], run_id: str, left: float
    ) -> ToolMessage:
        try:
            tool = by_name.get(call.name)
            if tool is None:
                known = ", ".join(sorted(by_name)) or "none"
                raise ToolNotFoundError(
                    f"there is no tool named {call.name!r}; the tools are: {known}", tool=call.name
                )
            context = ToolContext(self.deps, run_id, call.id)
            content = await tool.run(context, call.arguments, timeout=left)
        except ToolError as error:
            return ToolMessage(call.id, call.name, f"Error: {error.message}", "error")
        return ToolMessage(call.id, call.name, content)

    def _left(self, deadline: float) -> float:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise self._timed_out()
        return left

    def _check_response(self, response: ModelResponse) -> None:
        if response.finish_reason == "length":
            raise OutputError(
                f"model {self.model.name!r} ran out of tokens before its answer was complete: "
                "allow it more output tokens, or ask for less"
            )
        if response.finish_reason == "refusal":
            raise RefusalError(
                f"model {self.model.name!r} refused to answer: {response.message.text}",
                refusal=response.message.text,
            )
        if response.finish_reason == "content_filter":
            raise OutputError(f"the answer of model {self.model.name!r} was stopped by its filter")
        identifiers = [call.id for call in response.message.tool_calls]
        if len(set(identifiers)) < len(identifiers):
            # Before any tool runs: their results could not be told apart in the history.
            raise ModelResponseError(
                f"model {self.model.name!r} asked for several tool calls under one id: {identifiers}",
                model=self.model.name,
            )

    def _exceeded(self, limit: str, allowed: int) -> LimitExceededError:
        return LimitExceededError(
            f"agent {self.agent!r} reached its limit {limit} = {allowed} without an answer: "
            f"raise it with Limits({limit}=...), or look at why the model goes on",
            limit=limit,
            allowed=allowed,
        )

    def _timed_out(self) -> RunTimeoutError:
        return RunTimeoutError(
            f"agent {self.agent!r} had no answer within {self.limits.timeout:g} s: "
            "raise Limits(timeout=...), or look at which call takes so long",
            details={"timeout": self.limits.timeout},
        )


class _Emitter:
    """Makes the events of one run, numbered without gaps."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._next = 0

    def __call__(self, event: Callable[..., EventT], **fields: Any) -> EventT:
        sequence, self._next = self._next, self._next + 1
        return event(run_id=self.run_id, sequence=sequence, time=datetime.now(UTC), **fields)
