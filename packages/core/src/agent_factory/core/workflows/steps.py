"""Steps: the parts of a workflow that do something."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions
from agent_factory.core.waiting import run_in_thread
from agent_factory.core.workflows.checks import check_name, check_takes, check_timeout
from agent_factory.core.workflows.context import StepContext
from agent_factory.core.workflows.hints import read_hints
from agent_factory.core.workflows.nodes import Node, StepRunner
from agent_factory.core.workflows.values import Codec, create_codec

if TYPE_CHECKING:
    from agent_factory.core.agent import Agent
    from agent_factory.core.tools import Effect
    from agent_factory.core.workflows.policies import Retry

__all__ = ["Step", "agent_step", "step"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")
DepsT = TypeVar("DepsT")

DEFAULT_TIMEOUT = 300.0

# What `RunOptions` takes as a run_id, and how much of a longer key is kept before its digest.
_MAX_RUN_ID = 200
_KEPT = 120


@dataclass(frozen=True)
class Step(Node[InT, OutT]):
    """One step of a workflow.

    What it returns must be data that can be written as JSON: plain data, dataclasses, pydantic models, and what else
    pydantic can write. That is checked after each step, against the annotation of the result if there is one.

    A function whose first parameter is annotated with `StepContext` gets that, and the value after it.

    Attributes:
        name: Name, unique among its neighbours; without a slash.
        function: What the step does: a coroutine function, or a plain one, which runs in a thread.
        timeout: Seconds that one try of the step may take; finite and greater than 0.
        retry: Whether and how it is tried again when it fails; not at all if None.
        call: For engines: the function, or what runs it in a thread.
        takes_context: For engines: whether ``call`` gets a `StepContext` before the value.
        codec: For engines: writes a result as JSON, and reads it.

    Raises:
        ConfigurationError: The name is refused, the timeout out of range, the function a generator or not to be called with one
            value, or its result annotated with a type that cannot be written as JSON.
    """

    name: str
    function: (
        Callable[[InT], Awaitable[OutT] | OutT]
        | Callable[[StepContext, InT], Awaitable[OutT] | OutT]
    )
    timeout: float = DEFAULT_TIMEOUT
    retry: Retry | None = None
    call: Callable[..., Awaitable[Any]] = field(init=False, repr=False, compare=False)
    takes_context: bool = field(init=False, repr=False, compare=False)
    codec: Codec = field(init=False, repr=False, compare=False)
    _hints: tuple[Any, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the step, and find out what its annotations tell."""
        check_name(self.name, "a step")
        where = f"step {self.name!r}"
        check_timeout(self.timeout, where)
        function: Callable[..., Any] = self.function
        if not callable(function):
            raise ConfigurationError(f"{where} needs a function, not {function!r}")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(
                f"{where} is a generator function: return a list in place of yielding"
            )
        hints = read_hints(function)
        takes_context = hints[0] is StepContext
        if takes_context:
            hints = read_hints(function, 1)
        check_takes(function, 2 if takes_context else 1, where)
        direct = inspect.iscoroutinefunction(function)
        values: dict[str, object] = {
            "_hints": hints,
            "takes_context": takes_context,
            "call": function if direct else _in_thread(function),
            "codec": create_codec(hints[1], f"{where} returns"),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    @property
    def accepts(self) -> tuple[Any, ...]:
        """The annotation of the function's first parameter after the context."""
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


def _in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def call(*given: Any) -> Any:
        result = await run_in_thread(lambda: function(*given))
        return await result if inspect.isawaitable(result) else result

    return call


@overload
def step(
    function: Callable[[GivenT], Awaitable[ResultT]],
    *,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[GivenT, ResultT]: ...


@overload
def step(
    function: Callable[[StepContext, GivenT], Awaitable[ResultT]],
    *,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[GivenT, ResultT]: ...


def step(
    function: Callable[..., Awaitable[ResultT]],
    *,
    name: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: Retry | None = None,
) -> Step[Any, ResultT]:
    """Make a step from a coroutine function.

    Args:
        function: What the step does. It takes one value, or a `StepContext` and one value.
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
    options: RunOptions = ...,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[str, ResultT]: ...


@overload
def agent_step(
    agent: Agent[DepsT, ResultT],
    *,
    deps: DepsT,
    options: RunOptions = ...,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[str, ResultT]: ...


@overload
def agent_step(
    agent: Agent[None, ResultT],
    prompt: Callable[[GivenT], str],
    *,
    options: RunOptions = ...,
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
    options: RunOptions = ...,
    name: str | None = ...,
    timeout: float = ...,
    retry: Retry | None = ...,
) -> Step[GivenT, ResultT]: ...


def agent_step(
    agent: Agent[Any, Any],
    prompt: Callable[[Any], str] | None = None,
    *,
    deps: Any = None,
    options: RunOptions = DEFAULT_OPTIONS,
    name: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    retry: Retry | None = None,
) -> Step[Any, Any]:
    """Make a step in which an agent answers.

    Args:
        agent: The agent; the step returns the output of its run.
        prompt: Makes the prompt from what the step gets; if None, that is the prompt, and must be text.
        deps: What the agent's tools need; the same for every run of the step.
        options: What else its runs bring along, such as who approves tool calls; the same for every run of the step, but for
            ``run_id``: that is the step's idempotency key, the same in every try, so that the journal knows what was
            called before. A key that is too long or not printable is cut, with its digest after it.
        name: Name of the step; the agent's if None.
        timeout: Seconds that one try of the step may take; finite and greater than 0.
        retry: Whether and how it is tried again when it fails; not at all if None. Calls of a tool with the effect ``once``
            are numbered tool by tool: the n-th call of a try is answered from the journal where the n-th of an earlier
            try is on record, and ends the step where that had other arguments. So an agent that may have such a tool
            needs a journal in the options.

    Returns:
        The step.

    Raises:
        ConfigurationError: As `Step`; also where the step may be tried again, and that could repeat effects.
    """
    if retry is not None:
        _check_repeatable(agent, options)

    async def answer(context: StepContext, value: Any) -> Any:
        asked = value if prompt is None else prompt(value)
        if not isinstance(asked, str):
            raise ConfigurationError(
                f"agent {agent.name!r} needs text as its prompt, not {type(asked).__qualname__}: "
                "pass agent_step(agent, prompt=...) that makes text of it"
            )
        given = replace(options, run_id=_create_run_id(context.idempotency_key))
        return (await agent.run(asked, deps=deps, options=given)).output

    answer.__annotations__ = {
        "context": StepContext,
        "value": str if prompt is None else read_hints(prompt)[0],
        "return": agent.output_type,
    }
    return Step(agent.name if name is None else name, answer, timeout, retry)


def _create_run_id(key: str) -> str:
    """Return the run_id for the key of a step, which no other step has."""
    if len(key) <= _MAX_RUN_ID and key.isprintable():
        return key
    kept = "".join(char if char.isprintable() else "?" for char in key[:_KEPT])
    return f"{kept}:sha256-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _check_repeatable(agent: Agent[Any, Any], options: RunOptions) -> None:
    from agent_factory.core.runs.delegation import has_only
    from agent_factory.core.tools import Tool

    if options.journal is not None:
        return
    effects: tuple[Effect, ...] = ("read", "idempotent")
    if has_only(agent, *effects) and all(
        isinstance(item, Tool) and item.effect in effects for item in options.tools
    ):
        return
    raise ConfigurationError(
        f"agent {agent.name!r} may call tools with the effect 'once', and a step that is tried again would call them again: "
        "pass agent_step(..., options=RunOptions(journal=...)), or leave out retry"
    )
