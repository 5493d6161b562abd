"""Tools: functions that a model may ask an agent to call.

`tool` makes one from a function; name, description and JSON Schema come from the signature and the
Google-style docstring. What the model sends is validated strictly before the function sees it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import to_json
from typing_extensions import TypeVar

from agent_factory.core.docstrings import parse_docstring
from agent_factory.core.exceptions import (
    ToolArgumentsError,
    ToolDefinitionError,
    ToolError,
    ToolExecutionError,
    ToolTimeoutError,
)
from agent_factory.core.models import ToolSpec
from agent_factory.core.waiting import DeadlineError, is_duration, run_bounded, run_in_thread

__all__ = ["Effect", "Tool", "ToolContext", "tool"]

Effect: TypeAlias = Literal["read", "idempotent", "once"]
"""What calling a tool does to the world: nothing; the same however often; something each time."""

DepsT = TypeVar("DepsT", contravariant=True, default=None)
ContextDepsT = TypeVar("ContextDepsT", covariant=True, default=None)
D = TypeVar("D")
P = ParamSpec("P")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STARS: dict[object, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class ToolContext(Generic[ContextDepsT]):
    """What a tool may know of the run that calls it.

    A function that wants it takes it as its first parameter, annotated with this class; the model
    does not see that parameter.

    Attributes:
        deps: The dependencies that the caller gave to the run.
        run_id: Identifier of the run.
        call_id: Identifier of this call, unique within the run.
    """

    deps: ContextDepsT
    run_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Tool(Generic[DepsT]):
    """A function with everything that a model needs to ask for it.

    Made by `tool`; made by hand only where the schema does not come from a signature.

    Attributes:
        spec: What the model is told.
        call: Validates the arguments and calls the function; returns what the function returns.
        effect: What calling it does to the world.
        timeout: Seconds that one call may take; finite and greater than 0.
    """

    spec: ToolSpec
    call: Callable[[ToolContext[DepsT], str], Awaitable[object]]
    effect: Effect = "once"
    timeout: float = DEFAULT_TIMEOUT

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
            result = await run_bounded(self.call(context, arguments), seconds)
        except DeadlineError as error:
            raise ToolTimeoutError(
                f"tool {self.name!r} did not finish within {seconds:g} s", tool=self.name
            ) from error
        except ToolError as error:
            if error.tool is None:
                error.tool = self.name
                error.details["tool"] = self.name
            raise
        except Exception as error:
            raise ToolExecutionError(
                f"tool {self.name!r} raised {type(error).__name__}: {error}", tool=self.name
            ) from error
        if isinstance(result, str):
            return result
        try:
            return to_json(result, inf_nan_mode="strings").decode()
        except ValueError as error:
            raise ToolExecutionError(
                f"tool {self.name!r} returned {type(result).__name__}, which JSON cannot hold: {error}",
                tool=self.name,
            ) from error


@overload
def tool(
    function: Callable[Concatenate[ToolContext[D], P], object],
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
) -> Tool[D]: ...


@overload
def tool(
    function: Callable[P, object],
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
) -> Tool[object]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
) -> _Decorator: ...


def tool(
    function: Callable[..., object] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
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

    Returns:
        The tool, or a decorator where no function was given.

    Raises:
        ToolDefinitionError: The signature cannot be described to a model, or an argument here is wrong.
    """
    decorator = _Decorator(name, description, effect, timeout)
    return decorator if function is None else decorator(function)


@dataclass(frozen=True, slots=True)
class _Decorator:
    name: str | None
    description: str | None
    effect: Effect
    timeout: float

    @overload
    def __call__(self, function: Callable[Concatenate[ToolContext[D], P], object]) -> Tool[D]: ...

    @overload
    def __call__(self, function: Callable[P, object]) -> Tool[object]: ...

    def __call__(self, function: Callable[..., object]) -> Tool[Any]:
        name = self.name
        if name is None:
            name = str(getattr(function, "__name__", type(function).__name__))
        described, arguments = parse_docstring(function.__doc__)
        takes_context, model = _arguments_model(function, name, arguments)
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
            call=_bind(function, name, model, takes_context=takes_context),
            effect=self.effect,
            timeout=self.timeout,
        )


