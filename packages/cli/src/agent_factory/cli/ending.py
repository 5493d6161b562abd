"""The end of a command: the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from typer import Abort
from typer.exceptions import TyperException

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.cli.invocation import print_json, print_text
from agent_factory.cli.signals import Termination
from agent_factory.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.cli.invocation import Invocation

__all__ = ["Interrupted", "run_to_end", "show_error"]


_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Ctrl-C, on its way past Typer."""


def run_to_end(call: Callable[[], Any], invocation: Invocation) -> int:
    """Call a command, and tell what ended it.

    Args:
        call: The command; it returns its exit code, or None where it did what it was asked.
        invocation: How it was called.

    Returns:
        The exit code.
    """
    code: int
    try:
        result = call()
        code = int(result) if isinstance(result, int) else ExitCode.OK
        if code == ExitCode.INTERRUPTED:  # while the arguments were read
            code = _end_interrupted(invocation)
        sys.stdout.flush()
    except (Interrupted, KeyboardInterrupt):
        code = _end_interrupted(invocation)
    except BrokenPipeError:
        code = _end_unread()
    except TyperException as error:
        code = _end_misused(error, invocation)
    except Abort:
        code = ExitCode.FAILED
        show_error({"code": "aborted", "message": "standard input ended"}, invocation)
    except Exception as error:  # noqa: BLE001 - nobody comes after
        code = _end_failed(error, invocation)
    return int(code)


def show_error(error: dict[str, Any], invocation: Invocation, text: str | None = None) -> None:
    """Show why a command failed; also when it is quiet.

    Args:
        error: The error as plain data, with its ``code`` and ``message``.
        invocation: How the command was called.
        text: The error for people; the message if None.
    """
    # Where standard output or standard error cannot be written, there is nobody to tell.
    with suppress(OSError, ValueError):
        if invocation.json:
            print_json({"type": "error", "retryable": False, "details": {}} | error)
            return
        shown = clean(str(error["message"]) if text is None else text)
        print_text(f"{invocation.emphasize('error:', '1;31', sys.stderr)} {shown}", sys.stderr)


def _end_interrupted(invocation: Invocation) -> int:
    terminated = Termination.requested
    with suppress(OSError, ValueError):
        if invocation.json:
            print_json({"type": "terminated" if terminated else "interrupted"})
        else:
            word = "terminated" if terminated else "interrupted"
            shown = invocation.emphasize(word, "33", sys.stderr)
            print_text(f"{shown}: the command was stopped before its end", sys.stderr)
    return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED


def _end_unread() -> int:
    # Whoever read the output has gone, as `head` does; Python would complain once more at exit.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _end_misused(error: TyperException, invocation: Invocation) -> int:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is not None and not invocation.json:
        with suppress(OSError, ValueError):
            print_text(clean(context.get_usage()), sys.stderr)
            print_text(f"Try '{context.command_path} --help' for help.\n", sys.stderr)
    show_error({"code": "usage", "message": message}, invocation)
    return ExitCode.USAGE


def _end_failed(error: Exception, invocation: Invocation) -> int:
    # Here and not above: `agent-factory --help` should not pay for it.
    from agent_factory.cli.exceptions import get_exit_code
    from agent_factory.core.exceptions import AgentFactoryError

    if isinstance(error, AgentFactoryError):
        show_error(error.to_dict(), invocation, str(error))
        return get_exit_code(error)
    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITTEN:
        message = f"the output cannot be written: {os.strerror(error.errno)}"
        show_error({"code": "output", "message": message}, invocation)
        return _end_unread()
    if invocation.debug:
        with suppress(OSError, ValueError):
            print_text(clean("".join(traceback.format_exception(error))), sys.stderr)
    # Never the text of the exception: nobody knows what is in it.
    hint = "its traceback stands above" if invocation.debug else "--debug shows its traceback"
    show_error(
        {
            "code": "defect",
            "message": f"{type(error).__name__}: this is a defect of agent-factory, please report it; {hint}",
        },
        invocation,
    )
    return ExitCode.DEFECT
