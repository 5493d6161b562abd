"""The ``[ruff]`` options."""

from __future__ import annotations

import os.path
from collections.abc import Iterable

from pants.backend.python.subsystems.python_tool_base import LockfileRules, PythonToolBase
from pants.backend.python.target_types import ConsoleScript
from pants.core.util_rules.config_files import ConfigFilesRequest
from pants.engine.rules import collect_rules
from pants.option.option_types import ArgsListOption, SkipOption

__all__ = ["Ruff", "rules"]


class Ruff(PythonToolBase):
    """How ruff is installed and run."""

    options_scope = "ruff"
    name = "Ruff"
    help = "The Ruff linter (https://docs.astral.sh/ruff)."

    default_version = "ruff>=0.5"
    default_main = ConsoleScript("ruff")
    default_requirements = [default_version]

    register_interpreter_constraints = True
    default_interpreter_constraints = ["CPython==3.11.*"]

    # The version comes from [ruff].lockfile in pants.toml; there is no lock to fall back on.
    default_lockfile_resource = ("ruff", "ruff.lock")
    lockfile_rules_type = LockfileRules.SIMPLE

    skip = SkipOption("fix", "lint")
    args = ArgsListOption(example="--statistics")

    def config_request(self, folders: Iterable[str]) -> ConfigFilesRequest:
        """Ask for the configuration that ruff reads when it checks files in some folders.

        Args:
            folders: The folders, relative to the build root.

        Returns:
            A request for the ``pyproject.toml`` and ``ruff.toml`` files above those files.
        """
        above = {"", *folders}
        for folder in folders:
            parts = folder.split("/")
            above.update("/".join(parts[:length]) for length in range(1, len(parts)))
        return ConfigFilesRequest(
            discovery=True,
            check_existence=[os.path.join(folder, "ruff.toml") for folder in sorted(above)],
            check_content={
                os.path.join(folder, "pyproject.toml"): b"[tool.ruff" for folder in sorted(above)
            },
        )


def rules() -> Iterable[object]:
    """The rules of this module, for Pants."""
    return collect_rules()
