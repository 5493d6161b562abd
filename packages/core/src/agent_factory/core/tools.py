"""Tools: functions that a model may ask an agent to call.

`tool` makes one from a function; name, description and JSON Schema come from the signature and the
Google-style docstring. What the model sends is validated strictly before the function sees it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    get_args,
    overload,
)

from pydantic_core import to_json
from typing_extensions import TypeVar

from agent_factory.core.context import ToolContext
from agent_factory.core.docstrings import parse_docstring
from agent_factory.core.exceptions import (
    GuardrailError,
    LimitExceededError,
    ToolArgumentsError,
    ToolDefinitionError,
    ToolError,
    ToolExecutionError,
    ToolTimeoutError,
)
from agent_factory.core.models import ToolSpec
from agent_factory.core.signatures import (
    bind_arguments,
    create_arguments_model,
    validate_arguments,
)
from agent_factory.core.threads import MAX_THREADS, are_threads_taken
from agent_factory.core.waiting import DeadlineError, is_duration, run_bounded

if TYPE_CHECKING:
    from agent_factory.core.agent import Agent

__all__ = ["Effect", "Tool", "ToolContext", "ToolOrigin", "tool"]

Effect: TypeAlias = Literal["read", "idempotent", "once"]
"""What calling a tool does to the world: nothing; the same however often; something each time."""

DepsT = TypeVar("DepsT", contravariant=True, default=None)
D = TypeVar("D")
P = ParamSpec("P")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEFAULT_TIMEOUT = 60.0
DEFAULT_RESULT_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class ToolOrigin:
    """Where a tool came from, so that it can be written down in a blueprint: a registry, or an agent.

    Attributes:
        made: The tool as it was made, before it was renamed or changed in other ways.
        use: Its name in the registry; empty where an agent answers in it.
        options: The options that it was made with, as plain data.
        agent: The agent that answers in it; None where it came from a registry.
    """

    made: Tool[Any]
    use: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    agent: Agent[Any, Any] | None = None


@dataclass(frozen=True)
class Tool(Generic[DepsT]):
    """A function with everything that a model needs to ask for it.

    Made by `tool`; made by hand only where the schema does not come from a signature.

    Attributes:
        spec: What the model is told.
        call: Validates the arguments and calls the function; returns what the function returns.
        effect: What calling it does to the world.
        timeout: Seconds that one call may take; finite and greater than 0.
        needs_approval: Whether a person has to approve each call before it runs.
        retries: How often a call that failed for a passing reason, or timed out, is made again by itself; at least 0, and
            0 where the effect is ``once``.
        max_result_chars: Characters of a result that the model gets; the rest is left out, with a marker that says so.
        validate: Checks arguments without calling; raises a `ToolArgumentsError`. None where only the call does.
        origin: Where it came from, for writing it down; None for one that was made of a function. It stays where a tool is
            renamed or wrapped: pass ``origin=None`` where `call` is replaced by something of another meaning.
    """

    spec: ToolSpec
    call: Callable[[ToolContext[DepsT], str], Awaitable[object]]
    effect: Effect = "once"
    timeout: float = DEFAULT_TIMEOUT
    needs_approval: bool = False
    retries: int = 0
    max_result_chars: int = DEFAULT_RESULT_CHARS
    validate: Callable[[str], object] | None = None
    origin: ToolOrigin | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the name, the effect and the timeout."""
        if not _NAME.fullmatch(self.spec.name):
            raise ToolDefinitionError(
                f"tool name {self.spec.name!r} must be 1 to 64 letters, digits, '_' or '-': "
                "pass another with tool(name=...)"
            )
        if self.effect not in get_args(Effect):
            raise ToolDefinitionError(
                f"tool {self.spec.name!r}: effect must be one of {', '.join(get_args(Effect))}, "
                f"not {self.effect!r}"
            )
        if not is_duration(self.timeout):
            raise ToolDefinitionError(
                f"tool {self.spec.name!r}: timeout must be a finite number of seconds above 0, "
                f"not {self.timeout!r}"
            )
        for name, least in (("retries", 0), ("max_result_chars", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ToolDefinitionError(
                    f"tool {self.spec.name!r}: {name} must be a whole number of at least {least}, not {value!r}"
                )
        if self.retries and self.effect == "once":
            raise ToolDefinitionError(
                f"tool {self.spec.name!r}: a tool with the effect 'once' is never called again by itself: "
                "leave out retries, or declare the effect 'read' or 'idempotent'"
            )

    @property
    def name(self) -> str:
        """Name that the model calls it by."""
        return self.spec.name

    async def run(
        self, context: ToolContext[DepsT], arguments: str, *, timeout: float | None = None
    ) -> str:
        """Call the tool and return its result as text for the model.

        Args:
            context: The run that calls.
            arguments: JSON text of an object, as the model wrote it.
            timeout: Seconds left to the caller, if that is less than the tool's own timeout.

        Returns:
            The result itself where it is a string, else its JSON text.

        Raises:
            ToolArgumentsError: The arguments are not JSON or do not fit the schema.
            ToolTimeoutError: The call took longer than the timeout. It was cancelled; what it had done by then
                stays done.
            ToolError: The tool refused, and said why.
            ToolExecutionError: The tool raised anything else, or returned what JSON cannot hold.
        """
        seconds = self.timeout if timeout is None else min(self.timeout, timeout)
        try:
            return await run_bounded(self.invoke(context, arguments), seconds)
        except DeadlineError as error:
            raise self.timed_out(seconds) from error

    async def invoke(self, context: ToolContext[DepsT], arguments: str) -> str:
        """Call the tool as `run` does, without a deadline: for who watches over the time.

        Args:
            context: The run that calls.
            arguments: JSON text of an object, as the model wrote it.

        Returns:
            The result itself where it is a string, else its JSON text, at most ``max_result_chars`` of it.

        Raises:
            CoreError: As `run`; also any other error of core, such as a limit of the run that the tool reached.
        """
        try:
            result = await self.call(context, arguments)
        except ToolError as error:
            if error.tool is None:
                error.tool = self.name
                error.details["tool"] = self.name
            raise
        except (LimitExceededError, GuardrailError):
            raise
        except (Exception, SystemExit) as error:  # which would end the event loop
            raise ToolExecutionError(
                f"tool {self.name!r} raised {type(error).__name__}: {error}", tool=self.name
            ) from error
        if not isinstance(result, str):
            if isinstance(result, (Iterator, AsyncIterator)):
                raise ToolExecutionError(
                    f"tool {self.name!r} returned {type(result).__name__}, whose items would be made outside of the tool "
                    "and of its timeout: return a list of them",
                    tool=self.name,
                )
            try:
                result = to_json(result, inf_nan_mode="strings").decode()
            except ValueError as error:
                raise ToolExecutionError(
                    f"tool {self.name!r} returned {type(result).__name__}, which JSON cannot hold: {error}",
                    tool=self.name,
                ) from error
        if len(result) > self.max_result_chars:
            left_out = len(result) - self.max_result_chars
            result = (
                f"{result[: self.max_result_chars]}\n"
                f"[... {left_out:,} more characters left out: ask for less]"
            )
        return result

    def normalise(self, arguments: str) -> str:
        """Return arguments in the one form that all texts of the same meaning share, after checking them.

        Args:
            arguments: JSON text of an object, as the model wrote it.

        Returns:
            The same as JSON without white space, keys sorted.

        Raises:
            ToolArgumentsError: They are not JSON or do not fit the schema.
        """
        if self.validate is not None:
            self.validate(arguments)
        try:
            value = json.loads(arguments or "{}")
            return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (ValueError, RecursionError):
            raise ToolArgumentsError(
                f"arguments of tool {self.name!r} are not JSON", tool=self.name
            ) from None

    def timed_out(self, seconds: float) -> ToolTimeoutError:
        """Return the error of a call that took too long.

        Args:
            seconds: How long it was given.
        """
        why = (
            f": all {MAX_THREADS} threads of plain functions are taken, so it may have waited for one"
            if are_threads_taken()
            else ""
        )
        return ToolTimeoutError(
            f"tool {self.name!r} did not finish within {seconds:g} s{why}", tool=self.name
        )


@overload
def tool(
    function: Callable[Concatenate[ToolContext[D], P], object],
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
    needs_approval: bool = False,
    retries: int = 0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
) -> Tool[D]: ...


@overload
def tool(
    function: Callable[P, object],
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
    needs_approval: bool = False,
    retries: int = 0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
) -> Tool[object]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
    needs_approval: bool = False,
    retries: int = 0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
) -> _Decorator: ...


def tool(
    function: Callable[..., object] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
    needs_approval: bool = False,
    retries: int = 0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
) -> Tool[Any] | _Decorator:
    """Make a tool from a function; works as ``@tool`` and as ``@tool(...)``.

    Every parameter needs a type that pydantic can validate. A coroutine function runs on the event loop, a plain
    function in a thread of its own, so it never blocks the loop.

    Args:
        function: The function; its first parameter may be a `ToolContext`.
        name: Name for the model; the function's own name if None.
        description: Text for the model; the docstring above its sections if None.
        effect: What calling it does to the world; the careful default is ``once``.
        timeout: Seconds that one call may take; finite and greater than 0.
        needs_approval: Whether a person has to approve each call before it runs.
        retries: How often a call that failed for a passing reason, or timed out, is made again by itself; 0 where the
            effect is ``once``.
        max_result_chars: Characters of a result that the model gets; at least 1.

    Returns:
        The tool, or a decorator where no function was given.

    Raises:
        ToolDefinitionError: The signature cannot be described to a model, or an argument here is wrong.
    """
    decorator = _Decorator(
        name, description, effect, timeout, needs_approval, retries, max_result_chars
    )
    return decorator if function is None else decorator(function)


@dataclass(frozen=True, slots=True)
class _Decorator:
    name: str | None
    description: str | None
    effect: Effect
    timeout: float
    needs_approval: bool
    retries: int
    max_result_chars: int

    @overload
    def __call__(self, function: Callable[Concatenate[ToolContext[D], P], object]) -> Tool[D]: ...

    @overload
    def __call__(self, function: Callable[P, object]) -> Tool[object]: ...

    def __call__(self, function: Callable[..., object]) -> Tool[Any]:
        name = self.name
        if name is None:
            name = str(getattr(function, "__name__", type(function).__name__))
        described, arguments = parse_docstring(function.__doc__)
        takes_context, model = create_arguments_model(function, name, arguments)
        schema = model.model_json_schema()
        # Titles repeat the names: tokens that say nothing.
        schema.pop("title", None)
        for parameter in schema.get("properties", {}).values():
            parameter.pop("title", None)
        return Tool(
            spec=ToolSpec(
                name,
                described if self.description is None else self.description,
                schema,
            ),
            call=bind_arguments(function, name, model, takes_context=takes_context),
            effect=self.effect,
            timeout=self.timeout,
            needs_approval=self.needs_approval,
            retries=self.retries,
            max_result_chars=self.max_result_chars,
            validate=partial(validate_arguments, name, model),
        )
