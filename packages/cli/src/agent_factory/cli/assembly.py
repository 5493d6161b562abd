"""What a blueprint becomes for a run: the one place where the command line puts it together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.cli.denials import Denials
from agent_factory.cli.exceptions import UsageError
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.source import Location, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.cli.container import Container
    from agent_factory.core.agent import Agent
    from agent_factory.core.blueprints import Adapters, Assembly, BlueprintFile
    from agent_factory.core.options import RunOptions
    from agent_factory.core.workflows.people import Person

__all__ = ["AssembledBlueprint", "assemble", "assemble_with", "describe"]


@dataclass(frozen=True, slots=True, eq=False)
class AssembledBlueprint:
    """A blueprint that is ready to run.

    Attributes:
        name: Its name.
        version: Its version.
        digest: SHA-256 digest of its file, as hexadecimal digits.
        file: Name of its file, without the folder.
        assembly: Its agents and workflows.
        denials: Tells of what it was refused.
    """

    name: str
    version: str
    digest: str
    file: str
    assembly: Assembly
    denials: Denials

    @property
    def workflow(self) -> str | None:
        """Name of the workflow that runs; None where an agent does."""
        entry = self.assembly.entry
        return None if entry in self.assembly.agents else entry

    @property
    def agent(self) -> Agent[object, Any]:
        """The agent that runs.

        Raises:
            UsageError: A workflow runs.
        """
        if self.workflow is not None:
            raise UsageError(f"{self.file} runs the workflow {self.workflow!r}, and no agent")
        return self.assembly.agents[self.assembly.entry]

    def scrub(self, text: str) -> str:
        """Return a text without the secrets that tools were given.

        Args:
            text: Any text.
        """
        return self.assembly.grant.scrub(text)

    def read_input(self, text: str) -> Any:
        """Return what was typed as the input that the blueprint takes: the text itself, or the data that it is as JSON.

        Args:
            text: What was typed.

        Raises:
            UsageError: It is no such input.
        """
        inputs = self.assembly.file.blueprint.inputs
        value: Any = text
        if inputs is not None and inputs.get("type") != "string":
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                raise UsageError(
                    f"{self.file} takes JSON as its input{_show_names(inputs)}, and this is none"
                ) from None
        try:
            self.assembly.check_input(value)
        except ConfigurationError as error:
            raise UsageError(error.message) from error
        return value

    def create_prompt(self, text: str) -> str:
        """Return how an input is put to the agent.

        Args:
            text: What was typed.

        Raises:
            UsageError: It is no input that the blueprint takes.
            ConfigurationError: The agent's prompt refers to something that the input does not have.
        """
        return self.assembly.create_prompt(self.assembly.entry, self.read_input(text))

    def create_options(self, options: RunOptions) -> RunOptions:
        """Return the options of a run, with what the blueprint bounds.

        Args:
            options: What the caller brings along.
        """
        return self.assembly.create_options(options)

    async def close(self) -> None:
        """Close what holds connections; afterwards it cannot be used any more."""
        await self.assembly.aclose()


def assemble(
    file: Path,
    container: Container,
    *,
    model: str | None = None,
    person: Person | None = None,
) -> AssembledBlueprint:
    """Put together what a blueprint describes.

    Args:
        file: The blueprint.
        container: Makes what it needs.
        model: Name of the model to use instead of the blueprint's own.
        person: Who answers questions; nobody if None.

    Raises:
        BlueprintError: The blueprint is wrong.
        ConfigurationError: The model cannot be made.
    """
    return assemble_with(file, container.create_adapters(model=model, person=person))


def assemble_with(file: Path, adapters: Adapters) -> AssembledBlueprint:
    """Put together what a blueprint describes, with other adapters than the command line's own.

    Args:
        file: The blueprint.
        adapters: What it is put together with.

    Raises:
        BlueprintError: The blueprint is wrong.
    """
    from agent_factory.core.blueprints import assemble as put_together
    from agent_factory.core.blueprints import load_blueprint

    loaded, denials = load_blueprint(file), Denials()
    return describe(file, loaded, put_together(loaded, adapters, on_denied=denials), denials)


def describe(
    file: Path, loaded: BlueprintFile, assembly: Assembly, denials: Denials
) -> AssembledBlueprint:
    """Return a blueprint that was put together as one that is ready to run.

    Args:
        file: The blueprint.
        loaded: What the file says.
        assembly: What it was put together to.
        denials: What it was put together with to be told of refusals.

    Raises:
        BlueprintError: The file cannot be read any more.
    """
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise BlueprintError(
            f"{file} cannot be read", problems=[Problem(Location(str(file), 1, 1), reason)]
        ) from error
    return AssembledBlueprint(
        name=loaded.blueprint.name,
        version=loaded.blueprint.version,
        digest=digest,
        file=file.name,
        assembly=assembly,
        denials=denials,
    )


def _show_names(inputs: dict[str, Any]) -> str:
    properties = inputs.get("properties")
    if not isinstance(properties, dict) or not properties:
        return ""
    shown = json.dumps({str(name): "..." for name in list(properties)[:5]})
    return f", such as '{shown}'"
