"""Agents: a model, instructions and tools that together answer a prompt."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, cast, overload

from typing_extensions import TypeVar

from agent_factory.core.events import RunFinished
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.loop import RunLoop
from agent_factory.core.messages import Message, SystemMessage, UserMessage, check_history
from agent_factory.core.output import OutputType
from agent_factory.core.usage import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent_factory.core.events import RunEvent
    from agent_factory.core.models import Model
    from agent_factory.core.result import RunResult
    from agent_factory.core.tools import Tool

__all__ = ["Agent"]

DepsT = TypeVar("DepsT", contravariant=True, default=None)
OutT = TypeVar("OutT", covariant=True, default=str)


class Agent(Generic[DepsT, OutT]):
    """A model, instructions and tools that together answer a prompt. Immutable; safe to use by many runs at a time.

    ```python
    agent = Agent(name="clerk", model=model, tools=[calculate], output_type=int)
    result = await agent.run("What is 6 * 7?")
    result.output  # an int, for mypy too
    ```

    Args:
        name: Name for people and records; not empty.
        model: The model that answers.
        instructions: What the model is told before the conversation; nothing if empty.
        tools: The tools that the model may call; names must differ.
        output_type: What the answer must be: ``str`` for free text, else any type that pydantic can
            validate; the model is then asked for JSON of that shape.
        limits: What one run may use at most.

    Raises:
        ConfigurationError: The name is empty, two tools share a name, or the output type has no JSON
            Schema.
    """

    __slots__ = ("_output", "instructions", "limits", "model", "name", "tools")

    name: str
    model: Model
    instructions: str
    tools: tuple[Tool[DepsT], ...]
    limits: Limits

    @overload
    def __init__(
        self: Agent[DepsT, str],
        *,
        name: str,
        model: Model,
        instructions: str = "",
        tools: Sequence[Tool[DepsT]] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        name: str,
        model: Model,
        instructions: str = "",
        tools: Sequence[Tool[DepsT]] = (),
        output_type: type[OutT],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None: ...

    def __init__(
        self,
        *,
        name: str,
        model: Model,
        instructions: str = "",
        tools: Sequence[Tool[DepsT]] = (),
        output_type: type[Any] = str,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not name.strip():
            raise ConfigurationError("an agent needs a name that is not empty")
        names = [tool.name for tool in tools]
        twice = sorted({item for item in names if names.count(item) > 1})
        if twice:
            raise ConfigurationError(
                f"agent {name!r} has more than one tool named {', '.join(map(repr, twice))}: "
                "rename one with tool(name=...)"
            )
        values: dict[str, object] = {
            "name": name,
            "model": model,
            "instructions": instructions,
            "tools": tuple(tools),
            "limits": limits,
            "_output": OutputType(output_type, agent=name),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"agents are immutable: create another one with {name}={value!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"agents are immutable: {name!r} cannot be removed")

    def __repr__(self) -> str:
        return (
            f"Agent(name={self.name!r}, model={self.model.name!r}, "
            f"tools={[tool.name for tool in self.tools]!r})"
        )

    @property
    def output_type(self) -> type[OutT]:
        """The type of a run's output."""
        return cast("type[OutT]", self._output.type)  # type: ignore[attr-defined]

    @overload
    async def run(
        self: Agent[None, OutT],
        prompt: str,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
    ) -> RunResult[OutT]: ...

    @overload
    async def run(
        self, prompt: str, *, deps: DepsT, history: Sequence[Message] = ()
    ) -> RunResult[OutT]: ...

    async def run(
        self, prompt: str, *, deps: Any = None, history: Sequence[Message] = ()
    ) -> RunResult[OutT]:
        """Answer a prompt.

        Args:
            prompt: What the agent is asked.
            deps: What the tools need of the caller; their `ToolContext` carries it.
            history: The messages of an earlier run, oldest first.

        Returns:
            The answer with the conversation and what it used.

        Raises:
            HistoryError: The history breaks the pairing of tool calls and results.
            LimitExceededError: A limit was reached before there was an answer.
            RunTimeoutError: The run took longer than ``limits.timeout``.
            ModelError: A model call failed.
            ToolExecutionError: A tool raised something other than a `ToolError`.
            OutputError: The answer was cut short, filtered, or does not fit the output type.
        """
        async with aclosing(self._events(prompt, deps, history, streaming=False)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    return event.result
        raise AssertionError("a run that does not fail ends with RunFinished")

    @overload
    def run_sync(
        self: Agent[None, OutT],
        prompt: str,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
    ) -> RunResult[OutT]: ...

    @overload
    def run_sync(
        self, prompt: str, *, deps: DepsT, history: Sequence[Message] = ()
    ) -> RunResult[OutT]: ...

    def run_sync(
        self, prompt: str, *, deps: Any = None, history: Sequence[Message] = ()
    ) -> RunResult[OutT]:
        """Answer a prompt from code that runs on no event loop; otherwise as `run`.

        Args:
            prompt: What the agent is asked.
            deps: What the tools need of the caller.
            history: The messages of an earlier run, oldest first.

        Returns:
            The answer with the conversation and what it used.

        Raises:
            ConfigurationError: An event loop runs in this thread already: await `run` there.
            CoreError: As `run`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.run(prompt, deps=deps, history=history))
        raise ConfigurationError(
            "run_sync was called inside a running event loop: use 'await agent.run(...)' there"
        )

    @overload
    def stream(
        self: Agent[None, OutT],
        prompt: str,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
    ) -> AsyncGenerator[RunEvent[OutT], None]: ...

    @overload
    def stream(
        self, prompt: str, *, deps: DepsT, history: Sequence[Message] = ()
    ) -> AsyncGenerator[RunEvent[OutT], None]: ...

    def stream(
        self, prompt: str, *, deps: Any = None, history: Sequence[Message] = ()
    ) -> AsyncGenerator[RunEvent[OutT], None]:
        """Answer a prompt, and tell what happens while it happens.

        Args:
            prompt: What the agent is asked.
            deps: What the tools need of the caller.
            history: The messages of an earlier run, oldest first.

        Returns:
            The events of the run; the last is `RunFinished` with the result that `run` would return.
            Who stops reading early closes it (`contextlib.aclosing`), which also ends the model call.

        Raises:
            CoreError: As `run`, while the events are read.
        """
        return self._events(prompt, deps, history, streaming=True)

    def _events(
        self, prompt: str, deps: Any, history: Sequence[Message], *, streaming: bool
    ) -> AsyncGenerator[RunEvent[OutT], None]:
        before = tuple(message for message in history if not isinstance(message, SystemMessage))
        system = (SystemMessage(self.instructions),) if self.instructions else ()
        messages = check_history((*system, *before, UserMessage(prompt)))
        loop = RunLoop(
            agent=self.name,
            model=self.model,
            tools=self.tools,
            output=self._output,  # type: ignore[attr-defined]
            limits=self.limits,
            deps=deps,
            streaming=streaming,
        )
        return loop.run(prompt, messages)
