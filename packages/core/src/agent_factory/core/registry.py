"""The registry that tool names of a blueprint are looked up in.

A blueprint names tools; it can never name code. What a name stands for is decided by the program that fills the
registry, one `ToolEntry` a tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ToolEntry", "ToolRegistry"]

OptionsT = TypeVar("OptionsT", bound=BaseModel)


@dataclass(frozen=True)
class ToolEntry(Generic[OptionsT]):
    """A tool that blueprints can use by name.

    Attributes:
        name: Name in blueprints; the tool's own name too, unless an option changes that.
        summary: One line for people on what it does.
        options: Model of the options under ``with``; it should forbid unknown keys.
        create: Makes the tool from its options and the folder of the blueprint, against which relative paths in
            the options are resolved. Raises `ConfigurationError` for options that cannot work.
    """

    name: str
    summary: str
    options: type[OptionsT]
    create: Callable[[OptionsT, Path], Tool[object]]


class ToolRegistry:
    """The tools that blueprints can use, by name. Immutable.

    Args:
        entries: The tools; names must differ.

    Raises:
        ConfigurationError: Two entries share a name.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[ToolEntry[Any]] = ()) -> None:
        self._entries: dict[str, ToolEntry[Any]] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ConfigurationError(f"two tools are registered under the name {entry.name!r}")
            self._entries[entry.name] = entry

    def __iter__(self) -> Iterator[ToolEntry[Any]]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> ToolEntry[Any]:
        """Return the tool of a name.

        Args:
            name: The name as written in a blueprint.

        Raises:
            ConfigurationError: There is none; the message has the closest name.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigurationError(
                f"no tool is named {name!r}: {describe_choices(name, self._entries)}"
            ) from None
