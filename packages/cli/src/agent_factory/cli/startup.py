"""What a command begins with: how it was called, the settings, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.cli.container import Container, create_container
from agent_factory.cli.invocation import Invocation
from agent_factory.cli.places import find_state_folder
from agent_factory.cli.runs.store import RunStore
from agent_factory.cli.settings import LoadedSettings, read_settings

if TYPE_CHECKING:
    import typer

__all__ = ["Startup", "create_store", "read_invocation", "start"]


@dataclass(frozen=True, slots=True)
class Startup:
    """What a command begins with.

    Attributes:
        invocation: How it was called.
        loaded: The settings, and where they come from.
        container: Makes what the command needs.
    """

    invocation: Invocation
    loaded: LoadedSettings
    container: Container


def read_invocation(context: typer.Context) -> Invocation:
    """Return how the command was called.

    Args:
        context: Typer's context of the command.
    """
    return context.ensure_object(Invocation)


def start(context: typer.Context) -> Startup:
    """Read the settings for a command.

    Args:
        context: Typer's context of the command.

    Raises:
        SettingsError: The settings cannot be used.
    """
    invocation = read_invocation(context)
    loaded = read_settings()
    invocation.color = loaded.settings.color
    return Startup(invocation, loaded, create_container(loaded))


def create_store(loaded: LoadedSettings) -> RunStore:
    """Return the recorded runs.

    Args:
        loaded: The settings.

    Raises:
        UsageError: The home folder cannot be found.
    """
    keep = loaded.settings.runs.keep
    return RunStore(find_state_folder() / "runs", number=keep.number, days=keep.days)
