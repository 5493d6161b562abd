"""Cassettes of blueprints: what their models and outside tools answered, recorded and played again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.cli.exceptions import CliError, OutputError, ReplayError, UsageError
from agent_factory.core.blueprints import assemble
from agent_factory.core.testing.cassettes import Cassette
from agent_factory.core.testing.cassettes.errors import (
    CassetteError,
    CassetteFormatError,
    CassetteMissError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.cli.denials import Denials
    from agent_factory.core.blueprints import Adapters, Assembly, BlueprintFile, ModelSettings
    from agent_factory.core.models import Model
    from agent_factory.core.tools import Tool

__all__ = [
    "assemble_recording",
    "assemble_replaying",
    "explain_cassette",
    "finish_cassette",
    "open_cassette",
]

_OUTSIDE = frozenset({"ask_person", "current_time", "http_fetch", "run_command"})
"""Tools whose results are recorded. The others read what lies beside the blueprint, and are run again."""


def open_cassette(path: Path, *, recording: bool, again: str) -> Cassette:
    """Return a cassette.

    Args:
        path: Its file.
        recording: Whether to record.
        again: The command that records it.

    Raises:
        UsageError: There is nothing to replay, or the file is no cassette.
        OutputError: Its folder cannot be made.
    """
    if recording:
        if path.is_dir():
            raise UsageError(f"the cassette {path} is a folder: name a file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}") from error
        return Cassette(path, "record")
    if path.is_dir():
        raise UsageError(f"the cassette {path} is a folder: name a file")
    if not path.is_file():
        raise UsageError(f"there is no cassette {path}: record it with {again}")
    try:
        return Cassette(path, "replay")
    except CassetteFormatError as error:
        raise explain_cassette(error, again) from error
    except OSError as error:
        raise UsageError(f"the cassette {path} cannot be read: {error.strerror}") from error


def explain_cassette(error: CassetteError, again: str, *, difference: bool = True) -> CliError:
    """Return what tells a user of the command line why a cassette does not fit.

    Args:
        error: What the cassette says.
        again: The command that records it.
        difference: Whether to show how the nearest recorded request differs.
    """
    if isinstance(error, CassetteFormatError):
        return UsageError(
            f"{error.cassette} is damaged, or no cassette of this version: record it again with {again}",
            details=error.details,
        )
    if not isinstance(error, CassetteMissError):
        return ReplayError(
            f"{error.cassette} has answers that nothing asked for any more: if that is meant, record it again with "
            f"{again}",
            details=error.details,
        )
    said = f"{error.cassette} has no answer to request number {error.number}"
    if error.difference and difference:
        said += f"; the nearest request on record differs:\n{error.difference}\nIf that is meant, "
    elif error.difference:
        said += ", which differs from every request on record: if that is meant, "
    else:
        said += ": it is asked more than what was recorded; if that is meant, "
    return ReplayError(f"{said}record it again with {again}", details=error.details)


def finish_cassette(cassette: Cassette, again: str) -> None:
    """Write what was recorded, or make sure that a replay was complete.

    Args:
        cassette: The cassette.
        again: The command that records it.

    Raises:
        ReplayError: Something was asked that is not on record, or something on record was not asked.
        OutputError: It cannot be written.
    """
    try:
        cassette.finish()
    except CassetteError as error:
        raise explain_cassette(error, again) from error
    except OSError as error:
        raise OutputError(f"{cassette.path} cannot be written: {error.strerror}") from error


def assemble_recording(
    file: BlueprintFile, adapters: Adapters, cassette: Cassette, denials: Denials
) -> Assembly:
    """Put a blueprint together so that what its models and outside tools answer is recorded.

    Args:
        file: The blueprint.
        adapters: What it is put together with.
        cassette: The cassette.
        denials: Told of refusals.

    Raises:
        BlueprintError: It cannot be put together.
    """
    for name in file.blueprint.permissions.secrets:
        secret = None if adapters.secrets is None else adapters.secrets.get(name)
        if secret:
            cassette.add_secret(secret)

    def wrap_model(name: str, model: Model) -> Model:
        del name
        return cassette.wrap_model(model)

    def wrap_tool(use: str, tool: Tool[object]) -> Tool[object]:
        return cassette.wrap_tool(tool) if _is_outside(use, adapters) else tool

    return assemble(file, adapters, on_denied=denials, wrap_model=wrap_model, wrap_tool=wrap_tool)


def assemble_replaying(
    file: BlueprintFile, adapters: Adapters, cassette: Cassette, denials: Denials
) -> Assembly:
    """Put a blueprint together so that its models and outside tools answer from a cassette. Neither a key nor a server is needed.

    Args:
        file: The blueprint.
        adapters: What it is put together with otherwise.
        cassette: The cassette.
        denials: Told of refusals.

    Raises:
        BlueprintError: It cannot be put together.
    """
    named = {section.use for section in file.blueprint.models.values()}
    named |= {agent.model for agent, _ in file.agents.values()} - set(file.blueprint.models)

    def create(use: str, settings: ModelSettings) -> Model:
        del settings
        return cassette.wrap_model(name=_choose(use, named, cassette))

    def wrap_tool(use: str, tool: Tool[object]) -> Tool[object]:
        return cassette.wrap_tool(tool) if _is_outside(use, adapters) else tool

    return assemble(
        file, replace(adapters, create_model=create), on_denied=denials, wrap_tool=wrap_tool
    )


def _is_outside(use: str, adapters: Adapters) -> bool:
    """Return whether the results of a tool are recorded: also those of servers and of installed packages."""
    known = {entry.name for entry in adapters.tools}
    return use in _OUTSIDE or use not in known


def _choose(use: str, named: set[str], cassette: Cassette) -> str:
    """Return the name on record of a model that a blueprint names."""
    recorded: list[Any] = cassette.models
    if use in recorded:
        return use
    # 'default' and the like were another model when it was recorded: the one that nobody names.
    others = [name for name in recorded if name not in named]
    if len(others) == 1:
        return str(others[0])
    if len(recorded) == 1:
        return str(recorded[0])
    return use
