"""The input of a run, from the command's arguments or from standard input."""

from __future__ import annotations

import sys

from agent_factory.cli.exceptions import UsageError

__all__ = ["read_input"]


def read_input(given: str | None) -> str:
    """Return what the agent is asked.

    Args:
        given: The argument; ``-`` or None reads standard input.

    Raises:
        UsageError: There is no input, it is empty, or it is not UTF-8.
    """
    if given is None and sys.stdin.isatty():
        raise UsageError(
            'there is no input: give it as the last argument, as in run FILE "a question"'
        )
    if given in (None, "-"):
        try:
            given = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"standard input is not UTF-8 at byte {error.start}: convert it first"
            ) from None
    if not given or not given.strip():
        raise UsageError("the input is empty: give the agent something to answer")
    return given
