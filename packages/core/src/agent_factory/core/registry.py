"""The registry that tool names of a blueprint are looked up in.

A blueprint names tools; it can never name code. What a name stands for is decided by the program that fills the
registry: with a `ToolEntry` for each tool that comes along, and with an `InstalledTool` for each that an installed
package declares, which is imported only when a blueprint that uses it is put together.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from agent_factory.core.exceptions import AgentFactoryError, ConfigurationError
from agent_factory.core.problems import explain
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.tools import Tool, ToolOrigin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agent_factory.core.permissions import Grant, Need

__all__ = [
    "ENTRY_POINT_GROUP",
    "InstalledTool",
    "ToolEntry",
    "ToolEnvironment",
    "ToolRegistry",
    "find_installed_tools",
]

ENTRY_POINT_GROUP = "agent_factory.tools"
"""Group of the entry points through which a package declares tools: the name is the tool's, the object a `ToolEntry`."""

OptionsT = TypeVar("OptionsT", bound=BaseModel)


def _need_nothing(_: BaseModel) -> tuple[Need, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class ToolEnvironment:
    """What a tool of a blueprint is made in.

    Attributes:
        folder: The folder of the blueprint.
        grant: What the blueprint may touch; a tool asks it before it touches anything.
    """

    folder: Path
    grant: Grant


@dataclass(frozen=True)
class ToolEntry(Generic[OptionsT]):
    """A tool that blueprints can use by name.

    Attributes:
        name: Name in blueprints; the tool's own name too, unless an option changes that.
        summary: One line for people on what it does.
        options: Model of the options under ``with``; it should forbid unknown keys.
        create: Makes the tool from its options and its environment. Raises `ConfigurationError` for options that cannot
            work, and `PermissionDeniedError` for what is not granted.
        needs: Returns what the options need to be permitted, so far as they say it; nothing is opened to find out.
    """

    name: str
    summary: str
    options: type[OptionsT]
    create: Callable[[OptionsT, ToolEnvironment], Tool[object]]
    needs: Callable[[OptionsT], tuple[Need, ...]] = _need_nothing

    def create_tool(self, options: Mapping[str, Any], environment: ToolEnvironment) -> Tool[object]:
        """Return the tool, which knows where it came from, so that it can be written down in a blueprint again.

        Args:
            options: Its options, as written under ``with``.
            environment: What it is made in.

        Raises:
            ConfigurationError: The options do not fit, or cannot work.
            PermissionDeniedError: It needs what is not granted.
        """
        try:
            given = self.options.model_validate(dict(options))
        except ValidationError as error:
            raise ConfigurationError(
                f"the options of tool {self.name!r} do not fit: {explain(error, 'options')}"
            ) from None
        try:
            made = self.create(given, environment)
        except AgentFactoryError:
            raise
        except Exception as error:  # that of an installed package may raise anything
            raise ConfigurationError(
                f"tool {self.name!r} cannot be made: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(made, Tool):
            raise ConfigurationError(
                f"tool {self.name!r} cannot be made: its entry gave {type(made).__name__} in place of a Tool"
            )
        return replace(made, origin=ToolOrigin(made, self.name, deepcopy(dict(options))))


@dataclass(frozen=True, slots=True)
class InstalledTool:
    """A tool that an installed package declares. Nothing of the package is imported before `load`.

    Attributes:
        name: Name in blueprints.
        distribution: Name of the package.
        version: Version of the package.
        load: Imports the package and returns what the name stands for.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], object]


class ToolRegistry:
    """The tools that blueprints can use, by name. Immutable.

    Args:
        entries: The tools that come along; names must differ.
        installed: The tools of installed packages. One with the name of another tool is left out: no package can put
            itself in the place of what comes along.

    Raises:
        ConfigurationError: Two entries share a name.
    """

    __slots__ = ("_entries", "_installed")

    def __init__(
        self, entries: Iterable[ToolEntry[Any]] = (), installed: Iterable[InstalledTool] = ()
    ) -> None:
        self._entries: dict[str, ToolEntry[Any]] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ConfigurationError(f"two tools are registered under the name {entry.name!r}")
            self._entries[entry.name] = entry
        self._installed: dict[str, InstalledTool] = {}
        for found in installed:
            if found.name not in self._entries:
                self._installed.setdefault(found.name, found)

    def __iter__(self) -> Iterator[ToolEntry[Any]]:
        """Return the tools that come along; nothing is imported."""
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._installed

    @property
    def installed(self) -> tuple[InstalledTool, ...]:
        """The tools of installed packages."""
        return tuple(self._installed.values())

    def check(self, name: str) -> ToolEntry[Any] | InstalledTool:
        """Return what is known of a tool without importing anything.

        Args:
            name: The name as written in a blueprint.

        Raises:
            ConfigurationError: There is none; the message has the closest name.
        """
        entry = self._entries.get(name) or self._installed.get(name)
        if entry is None:
            raise ConfigurationError(
                f"no tool is named {name!r}: {describe_choices(name, [*self._entries, *self._installed])}"
            )
        return entry

    def get(self, name: str) -> ToolEntry[Any]:
        """Return the tool of a name. A tool of an installed package is imported.

        Args:
            name: The name as written in a blueprint.

        Raises:
            ConfigurationError: There is none, where the message has the closest name; or the package cannot be imported, or
                declares something else than a `ToolEntry` of this name.
        """
        found = self.check(name)
        if isinstance(found, ToolEntry):
            return found
        package = f"{found.distribution} {found.version}"
        try:
            entry = found.load()
        except Exception as error:  # a package may raise anything while it is imported
            raise ConfigurationError(
                f"tool {name!r} of the package {package} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(entry, ToolEntry) or entry.name != name:
            raise ConfigurationError(
                f"the package {package} declares the tool {name!r} as something else than a ToolEntry of that name: "
                "tell its authors"
            )
        return entry

    def create_tool(
        self, use: str, options: Mapping[str, Any], environment: ToolEnvironment
    ) -> Tool[object]:
        """Return a tool of the registry that knows where it came from, so that it can be written down in a blueprint again.

        Args:
            use: Its name, as written in a blueprint.
            options: Its options, as written under ``with``.
            environment: What it is made in.

        Raises:
            ConfigurationError: There is no such tool, as `get`; or the options do not fit, or cannot work.
            PermissionDeniedError: It needs what is not granted.
        """
        return self.get(use).create_tool(options, environment)


def find_installed_tools() -> tuple[InstalledTool, ...]:
    """Return the tools that installed packages declare as entry points, by name. No package is imported."""
    from importlib.metadata import entry_points

    found = [
        InstalledTool(
            point.name,
            "" if point.dist is None else point.dist.name,
            "" if point.dist is None else point.dist.version,
            point.load,
        )
        for point in entry_points(group=ENTRY_POINT_GROUP)
    ]
    return tuple(sorted(found, key=lambda item: (item.name, item.distribution)))
