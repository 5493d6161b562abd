"""Where the command line keeps its files: the folders of the XDG Base Directory Specification."""

from __future__ import annotations

import os
from pathlib import Path

from agent_factory.cli.exceptions import UsageError

__all__ = ["find_config_file", "find_state_folder"]

CONFIG_VARIABLE = "AGENT_FACTORY_CONFIG"


def find_config_file() -> Path:
    """Return the path of the settings file, whether there is one or not.

    It is what ``AGENT_FACTORY_CONFIG`` says, else ``agent-factory/config.toml`` in ``XDG_CONFIG_HOME``, which is
    ``~/.config`` where it is not set.

    Raises:
        UsageError: The home folder cannot be found.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).absolute()
    return _find("XDG_CONFIG_HOME", ".config") / "agent-factory" / "config.toml"


def find_state_folder() -> Path:
    """Return the folder for what the command line writes down, whether there is one or not.

    It is ``agent-factory`` in ``XDG_STATE_HOME``, which is ``~/.local/state`` where it is not set.

    Raises:
        UsageError: The home folder cannot be found.
    """
    return _find("XDG_STATE_HOME", ".local/state") / "agent-factory"


def _find(variable: str, usual: str) -> Path:
    # The specification: a relative path is to be ignored.
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():
        return named
    try:
        return Path.home() / usual
    except RuntimeError as error:
        raise UsageError(f"the home folder cannot be found: set HOME or {variable}") from error
