"""Writing whole files below one folder, so that nobody sees half of one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.tools.regular_files import check_regular, explain
from agent_factory.integrations.tools.walking import open_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.integrations.tools.folders import Folder

__all__ = ["Written", "write_whole"]

Written: TypeAlias = Literal["created", "replaced", "unchanged"]
"""What became of a file."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)


def write_whole(
    folder: Folder, path: str, content: bytes, *, overwrite: bool, create_folders: bool
) -> Written:
    """Write a file as a whole: it has its old content or its new one, and nothing between.

    The content goes into a file of another name in the same folder, which then gets the right name. No link is followed. A
    file that has the content already is left as it is, so that the same call can be made again.

    Args:
        folder: Where to write; nothing outside it is touched.
        path: Path of the file, relative to the folder.
        content: Its whole content.
        overwrite: Whether a file that is there may be replaced.
        create_folders: Whether folders on the way that are missing are made.

    Returns:
        What became of the file.

    Raises:
        ToolError: The path leads out, the file is there and may not be replaced, or it cannot be written.
    """
    *folders, name = folder.split(path)
    try:
        parent = _open_parent(folder, folders, create_folders)
        try:
            return _write(parent, name, path, content, overwrite)
        finally:
            os.close(parent)
    except FileNotFoundError:
        raise ToolError(
            f"{path!r} cannot be written: its folder {'/'.join(folders)!r} is missing: choose a folder that is there"
        ) from None
    except OSError as error:
        raise explain(path, error) from None


def _open_parent(folder: Folder, names: Sequence[str], create: bool) -> int:
    if not create:
        return folder.open_below(names)
    descriptor = folder.open()
    for name in names:
        try:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=descriptor)
            inner = open_folder(name, descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _write(parent: int, name: str, path: str, content: bytes, overwrite: bool) -> Written:
    status = _look(parent, name)
    if status is not None:
        check_regular(path, status)
        if _has_content(parent, name, content):
            return "unchanged"
        if not overwrite:
            raise ToolError(
                f"there is a file {path!r} with another content, and it may not be replaced: choose another path"
            )
    temporary = f".agent-factory-{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666, dir_fd=parent)
    try:
        try:
            if status is not None:
                os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & 0o777)
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if status is None and not overwrite:
            _put_new(parent, temporary, name, path)
            return "created"
        os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        return "created" if status is None else "replaced"
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)


def _put_new(parent: int, temporary: str, name: str, path: str) -> None:
    """Give a file its name, unless something has taken that meanwhile."""
    try:
        try:
            os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links: take the name first, then put the content there.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o666, dir_fd=parent))
            os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except FileExistsError:
        raise ToolError(
            f"somebody else has just made a file {path!r}: choose another path"
        ) from None


def _look(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _has_content(parent: int, name: str, content: bytes) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=parent)
    except PermissionError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size != len(content):
            return False
        return file.read(len(content) + 1) == content


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
