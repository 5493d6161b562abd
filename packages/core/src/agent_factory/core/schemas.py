"""Values against a JSON Schema, and tools whose arguments one describes."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import Any, TypeVar, cast

from pydantic_core import from_json

from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError
from agent_factory.core.models import ToolSpec
from agent_factory.core.problems import cut
from agent_factory.core.signatures import check_function
from agent_factory.core.tools import DEFAULT_RESULT_CHARS, DEFAULT_TIMEOUT, Effect, Tool
from agent_factory.core.waiting import run_in_thread

__all__ = ["create_schema_tool", "create_validator"]

D = TypeVar("D")

_MAX_PROBLEMS = 5


def create_schema_tool(
    function: Callable[[ToolContext[D], dict[str, Any]], object],
    *,
    name: str,
    description: str,
    parameters: Mapping[str, Any],
    effect: Effect = "once",
    timeout: float = DEFAULT_TIMEOUT,
    needs_approval: bool = False,
    retries: int = 0,
    max_result_chars: int = DEFAULT_RESULT_CHARS,
) -> Tool[D]:
    """Make a tool whose arguments a JSON Schema describes, such as one of a server.

    Args:
        function: Gets the run's context and the arguments, which fit the schema. A coroutine function runs on the event
            loop, a plain one in a thread.
        name: Name for the model.
        description: Text for the model.
        parameters: JSON Schema (2020-12) of an object; references lead nowhere outside it.
        effect: What calling it does to the world.
        timeout: Seconds that one call may take; finite and greater than 0.
        needs_approval: Whether a person has to approve each call before it runs.
        retries: How often a call that failed for a passing reason is made again by itself.
        max_result_chars: Characters of a result that the model gets; at least 1.

    Returns:
        The tool.

    Raises:
        ConfigurationError: The schema is not valid, or not one of an object.
        ToolDefinitionError: Another argument is wrong, or the function yields.
    """
    check_function(function, name)
    given: object = parameters
    if not isinstance(given, Mapping) or given.get("type") != "object":
        raise ConfigurationError(f"tool {name!r}: its parameters must be a schema of type 'object'")
    # A copy: the model is told the schema that the arguments are checked against.
    parameters = deepcopy(dict(parameters))
    find_problems = create_validator(parameters, f"tool {name!r}: parameters")
    is_async = inspect.iscoroutinefunction(function)

    def validate(arguments: str) -> dict[str, Any]:
        try:
            value = from_json(arguments or "{}", allow_inf_nan=False)
        except ValueError as error:
            raise ToolArgumentsError(
                f"arguments of tool {name!r} are not JSON: {error}", tool=name
            ) from None
        problems = find_problems(value, _MAX_PROBLEMS)
        if problems:
            raise ToolArgumentsError(
                f"arguments of tool {name!r} do not fit its schema: {'; '.join(problems)}",
                tool=name,
            )
        return cast("dict[str, Any]", value)

    async def call(context: ToolContext[D], arguments: str) -> object:
        values = validate(arguments)
        if is_async:
            return await cast("Awaitable[object]", function(context, values))
        result = await run_in_thread(lambda: function(context, values))
        return await result if inspect.isawaitable(result) else result

    return Tool(
        ToolSpec(name, description, parameters),
        call,
        effect,
        timeout,
        needs_approval,
        retries,
        max_result_chars,
        validate,
    )


def create_validator(schema: Mapping[str, Any], where: str) -> Callable[[object, int], list[str]]:
    """Return what finds the problems of a value.

    Args:
        schema: JSON Schema (2020-12). References lead nowhere outside it: nothing is fetched.
        where: What the schema is of, for messages.

    Returns:
        A function of a value and the number of problems to tell at most; it returns them, each with its JSON pointer, and
        none where the value fits.

    Raises:
        ConfigurationError: The schema is not valid.
    """
    import jsonschema_rs

    outside: list[str] = []

    def refuse(uri: str) -> Any:
        outside.append(uri)
        raise ValueError("nothing is fetched")

    try:
        validator = jsonschema_rs.Draft202012Validator(dict(schema), retriever=refuse)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        if outside:
            raise ConfigurationError(
                f"{where}: the reference {outside[0]!r} leads outside the schema, and nothing is fetched: "
                "put what it refers to under '$defs'"
            ) from None
        reason = getattr(error, "message", None) or str(error)
        raise ConfigurationError(f"{where}: not a valid JSON Schema: {reason}") from None

    def find(value: object, most: int) -> list[str]:
        if validator.is_valid(value):
            return []
        problems = []
        for error in validator.iter_errors(value):
            place = "".join(map(_write_token, error.instance_path)) or "/"
            problems.append(f"{cut(place)}: {cut(error.message)}")
            if len(problems) == most:
                break
        return problems

    return find


def _write_token(part: str | int) -> str:
    """Return a step of a JSON pointer (RFC 6901)."""
    return "/" + str(part).replace("~", "~0").replace("/", "~1")
