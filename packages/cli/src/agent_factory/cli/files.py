"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from agent_factory.cli.exceptions import OutputError, UsageError

__all__ = ["check_output", "write_atomically", "write_output"]


def check_output(path: Path) -> None:
    """Make sure that a file can probably be written, before work is done that would be lost otherwise.

    Args:
        path: The file.

    Raises:
        UsageError: It is a folder, or its folder is missing.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")


def write_output(path: Path, text: str) -> None:
    """Write a file that a person asked for: as a whole where it is a file, to a device or a pipe as it comes.

    Args:
        path: The file.
        text: What it is to have, written as UTF-8.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        # What a link leads to is written, and the link stays; a device such as /dev/stdout must not be replaced by a file.
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        else:
            write_atomically(path.resolve(), text)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def write_atomically(path: Path, text: str) -> None:
    """Write a file as a whole: whoever reads it meanwhile sees the old one, or the new one.

    Args:
        path: The file; its folder exists.
        text: What it is to have, written as UTF-8.

    Raises:
        OSError: It cannot be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        # As any other file that a program makes, and not for one's own eyes only.
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o666 & ~mask)
        made.replace(path)
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise
