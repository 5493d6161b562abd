"""Reading a blueprint file and telling everything that is wrong with it, each at its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.blueprints.bundle import (
    read_blueprint_content,
    read_bundled_file,
    read_bundled_text,
)
from agent_factory.core.blueprints.document import MAX_BYTES, Document, read_document
from agent_factory.core.blueprints.leaks import find_hidden, hide_secrets
from agent_factory.core.blueprints.problems import create_problems
from agent_factory.core.blueprints.schema.blueprint import Blueprint
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.source import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.agents import AgentSection
    from agent_factory.core.blueprints.schema.evals import SuiteSection
    from agent_factory.core.blueprints.schema.prompts import InstructionsSection, PromptSection

__all__ = [
    "BlueprintFile",
    "LoadedSuite",
    "create_blueprint_error",
    "load_blueprint",
    "parse_blueprint",
]


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite of test cases together with where it came from.

    Attributes:
        section: What it says.
        document: The text of the file that it is in.
        place: Where it is in that file.
    """

    section: SuiteSection
    document: Document
    place: Place


@dataclass(frozen=True, slots=True)
class BlueprintFile:
    """A blueprint together with where it came from, and with the texts of the files that belong to it.

    Attributes:
        blueprint: What the file says.
        document: The file's text with its places, for messages.
        folder: The folder that relative paths in the file start from.
        texts: The texts of the files below the folder that the blueprint takes prompts from, by path.
        suites: The suites of test cases by name, those of ``evals_file`` included.
    """

    blueprint: Blueprint
    document: Document
    folder: Path
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    suites: Mapping[str, LoadedSuite] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def agents(self) -> dict[str, tuple[AgentSection, Place]]:
        """The agents by name, each with its place in the file."""
        if self.blueprint.agent is not None:
            return {self.blueprint.name: (self.blueprint.agent, ("agent",))}
        return {
            name: (section, ("agents", name)) for name, section in self.blueprint.agents.items()
        }

    @property
    def entry(self) -> str | None:
        """Name of the agent or workflow that runs; None where the file does not make that clear."""
        blueprint = self.blueprint
        if blueprint.entry is not None:
            return blueprint.entry
        names = list(blueprint.workflows) or list(self.agents)
        return names[0] if len(names) == 1 else None

    def get_output(self, agent: str) -> Mapping[str, Any] | None:
        """Return the JSON Schema of an agent's answer: its own, or that of the blueprint; None for words.

        The agent that runs, and those that it may hand over to, answer as ``outputs`` says, since their answer is the result.

        Args:
            agent: Name of the agent.
        """
        agents = self.agents
        own = agents[agent][0].output
        if own is not None or self.blueprint.outputs is None:
            return own
        reached = {self.entry or ""}
        waiting = list(reached)
        while waiting:
            name = waiting.pop()
            handoffs = agents[name][0].handoffs if name in agents else ()
            waiting += [other for other in handoffs if other not in reached]
            reached.update(handoffs)
        return self.blueprint.outputs if agent in reached else None

    def get_text(self, section: PromptSection | InstructionsSection) -> str:
        """Return the text of a prompt or of instructions.

        Args:
            section: What the file says of it.
        """
        if section.text is not None:
            return section.text
        if section.file is not None:
            return self.texts[section.file]
        name = getattr(section, "prompt", None)
        return self.get_text(self.blueprint.prompts[name]) if name is not None else ""


def load_blueprint(file: Path) -> BlueprintFile:
    """Read and check a blueprint file, and the files below its folder that it takes prompts and suites from.

    Nothing that it names is looked up, imported or run.

    Args:
        file: The file, YAML in UTF-8 of at most 1 MiB. A link is followed within its folder only.

    Returns:
        The blueprint.

    Raises:
        BlueprintError: The file cannot be read, or breaks the schema; it has every problem.
    """
    try:
        content = read_blueprint_content(file, max_bytes=MAX_BYTES)
    except ConfigurationError as error:
        raise BlueprintError(
            f"{file} cannot be read",
            problems=[Problem(Location(str(file), 1, 1), error.message)],
        ) from error
    return parse_blueprint(content, name=str(file), folder=file.parent)


