"""Tools under a grant: what they return and raise has no secret in it that was handed out to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from agent_factory.core.exceptions import AgentFactoryError, ToolExecutionError
from agent_factory.core.toolsets import Toolset

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.context import RunContext, ToolContext
    from agent_factory.core.permissions import Grant
    from agent_factory.core.tools import Tool

__all__ = ["guard_tool", "guard_toolset"]


def guard_tool(tool: Tool[Any], grant: Grant) -> Tool[Any]:
    """Return a tool whose results and errors show no secret of a grant.

    Args:
        tool: The tool.
        grant: The grant that hands secrets out.
    """
    call = tool.call

    async def call_guarded(context: ToolContext[Any], arguments: str) -> object:
        try:
            result = await call(context, arguments)
        except (Exception, SystemExit) as error:
            if _hide_in(error, grant):
                raise
            raise ToolExecutionError(
                f"tool {tool.name!r} raised {type(error).__name__}: {grant.scrub(str(error))}",
                tool=tool.name,
            ) from None
        return _scrub_result(result, grant)

    return replace(tool, call=call_guarded)


def guard_toolset(
    toolset: Toolset[Any],
    grant: Grant,
    name: str,
    wrap: Callable[[str, Tool[object]], Tool[object]] | None = None,
) -> Toolset[Any]:
    """Return a toolset whose tools show no secret of a grant.

    Args:
        toolset: The toolset.
        grant: The grant that hands secrets out.
        name: Name of the toolset.
        wrap: Puts something around each tool; gets ``toolset/tool``.
    """
    return _Guarded(toolset, grant, name, wrap)


class _Guarded(Toolset[Any]):
    __slots__ = ("_grant", "_name", "_toolset", "_wrap")

    def __init__(
        self,
        toolset: Toolset[Any],
        grant: Grant,
        name: str,
        wrap: Callable[[str, Tool[object]], Tool[object]] | None,
    ) -> None:
        self._toolset = toolset
        self._grant = grant
        self._name = name
        self._wrap = wrap

    async def list_tools(self, context: RunContext[Any]) -> tuple[Tool[Any], ...]:
        try:
            listed = await self._toolset.list_tools(context)
        except AgentFactoryError as error:
            _hide_in(error, self._grant)
            raise
        tools = [guard_tool(item, self._grant) for item in listed]
        if self._wrap is not None:
            tools = [self._wrap(f"{self._name}/{item.name}", item) for item in tools]
        return tuple(tools)


def _hide_in(error: BaseException, grant: Grant) -> bool:
    """Take secrets out of an error of ours; return False for another one that has any, which cannot be changed."""
    causes = list(_list_causes(error))
    if not isinstance(error, AgentFactoryError):
        return not any(_shows_secret(item, grant) for item in (error, *causes))
    if any(_shows_secret(item, grant) for item in causes):
        error.__cause__ = error.__context__ = None
        error.__suppress_context__ = True
    for key, value in list(vars(error).items()):
        if isinstance(value, (str, dict, list)):
            setattr(error, key, _scrub(value, grant))
    error.args = tuple(
        _scrub(item, grant) if isinstance(item, str) else item for item in error.args
    )
    return True


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = {id(error)}
    waiting = [error.__cause__, error.__context__]
    while waiting:
        cause = waiting.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += (cause.__cause__, cause.__context__)


def _shows_secret(error: BaseException, grant: Grant) -> bool:
    shown = [str(error), repr(error), *map(str, getattr(error, "__notes__", ()))]
    return any(grant.scrub(text) != text for text in shown)


def _scrub_result(result: object, grant: Grant) -> object:
    if isinstance(result, (Iterator, AsyncIterator)):
        return result  # which no tool may return: looking at it would use it up
    return _scrub(result, grant)


def _scrub(value: Any, grant: Grant) -> Any:
    if isinstance(value, str):
        return grant.scrub(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        try:
            text = str(value)
        except ValueError:
            return value  # with more digits than Python writes
        scrubbed = grant.scrub(text)
        return value if scrubbed == text else scrubbed
    if isinstance(value, dict):
        return {_scrub(key, grant): _scrub(item, grant) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrub(item, grant) for item in value]
    try:
        # The form in which the model would get it, such as that of a model of pydantic or of bytes.
        plain = to_jsonable_python(value, inf_nan_mode="strings")
    except ValueError:
        return value  # which JSON cannot hold, and no tool may return
    return _scrub(plain, grant)