def _arguments_model(
    function: Callable[..., object], name: str, descriptions: dict[str, str]
) -> tuple[bool, type[BaseModel]]:
    """Build the model that validates the arguments of one function."""
    try:
        # Only functions and methods carry their own hints; another callable has them on its class.
        plain = inspect.isroutine(function) or hasattr(function, "__wrapped__")
        described = function if plain else type(function).__call__
        hints = get_type_hints(described, include_extras=True)
        parameters = list(inspect.signature(function).parameters.values())
    except Exception as error:  # resolving a hint evaluates it, which may raise anything
        raise ToolDefinitionError(
            f"tool {name!r}: its signature cannot be read: {error}"
        ) from error
    takes_context = (
        bool(parameters)
        and _is_context(hints.get(parameters[0].name))
        and parameters[0].kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    )
    fields: dict[str, Any] = {}
    for parameter in parameters[1:] if takes_context else parameters:
        stars = _STARS.get(parameter.kind, "")
        if stars or parameter.kind is Parameter.POSITIONAL_ONLY:
            raise ToolDefinitionError(
                f"tool {name!r}: parameter {stars + parameter.name!r} cannot be named by a model: "
                "give it a plain name and a type"
            )
        if parameter.name not in hints:
            raise ToolDefinitionError(
                f"tool {name!r}: parameter {parameter.name!r} needs a type annotation"
            )
        if _is_context(hints[parameter.name]):
            raise ToolDefinitionError(
                f"tool {name!r}: parameter {parameter.name!r} takes a ToolContext, which only the "
                "first, positional parameter can: move it there"
            )
        if isinstance(parameter.default, FieldInfo):
            raise ToolDefinitionError(
                f"tool {name!r}: the default of parameter {parameter.name!r} is a Field(...): write "
                f"'{parameter.name}: Annotated[TYPE, Field(...)] = DEFAULT' instead"
            )
        # Aliases keep names such as "schema" or "_x", which pydantic reserves, usable as parameters.
        default = ... if parameter.default is parameter.empty else parameter.default
        field = Field(default, alias=parameter.name)
        if parameter.name in descriptions:
            # Not an argument above: a description of None would hide the one in an Annotated type.
            field = Field(default, alias=parameter.name, description=descriptions[parameter.name])
        fields[f"p_{parameter.name}"] = (hints[parameter.name], field)
    try:
        model = cast(
            "type[BaseModel]",
            create_model(name, __config__=ConfigDict(extra="forbid", strict=True), **fields),
        )
        model.model_json_schema()
    except Exception as error:
        raise ToolDefinitionError(
            f"tool {name!r}: a parameter's type has no JSON Schema: {error}"
        ) from error
    return takes_context, model


def _is_context(hint: object) -> bool:
    return hint is ToolContext or get_origin(hint) is ToolContext


def _bind(
    function: Callable[..., object],
    name: str,
    model: type[BaseModel],
    *,
    takes_context: bool,
) -> Callable[[ToolContext[Any], str], Awaitable[object]]:
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an instance with an async __call__
    )
    names = [(field, field.removeprefix("p_")) for field in model.model_fields]

    async def call(context: ToolContext[Any], arguments: str) -> object:
        try:
            # Strict here too: the model's own setting does not reach into nested models.
            values = model.model_validate_json(arguments or "{}", strict=True)
        except ValidationError as error:
            raise ToolArgumentsError(_explain(name, error), tool=name) from None
        keywords = {plain: getattr(values, field) for field, plain in names}
        positional = (context,) if takes_context else ()
        if is_async:
            return await cast("Awaitable[object]", function(*positional, **keywords))
        result = await run_in_thread(lambda: function(*positional, **keywords))
        return await result if inspect.isawaitable(result) else result

    return call


def _explain(name: str, error: ValidationError) -> str:
    """Say what is wrong with a call's arguments, for the model to correct."""
    lines = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in item["loc"]) or "arguments"
        lines.append(f"{place}: {item['msg']}")
    return f"arguments of tool {name!r} do not fit its schema: {'; '.join(lines)}"
