"""Asking a person at the terminal while an event loop runs."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from agent_factory.cli.invocation import print_text
from agent_factory.core.waiting import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Terminal", "TerminalClosedError", "is_interactive"]

_MAX_BYTES = 1 << 16


class TerminalClosedError(Exception):
    """Nobody can be asked any more: the terminal ended the input."""


def is_interactive() -> bool:
    """Return whether somebody sits at the terminal: questions can be shown, and answers read."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


class Terminal:
    """Puts questions on standard error and reads the answers, one question at a time.

    Args:
        before: Called before a question is shown, such as to take a moving indicator away.
    """

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        self._before = before
        self._lock = asyncio.Lock()

    async def ask(self, text: str, prompt: str, *, discard: bool = False) -> str:
        """Show a text, and return the line that a person types.

        Args:
            text: What is shown above the prompt; it has to be clean.
            prompt: What stands before the answer.
            discard: Whether what was typed before the question is thrown away: it cannot be an answer to it.

        Raises:
            TerminalClosedError: The input ended.
        """
        async with self._lock:
            if self._before is not None:
                self._before()
            if discard:
                _discard_typed()
            print_text(text, sys.stderr)
            sys.stderr.write(prompt)
            sys.stderr.flush()
            try:
                line = await _read_line()
            except asyncio.CancelledError:
                # What is said next begins on a line of its own.
                print_text("", sys.stderr)
                raise
        if not line:
            print_text("", sys.stderr)
            raise TerminalClosedError
        return line.decode("utf-8", "replace").strip()


def _discard_typed() -> None:
    try:
        import termios
    except ImportError:  # not on Windows
        return
    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except termios.error:
        return


async def _read_line() -> bytes:
    """Read what the terminal hands over, which is a whole line. Cancelling it leaves nothing behind that still reads."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    arrived: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    try:
        loop.add_reader(descriptor, wake)
    except NotImplementedError:  # the event loop of Windows
        return await run_in_thread(lambda: os.read(descriptor, _MAX_BYTES))
    try:
        await arrived
        return os.read(descriptor, _MAX_BYTES)
    finally:
        loop.remove_reader(descriptor)
