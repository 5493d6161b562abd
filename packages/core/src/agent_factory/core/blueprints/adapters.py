"""What a program brings along to put blueprints together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.registry import ToolRegistry

if TYPE_CHECKING:
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.blueprints.schema.models import ModelSettings
    from agent_factory.core.blueprints.schema.tools import ToolsetSection
    from agent_factory.core.models import Model
    from agent_factory.core.permissions import Need, SecretSource
    from agent_factory.core.registry import ToolEnvironment
    from agent_factory.core.toolsets import Toolset

__all__ = ["Adapters", "ModelFactory", "ToolsetFactory"]


class ModelFactory(Protocol):
    """Makes the model of a name."""

    def __call__(self, use: str, settings: ModelSettings) -> Model:
        """Return the model.

        Args:
            use: What the blueprint has under ``use``, such as ``openai:gpt-5.4-mini``.
            settings: How it is asked.

        Raises:
            ConfigurationError: No model is named like this, or it cannot be asked like this.
        """
        ...


class ToolsetFactory(Protocol):
    """Makes toolsets from outside: of MCP servers, and of APIs."""

    def find_needs(self, section: ToolsetSection, file: BlueprintFile) -> tuple[Need, ...]:
        """Return what a toolset needs to be permitted; nothing is connected to find out.

        Args:
            section: What the blueprint says of it.
            file: The blueprint.

        Raises:
            ConfigurationError: It cannot be used, such as an address that is none.
        """
        ...

    def create(
        self,
        name: str,
        section: ToolsetSection,
        file: BlueprintFile,
        environment: ToolEnvironment,
    ) -> Toolset[object]:
        """Return the toolset. It is connected when its tools are first asked for.

        It offers only the tools that ``environment.grant`` permits as ``name/tool``.

        Args:
            name: Its name in the blueprint.
            section: What the blueprint says of it.
            file: The blueprint.
            environment: What it is made in.

        Raises:
            ConfigurationError: It cannot be made.
        """
        ...


def _accept(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Adapters:
    """What a program brings along to put blueprints together.

    Attributes:
        tools: Where the names of tools are looked up; nothing else is.
        create_model: Makes models.
        check_model: Raises a `ConfigurationError` for a name that means no model; it makes none.
        toolsets: Makes toolsets from outside; a blueprint that has one is refused if None.
        secrets: Where secrets come from; there are none if None.
    """

    tools: ToolRegistry
    create_model: ModelFactory
    check_model: Callable[[str], None] = _accept
    toolsets: ToolsetFactory | None = None
    secrets: SecretSource | None = None

    def get_toolsets(self) -> ToolsetFactory:
        """Return what makes toolsets.

        Raises:
            ConfigurationError: There is none.
        """
        if self.toolsets is None:
            raise ConfigurationError(
                "toolsets cannot be used here: this program brings nothing along that makes them"
            )
        return self.toolsets
