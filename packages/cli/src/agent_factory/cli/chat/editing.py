"""Reading what a person types, with line editing and the lines of before where the system has them."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

__all__ = ["LineEditor"]

_MAX_LINES = 1000


class LineEditor:
    """Reads lines at a terminal, or from anything else without a prompt.

    Args:
        file: Where the lines are kept for the next time, readable for their owner only; nowhere if None.
        words: What Tab completes at the beginning of a line.
    """

    def __init__(self, file: Path | None, words: Sequence[str] = ()) -> None:
        self._file = file
        self._words = tuple(words)
        self._interactive = sys.stdin.isatty()
        self._readline = _import_readline() if self._interactive else None
        if self._readline is not None:
            self._prepare(self._readline)

    def read(self, prompt: str) -> str:
        """Return the next line.

        Args:
            prompt: What stands before it at a terminal.

        Raises:
            EOFError: The input ended.
            KeyboardInterrupt: The person pressed Ctrl-C.
        """
        if not self._interactive:
            line = sys.stdin.buffer.readline()
            if not line:
                raise EOFError
            return line.decode("utf-8", "replace").rstrip("\r\n")
        return input(prompt)

    def close(self) -> None:
        """Keep the lines for the next time, where that works."""
        if self._readline is None or self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It must not be readable for others at any moment.
            os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600))
            self._file.chmod(0o600)
            self._readline.set_history_length(_MAX_LINES)
            self._readline.write_history_file(self._file)
            self._file.chmod(0o600)

    def _prepare(self, readline: ModuleType) -> None:
        if self._file is not None:
            # An unreadable or damaged file costs its lines, and nothing else.
            with contextlib.suppress(OSError, UnicodeDecodeError):
                readline.read_history_file(self._file)
        readline.set_completer_delims("")
        readline.set_completer(self._complete)
        is_libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")

    def _complete(self, text: str, state: int) -> str | None:
        fitting = [word for word in self._words if text and word.startswith(text)]
        return fitting[state] if state < len(fitting) else None


def _import_readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:  # not on Windows
        return None
    return readline
