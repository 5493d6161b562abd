"""The errors of the command line, and the exit codes that errors end with.

```
AgentFactoryError
└── CliError          root of this distribution
    └── UsageError    the command was called in a way that cannot work
```
"""

from __future__ import annotations

from enum import IntEnum

from agent_factory.core import AgentFactoryError, BlueprintError, ConfigurationError
from agent_factory.integrations.exceptions import IntegrationError

__all__ = ["CliError", "ExitCode", "UsageError", "get_exit_code"]


class CliError(AgentFactoryError):
    """Root of the errors of `agent_factory.cli`."""

    code = "cli"


class UsageError(CliError):
    """The command was called in a way that cannot work."""

    code = "usage"


class ExitCode(IntEnum):
    """What the process ends with."""

    OK = 0
    """The command did what it was asked."""
    FAILED = 1
    """The run failed: the model, a tool, a limit."""
    USAGE = 2
    """The command or its settings are wrong."""
    BLUEPRINT = 3
    """The blueprint is wrong."""
    INTERRUPTED = 130
    """Ctrl-C."""


def get_exit_code(error: AgentFactoryError) -> ExitCode:
    """Return the exit code for an error.

    Args:
        error: What ended the command.
    """
    if isinstance(error, BlueprintError):
        return ExitCode.BLUEPRINT
    if isinstance(error, (UsageError, ConfigurationError, IntegrationError)):
        return ExitCode.USAGE
    return ExitCode.FAILED
