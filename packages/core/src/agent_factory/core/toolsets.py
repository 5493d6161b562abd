"""Toolsets: groups of tools that are renamed, filtered, combined, or made anew for each run."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from typing_extensions import TypeVar as DefaultTypeVar

from agent_factory.core.context import RunContext, ToolContext
from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError
from agent_factory.core.models import ToolSpec
from agent_factory.core.schemas import create_schema_tool
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.tools import Effect, Tool, tool

__all__ = [
    "Toolset",
    "combine_tools",
    "create_schema_tool",
    "create_tools_per_run",
    "create_toolset",
    "rename_tool",
    "tool_method",
]

DepsT = DefaultTypeVar("DepsT", contravariant=True, default=object)
D = TypeVar("D")
FunctionT = TypeVar("FunctionT", bound=Callable[..., object])

_MARK = "__agent_factory_tool__"


class Toolset(ABC, Generic[DepsT]):
    """A group of tools. Immutable: each method returns another one, made of this one's tools."""

    __slots__ = ()

    @abstractmethod
    async def list_tools(self, context: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        """Return the tools for one run.

        Args:
            context: The run.

        Raises:
            CoreError: The tools cannot be had.
        """

    def prefix(self, text: str) -> Toolset[DepsT]:
        """Return the tools with a text before each name.

        Args:
            text: The text, such as ``github_``.
        """
        return _Changed(
            self, lambda tools: tuple(rename_tool(item, text + item.name) for item in tools)
        )

    def rename(self, names: Mapping[str, str]) -> Toolset[DepsT]:
        """Return the tools with other names.

        Args:
            names: New names by the old ones; tools that are not in it keep theirs.

        Raises:
            ConfigurationError: In a run, if there is no tool of an old name.
        """
        known = dict(names)

        def change(tools: tuple[Tool[Any], ...]) -> tuple[Tool[Any], ...]:
            _check_known(known, tools)
            return tuple(rename_tool(item, known.get(item.name, item.name)) for item in tools)

        return _Changed(self, change)

    def filter(self, keep: Callable[[Tool[Any]], bool]) -> Toolset[DepsT]:
        """Return the tools that a function keeps.

        Args:
            keep: Says of each tool whether it stays; asked in each run.
        """
        return _Filtered(self, keep)

    def only(self, *names: str) -> Toolset[DepsT]:
        """Return the tools of these names.

        Args:
            names: The names.

        Raises:
            ConfigurationError: In a run, if there is no tool of a name.
        """

        def change(tools: tuple[Tool[Any], ...]) -> tuple[Tool[Any], ...]:
            _check_known(names, tools)
            return tuple(item for item in tools if item.name in names)

        return _Changed(self, change)

    def require_approval(self) -> Toolset[DepsT]:
        """Return the tools so that a person has to approve each call."""
        return _Changed(self, lambda tools: tuple(_replace(x, needs_approval=True) for x in tools))


class _Static(Toolset[DepsT]):
    __slots__ = ("_tools",)

    def __init__(self, tools: tuple[Tool[DepsT], ...]) -> None:
        self._tools = tools

    async def list_tools(self, _: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        return self._tools


class _PerRun(Toolset[DepsT]):
    __slots__ = ("_create",)

    def __init__(self, create: Callable[[RunContext[DepsT]], object]) -> None:
        self._create = create

    async def list_tools(self, context: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        made = self._create(context)
        if inspect.isawaitable(made):
            made = await made
        if not isinstance(made, Sequence):
            raise ConfigurationError(
                f"create_tools_per_run: the function returned {describe(made)} in place of a list of tools"
            )
        for item in made:
            if not isinstance(item, Tool | Toolset):
                raise ConfigurationError(
                    f"create_tools_per_run: the function returned {describe(item)} among its tools: "
                    "make a tool of it with tool(...)"
                )
        return await _Combined[DepsT](tuple(made)).list_tools(context)


class _Combined(Toolset[DepsT]):
    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[Tool[DepsT] | Toolset[DepsT], ...]) -> None:
        self._parts = parts

    async def list_tools(self, context: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        tools: list[Tool[DepsT]] = []
        for part in self._parts:
            tools += (part,) if isinstance(part, Tool) else await part.list_tools(context)
        return tuple(tools)


class _Changed(Toolset[DepsT]):
    """The tools of another toolset, changed. What was made of the same tools before is not made again."""

    __slots__ = ("_change", "_inner", "_made")

    def __init__(
        self,
        inner: Toolset[DepsT],
        change: Callable[[tuple[Tool[Any], ...]], tuple[Tool[Any], ...]],
    ) -> None:
        self._inner = inner
        self._change = change
        self._made: tuple[tuple[Tool[Any], ...] | None, tuple[Tool[Any], ...]] = (None, ())

    async def list_tools(self, context: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        tools = await self._inner.list_tools(context)
        of, made = self._made
        if tools is not of:
            made = self._change(tools)
            self._made = (tools, made)
        return made


class _Filtered(Toolset[DepsT]):
    __slots__ = ("_inner", "_keep")

    def __init__(self, inner: Toolset[DepsT], keep: Callable[[Tool[Any]], bool]) -> None:
        self._inner = inner
        self._keep = keep

    async def list_tools(self, context: RunContext[DepsT]) -> tuple[Tool[DepsT], ...]:
        # Asked in each run: what the function keeps may change.
        return tuple(item for item in await self._inner.list_tools(context) if self._keep(item))


def combine_tools(*parts: Tool[D] | Toolset[D]) -> Toolset[D]:
    """Return one toolset of several tools and toolsets.

    Args:
        parts: What it is made of. Two tools of one name are refused when a run begins.
    """
    tools = tuple(part for part in parts if isinstance(part, Tool))
    return _Static(tools) if len(tools) == len(parts) else _Combined(parts)


def create_tools_per_run(
    create: Callable[
        [RunContext[D]],
        Sequence[Tool[D] | Toolset[D]] | Awaitable[Sequence[Tool[D] | Toolset[D]]],
    ],
) -> Toolset[D]:
    """Return a toolset whose tools are made anew for each run.

    ```python
    create_tools_per_run(lambda context: [create_toolset(Basket(context.deps.customer))])
    ```

    Args:
        create: Makes the tools, or toolsets, from the run's context; a plain or a coroutine function.
    """
    return _PerRun(create)


@overload
def tool_method(function: FunctionT) -> FunctionT: ...


@overload
def tool_method(
    *,
    name: str | None = ...,
    description: str | None = ...,
    effect: Effect = ...,
    timeout: float = ...,
    needs_approval: bool = ...,
    retries: int = ...,
    max_result_chars: int = ...,
) -> Callable[[FunctionT], FunctionT]: ...


def tool_method(function: Any = None, **options: Any) -> Any:
    """Mark a method of a class as a tool for `create_toolset`; works as ``@tool_method`` and as ``@tool_method(...)``.

    Args:
        function: The method.
        options: The options of `tool`.

    Returns:
        The method itself, or a decorator where none was given.
    """

    def mark(method: FunctionT) -> FunctionT:
        setattr(method, _MARK, options)
        return method

    return mark if function is None else mark(function)


def create_toolset(instance: object) -> Toolset[Any]:
    """Return the tools of an object: its methods that carry `tool_method`. They share the object's state.

    Marked methods of base classes are tools too. One that is overridden is a tool where the override is marked as
    well: nothing is given to a model that nobody marked.

    Args:
        instance: The object.

    Raises:
        ConfigurationError: No method of its class is marked, or it is a class in place of an object.
        ToolDefinitionError: A method cannot be made into a tool.
    """
    if isinstance(instance, type):
        raise ConfigurationError(
            f"create_toolset needs an object, not the class {instance.__qualname__}: "
            f"pass {instance.__qualname__}(...)"
        )
    made: list[Tool[Any]] = []
    seen: set[str] = set()
    for owner in type(instance).__mro__:
        for name, value in vars(owner).items():
            # A static method or a class method holds the function that was marked.
            options = getattr(value, _MARK, getattr(getattr(value, "__func__", None), _MARK, None))
            if name not in seen and options is not None:
                made.append(tool(getattr(instance, name), **options))
            seen.add(name)
    if not made:
        raise ConfigurationError(
            f"no method of {type(instance).__qualname__} is a tool: put @tool_method on those that are"
        )
    return _Static(tuple(made))


def describe(thing: object) -> str:
    """Return words for something that should have been a tool.

    Args:
        thing: What was given.
    """
    name = getattr(thing, "__qualname__", None)
    return f"the {type(thing).__name__} {name}" if isinstance(name, str) else type(thing).__name__


def _replace(item: Tool[Any], **changes: Any) -> Tool[Any]:
    from dataclasses import replace

    return replace(item, **changes)


def rename_tool(item: Tool[Any], name: str) -> Tool[Any]:
    """Return a tool under another name, which its errors have too.

    Args:
        item: The tool.
        name: The name.

    Raises:
        ToolDefinitionError: The name is refused.
    """
    old, call, check = item.name, item.call, item.validate
    if name == old:
        return item

    def say(error: ToolArgumentsError) -> ToolArgumentsError:
        # The model knows the tool by its new name alone.
        said = error.message.replace(f"tool {old!r}", f"tool {name!r}", 1)
        return ToolArgumentsError(said, tool=name)

    async def call_renamed(context: ToolContext[Any], arguments: str) -> object:
        try:
            return await call(context, arguments)
        except ToolArgumentsError as error:
            raise say(error) from error

    def validate(arguments: str) -> object:
        try:
            return None if check is None else check(arguments)
        except ToolArgumentsError as error:
            raise say(error) from error

    return _replace(
        item,
        spec=ToolSpec(name, item.spec.description, item.spec.parameters),
        call=call_renamed,
        validate=None if check is None else validate,
    )


def _check_known(names: Any, tools: tuple[Tool[Any], ...]) -> None:
    known = [item.name for item in tools]
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"the toolset has no tool named {name!r}: {describe_choices(name, known)}"
            )
