"""Reading the settings from the environment and the settings file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import ValidationError

from agent_factory.cli.exceptions import SettingsError
from agent_factory.cli.places import CONFIG_VARIABLE, find_config_file
from agent_factory.cli.settings.file import SettingsFile, read_file
from agent_factory.cli.settings.tree import VARIABLES, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LoadedSettings", "Origin", "load_settings", "read_settings"]

Origin: TypeAlias = Literal["default", "file", "environment"]
"""Where a value comes from."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and where they come from.

    Attributes:
        settings: The settings.
        file: The settings file.
    """

    settings: Settings
    file: SettingsFile

    def find_origin(self, path: Sequence[str]) -> Origin:
        """Return where a value comes from.

        Args:
            path: The keys that lead to it.
        """
        variable = VARIABLES.get(tuple(path))
        if variable is not None and os.environ.get(variable):
            return "environment"
        value: object = self.file.values
        for part in path:
            if not isinstance(value, dict) or part not in value:
                return "default"
            value = value[part]
        return "file"


def read_settings() -> LoadedSettings:
    """Read the settings, and remember where they come from.

    Raises:
        SettingsError: A variable or the file has a value that cannot be used; values are never shown.
    """
    file = read_file(find_config_file(), required=bool(os.environ.get(CONFIG_VARIABLE)))
    try:
        return LoadedSettings(Settings(**file.values), file)
    except ValidationError as error:
        # The file is good by itself, so it is the environment.
        items = error.errors(include_url=False, include_input=False, include_context=False)
        problems = {
            VARIABLES.get(tuple(map(str, item["loc"])), ".".join(map(str, item["loc"]))): item[
                "msg"
            ]
            for item in items
        }
        told = "; ".join(f"{name}: {message}" for name, message in problems.items())
        raise SettingsError(
            f"the environment has settings that cannot be used: {told}", variables=list(problems)
        ) from None


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: As `read_settings`.
    """
    return read_settings().settings
