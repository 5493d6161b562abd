"""Agents: a model, instructions and tools that together answer a prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, cast, overload

from typing_extensions import TypeForm, TypeVar

from agent_factory.core.context import RunContext
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import Message, SystemMessage, UserMessage
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions
from agent_factory.core.output import OutputMode, OutputType
from agent_factory.core.runs.channel import EventChannel
from agent_factory.core.runs.equipment import Equipment, check_toolset, create_equipment
from agent_factory.core.runs.loop import RunLoop
from agent_factory.core.runs.scope import RunScope
from agent_factory.core.tools import Tool
from agent_factory.core.usage import DEFAULT_LIMITS, Limits
from agent_factory.core.waiting import abandon, run_blocking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent_factory.core.events import RunEvent
    from agent_factory.core.guardrails.guardrail import Guardrail
    from agent_factory.core.memory.ports import MemoryPolicy
    from agent_factory.core.models import Model
    from agent_factory.core.result import RunResult
    from agent_factory.core.toolsets import Toolset

__all__ = ["Agent", "Instructions"]

DepsT = TypeVar("DepsT", contravariant=True, default=None)
OutT = TypeVar("OutT", covariant=True, default=str)
ComputeDepsT = TypeVar("ComputeDepsT")
T = TypeVar("T")

Instructions: TypeAlias = str | Callable[[RunContext[ComputeDepsT]], str | Awaitable[str]]
"""What a model is told before the conversation: a text, or a function of the run that returns it."""


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
        instructions: What the model is told before the conversation, nothing if empty; or a function of the run's
            context that returns it, plain or awaited.
        tools: The tools and toolsets that the model may call; names must differ.
        output_type: What the answer must be: ``str`` for free text, else any type that pydantic can
            validate; the model is then asked for JSON of that shape.
        output_mode: How the model is asked for that shape.
        guardrails: What looks at prompt, answer and tool calls, in this order.
        memory: What decides how much of the conversation the model sees; all of it if None.
        limits: What one run may use at most.
        fallbacks: The models that are asked, in their order, where the first one fails.
        handoffs: The agents that the model may hand the conversation over to. They have the same output type; the limits of
            this agent go on to hold.
        description: One line on what the agent is good for, for the models that may hand over to it or call it.

    Raises:
        ConfigurationError: The name is empty, two tools share a name, the output type has no JSON
            Schema, or an agent to hand over to has another output type.
    """

    __slots__ = (
        "_output",
        "description",
        "equipment",
        "guardrails",
        "handoffs",
        "instructions",
        "limits",
        "memory",
        "model",
        "name",
        "tools",
    )

    name: str
    model: Model
    instructions: Instructions[Any]
    tools: tuple[Tool[DepsT] | Toolset[DepsT], ...]
    guardrails: tuple[Guardrail[DepsT], ...]
    memory: MemoryPolicy | None
    limits: Limits
    handoffs: tuple[Agent[DepsT, OutT], ...]
    description: str
    equipment: Equipment | None
    _output: OutputType[Any]

    @overload
    def __init__(
        self: Agent[DepsT, str],
        *,
        name: str,
        model: Model,
        instructions: Instructions[DepsT] = "",
        tools: Sequence[Tool[DepsT] | Toolset[DepsT]] = (),
        guardrails: Sequence[Guardrail[DepsT]] = (),
        memory: MemoryPolicy | None = None,
        limits: Limits = DEFAULT_LIMITS,
        fallbacks: Sequence[Model] = (),
        handoffs: Sequence[Agent[DepsT, str]] = (),
        description: str = "",
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        name: str,
        model: Model,
        instructions: Instructions[DepsT] = "",
        tools: Sequence[Tool[DepsT] | Toolset[DepsT]] = (),
        output_type: TypeForm[OutT],
        output_mode: OutputMode = "native",
        guardrails: Sequence[Guardrail[DepsT]] = (),
        memory: MemoryPolicy | None = None,
        limits: Limits = DEFAULT_LIMITS,
        fallbacks: Sequence[Model] = (),
        handoffs: Sequence[Agent[DepsT, OutT]] = (),
        description: str = "",
    ) -> None: ...

    def __init__(
        self,
        *,
        name: str,
        model: Model,
        instructions: Instructions[Any] = "",
        tools: Sequence[Tool[DepsT] | Toolset[DepsT]] = (),
        output_type: Any = str,
        output_mode: OutputMode = "native",
        guardrails: Sequence[Guardrail[DepsT]] = (),
        memory: MemoryPolicy | None = None,
        limits: Limits = DEFAULT_LIMITS,
        fallbacks: Sequence[Model] = (),
        handoffs: Sequence[Agent[DepsT, Any]] = (),
        description: str = "",
    ) -> None:
        given: object = name
        if not isinstance(given, str) or not name.strip():
            raise ConfigurationError("an agent needs a name that is not empty")
        _check_parts(name, model, limits, memory, guardrails, fallbacks, handoffs)
        for other in handoffs:
            if other.output_type != output_type:
                raise ConfigurationError(
                    f"agent {name!r} cannot hand over to {other.name!r}, whose output type is another one: give both "
                    "the same output_type"
                )
        if fallbacks:
            from agent_factory.core.fallback import FallbackModel

            model = FallbackModel((model, *fallbacks))
        output = OutputType(output_type, agent=name, mode=output_mode)
        fixed = [item for item in tools if isinstance(item, Tool)]
        for item in tools:
            if not isinstance(item, Tool):
                check_toolset(item, name)
        equipment = create_equipment(name, fixed, handoffs, output)
        put = object.__setattr__
        put(self, "name", name)
        put(self, "model", model)
        put(self, "instructions", instructions)
        put(self, "tools", tuple(tools))
        put(self, "guardrails", tuple(guardrails))
        put(self, "memory", memory)
        put(self, "limits", limits)
        put(self, "handoffs", tuple(handoffs))
        put(self, "description", description)
        put(self, "equipment", equipment if len(fixed) == len(tools) else None)
        put(self, "_output", output)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"agents are immutable: create another one with {name}={value!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"agents are immutable: {name!r} cannot be removed")

    def __repr__(self) -> str:
        tools = [item.name if isinstance(item, Tool) else item for item in self.tools]
        return f"Agent(name={self.name!r}, model={self.model.name!r}, tools={tools!r})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    @property
    def output_type(self) -> TypeForm[OutT]:
        """The type of a run's output."""
        return cast("TypeForm[OutT]", self._output.type)

    @overload
    def replace(
        self,
        *,
        name: str = ...,
        model: Model = ...,
        instructions: Instructions[DepsT] = ...,
        tools: Sequence[Tool[DepsT] | Toolset[DepsT]] = ...,
        guardrails: Sequence[Guardrail[DepsT]] = ...,
        memory: MemoryPolicy | None = ...,
        limits: Limits = ...,
        fallbacks: Sequence[Model] = ...,
        handoffs: Sequence[Agent[DepsT, OutT]] = ...,
        description: str = ...,
        output_mode: OutputMode = ...,
    ) -> Self: ...

    @overload
    def replace(
        self,
        *,
        output_type: TypeForm[T],
        name: str = ...,
        model: Model = ...,
        instructions: Instructions[DepsT] = ...,
        tools: Sequence[Tool[DepsT] | Toolset[DepsT]] = ...,
        guardrails: Sequence[Guardrail[DepsT]] = ...,
        memory: MemoryPolicy | None = ...,
        limits: Limits = ...,
        fallbacks: Sequence[Model] = ...,
        handoffs: Sequence[Agent[DepsT, T]] = ...,
        description: str = ...,
        output_mode: OutputMode = ...,
    ) -> Agent[DepsT, T]: ...

    def replace(self, **changes: Any) -> Agent[Any, Any]:
        """Return another agent that differs from this one as said, such as one with a model for tests.

        ```python
        agent.replace(model=ScriptedModel(["Six times seven is 42."]))
        ```

        Args:
            changes: Arguments of this class. Another ``model`` takes the place of the model and of its fallbacks;
                ``fallbacks`` alone are asked after those that there are.

        Raises:
            ConfigurationError: As for a new agent.
        """
        create: Callable[..., Agent[Any, Any]] = type(self)
        same: dict[str, object] = {
            "name": self.name,
            "model": self.model,
            "instructions": self.instructions,
            "tools": self.tools,
            "output_type": self._output.type,
            "output_mode": self._output.mode,
            "guardrails": self.guardrails,
            "memory": self.memory,
            "limits": self.limits,
            "handoffs": self.handoffs,
            "description": self.description,
        }
        return create(**same | changes)

    @overload
    async def run(
        self: Agent[None, OutT],
        prompt: str | UserMessage,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]: ...

    @overload
    async def run(
        self,
        prompt: str | UserMessage,
        *,
        deps: DepsT,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]: ...

    async def run(
        self,
        prompt: str | UserMessage,
        *,
        deps: Any = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]:
        """Answer a prompt.

        Args:
            prompt: What the agent is asked: words, or words with images.
            deps: What the tools need of the caller; their `ToolContext` carries it.
            history: The messages of an earlier run, oldest first.
            options: What else the caller brings along: approver, journal, budgets, prices, observers, session.

        Returns:
            The answer with the conversation and what it used.

        Raises:
            HistoryError: The history breaks the pairing of tool calls and results.
            LimitExceededError: A limit was reached before there was an answer; a `BudgetExceededError` where it is one of a
                budget that runs share.
            RunTimeoutError: The run took longer than ``limits.timeout``.
            ModelError: A model call failed.
            ToolExecutionError: A tool raised something other than a `ToolError`.
            GuardrailError: A guardrail blocked, or could not look.
            MemoryConflictError: Somebody else added to the session meanwhile.
            OutputError: The answer was cut short, filtered, or does not fit the output type.
        """
        scope = self._create_scope(deps, options)
        return await self._create_loop(scope, prompt, history, streaming=False).run()

    @overload
    def run_sync(
        self: Agent[None, OutT],
        prompt: str | UserMessage,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]: ...

    @overload
    def run_sync(
        self,
        prompt: str | UserMessage,
        *,
        deps: DepsT,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]: ...

    def run_sync(
        self,
        prompt: str | UserMessage,
        *,
        deps: Any = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> RunResult[OutT]:
        """Answer a prompt from code that runs on no event loop; otherwise as `run`.

        Args:
            prompt: What the agent is asked: words, or words with images.
            deps: What the tools need of the caller.
            history: The messages of an earlier run, oldest first.
            options: What else the caller brings along.

        Returns:
            The answer with the conversation and what it used.

        Raises:
            ConfigurationError: An event loop runs in this thread already: await `run` there.
            CoreError: As `run`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return run_blocking(self.run(prompt, deps=deps, history=history, options=options))
        raise ConfigurationError(
            "run_sync was called inside a running event loop: use 'await agent.run(...)' there"
        )

    @overload
    def stream(
        self: Agent[None, OutT],
        prompt: str | UserMessage,
        *,
        deps: None = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> AsyncGenerator[RunEvent[OutT], None]: ...

    @overload
    def stream(
        self,
        prompt: str | UserMessage,
        *,
        deps: DepsT,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> AsyncGenerator[RunEvent[OutT], None]: ...

    async def stream(
        self,
        prompt: str | UserMessage,
        *,
        deps: Any = None,
        history: Sequence[Message] = (),
        options: RunOptions = DEFAULT_OPTIONS,
    ) -> AsyncGenerator[RunEvent[OutT], None]:
        """Answer a prompt, and tell what happens while it happens.

        No model is called and no tool runs before the events up to there were read; a model that writes does not wait.

        Args:
            prompt: What the agent is asked: words, or words with images.
            deps: What the tools need of the caller.
            history: The messages of an earlier run, oldest first.
            options: What else the caller brings along.

        Yields:
            The events of the run; the last is `RunFinished` with the result that `run` would return, or `RunFailed`, after
            which the error is raised. Who stops reading early closes it (`contextlib.aclosing`), which also ends what runs.

        Raises:
            CoreError: As `run`, while the events are read.
        """
        scope = self._create_scope(deps, options)
        channel = scope.channel = EventChannel(scope.loop)
        loop = self._create_loop(scope, prompt, history, streaming=True)
        task = scope.loop.create_task(loop.run())
        try:
            async for event in channel.read(task):
                yield event
            task.result()
        finally:
            scope.channel = None
            if not task.done():
                await abandon(task)
            elif not task.cancelled():
                task.exception()  # fetched, so that asyncio does not report it as lost

    def as_tool(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> Tool[DepsT]:
        """Return a tool in which this agent answers, for other agents.

        Its run is a part of theirs: it has the same deps, approver, journal, observers and budgets, counts towards their
        limits, and ends with them. Their model is told where it failed, unless it was a limit or a budget of theirs.

        Args:
            name: Name of the tool; the agent's own, its other characters than letters, digits, ``_`` and ``-`` replaced, if None.
            description: Text for the model; the agent's own if None.
            timeout: Seconds that one call may take; those of this agent's limits if None.

        Raises:
            ToolDefinitionError: The name or the timeout is refused.
        """
        from agent_factory.core.runs.delegation import create_agent_tool

        return create_agent_tool(self, name=name, description=description, timeout=timeout)

    def _create_scope(self, deps: Any, options: RunOptions) -> RunScope:
        return RunScope(
            agent=self.name,
            deps=deps,
            limits=self.limits,
            options=options,
            loop=asyncio.get_running_loop(),
        )

    def _create_loop(
        self,
        scope: RunScope,
        prompt: str | UserMessage,
        history: Sequence[Message],
        *,
        streaming: bool,
    ) -> RunLoop:
        if history and scope.options.session is not None:
            raise ConfigurationError(
                f"agent {self.name!r} got a history and a session, which has one of its own: leave out one of them"
            )
        before = [message for message in history if not isinstance(message, SystemMessage)]
        asked = UserMessage(prompt) if isinstance(prompt, str) else prompt
        if not isinstance(asked, UserMessage):
            raise ConfigurationError(
                f"agent {self.name!r}: the prompt must be a text or a UserMessage, not {type(asked).__name__}"
            )
        return RunLoop(self, scope, asked, before, streaming=streaming)


def _check_parts(
    name: str,
    model: object,
    limits: object,
    memory: object,
    guardrails: object,
    fallbacks: Sequence[object],
    handoffs: Sequence[object],
) -> None:
    """Refuse parts of the wrong kind, so that a mistake shows here and not in the middle of a run."""
    for item in (model, *fallbacks):
        if not callable(getattr(item, "respond", None)):
            raise ConfigurationError(
                f"agent {name!r}: a model must have a method 'respond', and {item!r} has none: pass an object such as "
                "OpenAIModel('gpt-5-mini', api_key=...)"
            )
    if not isinstance(limits, Limits):
        raise ConfigurationError(f"agent {name!r}: limits must be Limits(...), not {limits!r}")
    if memory is not None and not callable(getattr(memory, "select", None)):
        raise ConfigurationError(
            f"agent {name!r}: memory must be a MemoryPolicy such as keep_window(max_tokens=8000), and "
            f"{type(memory).__name__} is none: a store goes into RunOptions(session=Session(...))"
        )
    if not isinstance(guardrails, (list, tuple)) or not all(
        hasattr(item, "stages") for item in guardrails
    ):
        raise ConfigurationError(
            f"agent {name!r}: guardrails must be a list of Guardrail(...), not {guardrails!r}"
        )
    if not isinstance(handoffs, (list, tuple)) or not all(
        isinstance(item, Agent) for item in handoffs
    ):
        raise ConfigurationError(f"agent {name!r}: handoffs must be a list of agents")
