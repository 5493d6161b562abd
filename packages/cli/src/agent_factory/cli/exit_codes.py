"""The exit codes of the command line."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What the process ends with."""

    OK = 0
    """The command did what it was asked."""
    FAILED = 1
    """It failed: the model, a tool, a limit, a file that cannot be written."""
    USAGE = 2
    """The command or its settings are wrong."""
    BLUEPRINT = 3
    """The blueprint is wrong."""
    CHECK = 4
    """The command worked, and what it checked is not as it should be: a lock has drifted, an eval missed its gate."""
    DEFECT = 70
    """A defect of the program itself."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """The process was asked to end, with SIGTERM."""
