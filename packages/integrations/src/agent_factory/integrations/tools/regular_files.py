"""Regular files: what is one, what is in it, and what is told when the system says no."""

from __future__ import annotations

import errno
import os
import stat

from agent_factory.core.exceptions import ToolError

__all__ = ["check_regular", "explain", "read_bounded"]

_CHUNK = 1 << 16


def check_regular(path: str, status: os.stat_result) -> None:
    """Make sure that something is a regular file.

    Args:
        path: Its path for messages.
        status: What the system says about it.

    Raises:
        ToolError: It is something else.
    """
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISLNK(status.st_mode):
        raise ToolError(f"{path!r} is a link, and links are not followed: give the file's own path")
    if stat.S_ISDIR(status.st_mode):
        raise ToolError(f"{path!r} is a folder: give the path of a file in it")
    raise ToolError(f"{path!r} is a pipe, a socket or a device: only regular files can be used")


def read_bounded(descriptor: int, path: str, size: int, max_bytes: int) -> bytes:
    """Return the content of an open file.

    Args:
        descriptor: Its file descriptor.
        path: Its path for messages.
        size: The size that the system says it has, in bytes.
        max_bytes: The largest size to accept, in bytes.

    Raises:
        ToolError: It is larger.
    """
    too_large = ToolError(
        f"{path!r} is larger than {max_bytes} bytes, the most that may be read: choose another file"
    )
    if size > max_bytes:
        raise too_large
    content = bytearray()
    while chunk := os.read(descriptor, _CHUNK):
        content += chunk
        # The size of a file that is written to, or below /proc, says nothing.
        if len(content) > max_bytes:
            raise too_large
    return bytes(content)


def explain(path: str, error: OSError) -> ToolError:
    """Return what the model is told about an error of the system.

    Args:
        path: The path that it gave.
        error: The error.
    """
    if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
        return ToolError(f"there is no file {path!r}: list the files, or correct the path")
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return ToolError(
            f"{path!r} goes through a link or through something that is no folder: links are not followed, "
            "so give the file's own path"
        )
    return ToolError(f"{path!r} cannot be used: {error.strerror}")
