"""What the makers of a blueprint's parts share: the file, what it may touch, what went wrong, and what has to be closed."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.permissions import Grant
from agent_factory.core.registry import ToolEnvironment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.models import Model
    from agent_factory.core.permissions import Denial
    from agent_factory.core.source import Problem
    from agent_factory.core.tools import Tool

__all__ = ["AssemblyContext", "Closing"]

T = TypeVar("T")


class Closing:
    """What has to be closed after use: each thing once, whatever happens to the others."""

    def __init__(self) -> None:
        self._things: dict[int, tuple[object, Callable[[], Awaitable[object]]]] = {}

    def add(self, *things: object) -> None:
        """Keep the first of some things that can be closed; the others are within it.

        Args:
            things: A thing, then what it was put around.
        """
        for thing in things:
            close = getattr(thing, "aclose", None)
            if close is not None:
                # With the thing itself, so that no other one can have its id meanwhile.
                self._things.setdefault(id(thing), (thing, close))
                return

    async def aclose(self) -> None:
        """Close everything, the newest first. An error of one keeps no other open; it is raised at the end."""
        async with AsyncExitStack() as stack:
            while self._things:
                _, (_, close) = self._things.popitem()
                stack.push_async_callback(_call, close)


async def _call(close: Callable[[], Awaitable[object]]) -> None:
    await close()


class AssemblyContext:
    """What the makers of a blueprint's parts share.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
        on_denied: Told of everything that is refused while it runs.
        wrap_model: Puts something around each model; gets its name in the blueprint.
        wrap_tool: Puts something around each tool; gets its name in the registry, or ``toolset/tool``.
        closing: What has to be closed.

    Attributes:
        file: As given.
        blueprint: What the file says.
        adapters: As given.
        wrap_model: As given.
        wrap_tool: As given.
        permissions: What the blueprint may touch.
        grant: What decides about it.
        environment: What tools are made in.
        problems: What went wrong.
        closing: As given.
    """

    def __init__(
        self,
        file: BlueprintFile,
        adapters: Adapters,
        on_denied: Callable[[Denial], None] | None,
        wrap_model: Callable[[str, Model], Model] | None,
        wrap_tool: Callable[[str, Tool[object]], Tool[object]] | None,
        closing: Closing,
    ) -> None:
        self.file = file
        self.blueprint = file.blueprint
        self.adapters = adapters
        self.wrap_model = wrap_model
        self.wrap_tool = wrap_tool
        self.permissions = file.blueprint.permissions.create_permissions()
        self.grant = Grant(
            self.permissions, file.folder, secrets=adapters.secrets, on_denied=on_denied
        )
        self.environment = ToolEnvironment(file.folder, self.grant)
        self.problems: list[Problem] = []
        self.closing = closing
        self._on_denied = on_denied

    def enter(self, file: BlueprintFile) -> AssemblyContext:
        """Return the context of a blueprint that this one uses. What is made there is closed with what is made here.

        Args:
            file: The other blueprint.
        """
        return AssemblyContext(
            file, self.adapters, self._on_denied, self.wrap_model, self.wrap_tool, self.closing
        )

    def say(self, place: Place, message: str) -> None:
        """Keep a problem.

        Args:
            place: Where it is.
            message: What is wrong, and what would be right.
        """
        self.problems.append(self.file.document.create_problem(place, message))

    def attempt(self, place: Place, make: Callable[..., T], *given: Any) -> T | None:
        """Return what a function makes; None where it cannot, which becomes a problem at its place.

        Args:
            place: What is made.
            make: Makes it.
            given: Arguments of the function.
        """
        try:
            return make(*given)
        except (ConfigurationError, PermissionDeniedError) as error:
            self.say(place, error.message)
            return None
