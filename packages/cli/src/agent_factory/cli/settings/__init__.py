"""The settings of the command line: one tree, read once from the environment and a file, here and nowhere else."""

from agent_factory.cli.settings.loading import LoadedSettings, load_settings, read_settings
from agent_factory.cli.settings.tree import Settings

__all__ = ["LoadedSettings", "Settings", "load_settings", "read_settings"]
