"""What the options say that all commands have in common, and how output is written."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.cli.text import clean

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Invocation", "print_json", "print_text"]


@dataclass(slots=True)
class Invocation:
    """How the command was called.

    Attributes:
        json: Whether standard output has one JSON object a line, and nothing else.
        quiet: Whether progress and notes are left out.
        no_color: Whether colours are switched off by an option.
        debug: Whether a defect shows its traceback.
        color: What the settings say of colours: ``auto``, ``always`` or ``never``.
    """

    json: bool = False
    quiet: bool = False
    no_color: bool = False
    debug: bool = False
    color: str = "auto"

    def uses_color(self, stream: TextIO) -> bool:
        """Return whether what is written to a stream has colours.

        An option goes before the environment, and the environment before the settings.

        Args:
            stream: Standard output or standard error.
        """
        if self.no_color or os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        if self.color != "auto":
            return self.color == "always"
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    def emphasize(self, text: str, style: str, stream: TextIO) -> str:
        """Return a text with a style, where the stream has colours.

        Args:
            text: The text; it has to be clean.
            style: The parameters of the terminal's sequence, such as ``1;31`` for bold red.
            stream: Where it is going to be written.
        """
        return f"\x1b[{style}m{text}\x1b[0m" if self.uses_color(stream) else text

    def note(self, text: str) -> None:
        """Tell a person something besides the result: on standard error, or as a line of JSON.

        Args:
            text: What to tell.
        """
        if self.json:
            print_json({"type": "note", "message": text})
        elif not self.quiet:
            print_text(f"{self.emphasize('note:', '33', sys.stderr)} {clean(text)}", sys.stderr)


def print_json(record: dict[str, Any]) -> None:
    """Print one line of JSON on standard output.

    Args:
        record: JSON-compatible data.
    """
    _write(json.dumps(record, ensure_ascii=False), sys.stdout)


def print_text(text: str, stream: TextIO | None = None) -> None:
    """Print a text and a line break. Characters that the terminal's encoding lacks do no harm.

    Args:
        text: The text; it has to be clean where it is not the program's own.
        stream: Where to; standard output if None.
    """
    _write(text, sys.stdout if stream is None else stream)


def _write(text: str, stream: TextIO) -> None:
    # UTF-8 whatever the locale says: a pipe to a file must not depend on it, and it never fails.
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "replace") + b"\n")
    stream.buffer.flush()
