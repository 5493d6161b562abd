"""What a function's signature says to a model, and how a model's arguments reach the function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import Parameter
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_origin, get_type_hints

from pydantic_core import ValidationError

from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import ToolArgumentsError, ToolDefinitionError
from agent_factory.core.problems import explain
from agent_factory.core.waiting import run_in_thread

if TYPE_CHECKING:
    # Imported where it is needed: an agent without tools does not need it, and it costs more than the rest of core.
    from pydantic import BaseModel

__all__ = ["bind_arguments", "check_function", "create_arguments_model", "validate_arguments"]

ModelT = TypeVar("ModelT", bound="BaseModel")

_STARS: dict[object, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}


def check_function(function: Callable[..., object], name: str) -> None:
    """Refuse a function that yields: its body would run when its items are asked for, outside of the tool.

    Args:
        function: The function, method or other callable.
        name: Name of the tool, for messages.

    Raises:
        ToolDefinitionError: It is a generator function, or an asynchronous one.
    """
    called: object = function
    while isinstance(called, partial):
        called = called.func
    own = getattr(called, "__call__", None)  # noqa: B004 - of an instance with a __call__
    if any(
        inspect.isgeneratorfunction(item) or inspect.isasyncgenfunction(item)
        for item in (called, own)
    ):
        raise ToolDefinitionError(
            f"tool {name!r}: a function that yields cannot be a tool, whose result is sent to the model at once: "
            "return a list of the items"
        )


def create_arguments_model(
    function: Callable[..., object], name: str, descriptions: dict[str, str]
) -> tuple[bool, type[BaseModel]]:
    """Make the model that validates the arguments of a function.

    Args:
        function: The function, method or other callable.
        name: Name of the tool, for messages.
        descriptions: What the docstring says of each parameter.

    Returns:
        Whether the first parameter takes a `ToolContext`, and the model, whose fields have the parameters' names
        as aliases.

    Raises:
        ToolDefinitionError: The signature cannot be described to a model, or the function yields.
    """
    check_function(function, name)
    from pydantic import ConfigDict, Field, create_model
    from pydantic.fields import FieldInfo

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
                + (": mark methods with @tool_method" if parameter.name == "self" else "")
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


def bind_arguments(
    function: Callable[..., object],
    name: str,
    model: type[BaseModel],
    *,
    takes_context: bool,
) -> Callable[[ToolContext[Any], str], Awaitable[object]]:
    """Make the coroutine function that validates a call's arguments and calls the function.

    Args:
        function: The function, method or other callable.
        name: Name of the tool, for messages.
        model: What `create_arguments_model` made of the function.
        takes_context: Whether the function takes a `ToolContext` first.

    Returns:
        A function of the context and the arguments' JSON text; it raises `ToolArgumentsError` for arguments that do not
        fit, else what the function raises.
    """
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an instance with an async __call__
    )
    names = [(field, field.removeprefix("p_")) for field in model.model_fields]

    async def call(context: ToolContext[Any], arguments: str) -> object:
        values = validate_arguments(name, model, arguments)
        keywords = {plain: getattr(values, field) for field, plain in names}
        positional = (context,) if takes_context else ()
        if is_async:
            return await cast("Awaitable[object]", function(*positional, **keywords))
        result = await run_in_thread(lambda: function(*positional, **keywords))
        return await result if inspect.isawaitable(result) else result

    return call


def validate_arguments(name: str, model: type[ModelT], arguments: str) -> ModelT:
    """Return a call's arguments, strictly validated.

    Args:
        name: Name of the tool, for messages.
        model: What `create_arguments_model` made of the function.
        arguments: JSON text of an object, as the model wrote it; empty for none.

    Raises:
        ToolArgumentsError: They are not JSON or do not fit the schema; the message is meant for the model.
    """
    try:
        # Strict here too: the model's own setting does not reach into nested models.
        return model.model_validate_json(arguments or "{}", strict=True)
    except ValidationError as error:
        raise ToolArgumentsError(
            f"arguments of tool {name!r} do not fit its schema: {explain(error, 'arguments')}",
            tool=name,
        ) from None
