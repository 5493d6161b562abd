"""The errors of the command line, and the exit codes that errors end with.

```
AgentFactoryError
└── CliError             root of this distribution
    ├── UsageError       the command was called in a way that cannot work
    │   └── SettingsError    the settings cannot be used
    ├── StoreError       the recorded runs cannot be read or written
    ├── OutputError      a file that the command makes cannot be written
    ├── LockedError      a blueprint is not as its lock says
    ├── ReplayError      what is asked is not what a cassette has on record
    └── SpendError       a model call may not cost what it would
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.core.exceptions import AgentFactoryError, BlueprintError, ConfigurationError
from agent_factory.integrations.exceptions import IntegrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.source import Problem

__all__ = [
    "CliError",
    "ExitCode",
    "LockedError",
    "OutputError",
    "ReplayError",
    "SettingsError",
    "SpendError",
    "StoreError",
    "UsageError",
    "get_exit_code",
]


class CliError(AgentFactoryError):
    """Root of the errors of `agent_factory.cli`."""

    code = "cli"


class UsageError(CliError):
    """The command was called in a way that cannot work."""

    code = "usage"


class SettingsError(UsageError):
    """The settings cannot be used.

    Args:
        message: A heading for the problems, or what is wrong.
        problems: What is wrong in the settings file, in its order.
        variables: The environment variables whose values cannot be used.
    """

    code = "settings"

    def __init__(
        self, message: str, *, problems: Sequence[Problem] = (), variables: Sequence[str] = ()
    ) -> None:
        details: dict[str, object] = {}
        if problems:
            details["problems"] = [item.to_dict() for item in problems]
        if variables:
            details["variables"] = sorted(variables)
        super().__init__(message, details=details)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *(str(problem) for problem in self.problems)])


class StoreError(CliError):
    """The recorded runs cannot be read or written."""

    code = "run_store"


class OutputError(CliError):
    """A file that the command makes cannot be written."""

    code = "output"


class LockedError(CliError):
    """A blueprint is not as its lock says."""

    code = "locked"


class ReplayError(CliError):
    """What is asked is not what a cassette has on record."""

    code = "replay"


class SpendError(CliError):
    """A model call may not cost what it would; with the code of the `BudgetExceededError` that it stands for."""

    code = "budget_exceeded"


def get_exit_code(error: AgentFactoryError) -> ExitCode:
    """Return the exit code for an error.

    Args:
        error: What ended the command.
    """
    if isinstance(error, BlueprintError):
        return ExitCode.BLUEPRINT
    if isinstance(error, (LockedError, ReplayError)):
        return ExitCode.CHECK
    if isinstance(error, (UsageError, ConfigurationError, IntegrationError)):
        return ExitCode.USAGE
    return ExitCode.FAILED