def parse_blueprint(content: bytes, *, name: str, folder: Path) -> BlueprintFile:
    """Check the content of a blueprint file.

    Args:
        content: The bytes of the file.
        name: The file's name for messages.
        folder: The folder that relative paths in the blueprint start from.

    Returns:
        The blueprint.

    Raises:
        BlueprintError: The content breaks YAML or the schema, or a file that it takes prompts or suites from cannot be used;
            it has every problem.
    """
    document = read_document(content, name)
    if document.problems:
        raise create_blueprint_error(name, hide_secrets(document.problems))
    try:
        blueprint = Blueprint.model_validate(document.value)
    except ValidationError as error:
        found = create_problems(document, error, Blueprint)
        hidden = find_hidden(document.value)
        raise create_blueprint_error(name, hide_secrets(found, hidden)) from None
    problems: list[Problem] = []
    texts = _read_texts(blueprint, document, folder, problems)
    suites = {
        key: LoadedSuite(section, document, ("evals", key))
        for key, section in blueprint.evals.items()
    }
    if blueprint.evals_file is not None:
        _read_suites(blueprint.evals_file, document, folder, suites, problems)
    if problems:
        hidden = find_hidden(document.value)
        raise create_blueprint_error(name, hide_secrets(problems, hidden))
    return BlueprintFile(
        blueprint, document, folder, MappingProxyType(texts), MappingProxyType(suites)
    )


def create_blueprint_error(name: str, problems: Sequence[Problem]) -> BlueprintError:
    """Return the error of a blueprint that has problems.

    Args:
        name: The file's name.
        problems: The problems; at least one.
    """
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return BlueprintError(f"{name} has {count}", problems=problems)


def _read_texts(
    blueprint: Blueprint, document: Document, folder: Path, problems: list[Problem]
) -> dict[str, str]:
    named: list[tuple[str, Place]] = [
        (prompt.file, ("prompts", name))
        for name, prompt in blueprint.prompts.items()
        if prompt.file is not None
    ]
    agents: list[tuple[AgentSection, Place]] = [
        (section, ("agents", name)) for name, section in blueprint.agents.items()
    ]
    if blueprint.agent is not None:
        agents.append((blueprint.agent, ("agent",)))
    named += [
        (section.instructions.file, (*place, "instructions"))
        for section, place in agents
        if section.instructions.file is not None
    ]
    texts: dict[str, str] = {}
    for path, place in named:
        try:
            texts[path] = read_bundled_text(folder, path)
        except ConfigurationError as error:
            problems.append(document.create_problem((*place, "file"), error.message))
    return texts


def _read_suites(
    path: str,
    document: Document,
    folder: Path,
    suites: dict[str, LoadedSuite],
    problems: list[Problem],
) -> None:
    from agent_factory.core.blueprints.schema.evals_file import EvalsFile

    try:
        content = read_bundled_file(folder, path, max_bytes=MAX_BYTES)
    except ConfigurationError as error:
        problems.append(document.create_problem(("evals_file",), error.message))
        return
    other = read_document(content, str(Path(document.file).parent / path))
    if other.problems:
        problems += other.problems
        return
    try:
        parsed = EvalsFile.model_validate(other.value)
    except ValidationError as error:
        problems += create_problems(other, error, EvalsFile)
        return
    for name, section in parsed.evals.items():
        if name in suites:
            problems.append(
                other.create_problem(
                    ("evals", name),
                    f"the blueprint itself has a suite {name!r}: give one of them another name",
                    at_key=True,
                )
            )
        suites[name] = LoadedSuite(section, other, ("evals", name))
