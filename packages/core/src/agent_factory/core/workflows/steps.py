"""Steps: the parts of a workflow that do something."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration, run_in_thread
from agent_factory.core.workflows.hints import read_hints
from agent_factory.core.workflows.nodes import Node, StepRunner, check_name
from agent_factory.core.workflows.values import Writer, create_writer

if TYPE_CHECKING:
    from agent_factory.core.agent import Agent
    from agent_factory.core.workflows.policies import Retry

__all__ = ["Step", "agent_step", "step"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")
DepsT = TypeVar("DepsT")

DEFAULT_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Step(Node[InT, OutT]):
    """One step of a workflow.

    What it returns must be data that can be written as JSON: plain data, dataclasses, pydantic models, and what else
    pydantic can write. That is checked after each step, against the annotation of the result if there is one.

    Attributes:
        name: Name, unique among its neighbours; without a slash.
        function: What the step does: a coroutine function, or a plain one, which runs in a thread.
        timeout: Seconds that one try of the step may take; finite and greater than 0.
        retry: Whether and how it is tried again when it fails; not at all if None.
        call: For engines: the function, or what runs it in a thread.
        write: For engines: writes a result as JSON, and raises a `TypeError` if that cannot be done.

    Raises:
        ConfigurationError: The name is refused, the timeout out of range, the function a generator, or its result
            annotated with a type that cannot be written as JSON.
    """

    name: str
    function: Callable[[InT], Awaitable[OutT] | OutT]
    timeout: float = DEFAULT_TIMEOUT
    retry: Retry | None = None
    call: Callable[[Any], Awaitable[Any]] = field(init=False, repr=False, compare=False)
    write: Writer = field(init=False, repr=False, compare=False)
    _hints: tuple[Any, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the step, and find out what its annotations tell."""
        check_name(self.name, "a step")
        if not is_duration(self.timeout):
            raise ConfigurationError(
                f"step {self.name!r}: timeout must be a finite number of seconds above 0, "
                f"not {self.timeout!r}"
            )
        function: Callable[[Any], Any] = self.function
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(
                f"step {self.name!r} is a generator function: return a list in place of yielding"
            )
        hints = read_hints(function)
        direct = inspect.iscoroutinefunction(function)
        values: dict[str, object] = {
            "_hints": hints,
            "call": function if direct else _in_thread(function),
            "write": create_writer(hints[1], self.name),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    @property
    def accepts(self) -> tuple[Any, ...]:
        """The annotation of the function's first parameter."""
        return (self._hints[0],)

    @property
    def produces(self) -> Any:
        """The annotation of the function's result."""
        return self._hints[1]

    def execute(self, value: Any, path: str, runner: StepRunner) -> Awaitable[OutT]:
        """Run the step.

        Args:
            value: What it gets.
            path: Its path in the run.
            runner: What runs it.
        """
        return runner.run_step(self, value, path)


def _in_thread(function: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    async def call(value: Any) -> Any:
        result = await run_in_thread(lambda: function(value))
        return await result if inspect.isawaitable(result) else result

    return call


def step(
    function: Callable[[GivenT], Awaitable[ResultT]],
    *,
    name: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: Retry | None = None,
) -> Step[GivenT, ResultT]:
    """Make a step from a coroutine function.

    Args:
        function: What the step does.
        name: Name of the step; the function's own if None.
        timeout: Seconds that one try of the step may take; finite and greater than 0.
        retry: Whether and how it is tried again when it fails; not at all if None.

    Returns:
        The step.

    Raises:
        ConfigurationError: As `Step`.
    """
    if name is None:
        name = str(getattr(function, "__name__", "step"))
    return Step(name, function, timeout, retry)


@overload
def agent_step(
    agent: Agent[None, ResultT],
    *,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[str, ResultT]: ...


@overload
def agent_step(
    agent: Agent[DepsT, ResultT],
    *,
    deps: DepsT,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[str, ResultT]: ...


@overload
def agent_step(
    agent: Agent[None, ResultT],
    prompt: Callable[[GivenT], str],
    *,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[GivenT, ResultT]: ...


@overload
def agent_step(
    agent: Agent[DepsT, ResultT],
    prompt: Callable[[GivenT], str],
    *,
    deps: DepsT,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[GivenT, ResultT]: ...


def agent_step(
    agent: Agent[Any, Any],
    prompt: Callable[[Any], str] | None = None,
    *,
    deps: Any = None,
    name: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: Retry | None = None,
) -> Step[Any, Any]:
    """Make a step in which an agent answers.

    Args:
        agent: The agent; the step returns the output of its run.
        prompt: Makes the prompt from what the step gets; if None, that is the prompt, and must be text.
        deps: What the agent's tools need; the same for every run of the step.
        name: Name of the step; the agent's if None.
        timeout: Seconds that one try of the step may take; finite and greater than 0.
        retry: Whether and how it is tried again when it fails; not at all if None.

    Returns:
        The step.

    Raises:
        ConfigurationError: As `Step`.
    """

    async def answer(value: Any) -> Any:
        asked = value if prompt is None else prompt(value)
        if not isinstance(asked, str):
            raise ConfigurationError(
                f"agent {agent.name!r} needs text as its prompt, not {type(asked).__qualname__}: "
                "pass agent_step(agent, prompt=...) that makes text of it"
            )
        return (await agent.run(asked, deps=deps)).output

    answer.__annotations__ = {
        "value": str if prompt is None else read_hints(prompt)[0],
        "return": agent.output_type,
    }
    return Step(agent.name if name is None else name, answer, timeout, retry)
