"""Signals that end the process: SIGTERM does what Ctrl-C does, with an exit code of its own."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Termination"]


class Termination:
    """Whether the process was asked to end.

    An event loop answers Ctrl-C by cancelling what runs, so that it ends cleanly. SIGTERM goes the same way.

    Attributes:
        requested: Whether SIGTERM came.
    """

    requested = False

    @classmethod
    def watch(cls) -> None:
        """Take over SIGTERM for the rest of the process. Only the main thread of a program may."""
        signal.signal(signal.SIGTERM, cls._handle)

    @classmethod
    def ignore_further(cls) -> None:
        """Let the next Ctrl-C or SIGTERM end the process at once and without a word: its work is done."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    @classmethod
    def _handle(cls, number: int, frame: FrameType | None) -> None:
        cls.requested = True
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(number, frame)
        else:  # SIGINT is ignored, as in the background of a shell
            raise KeyboardInterrupt
