"""Reading the files that belong to a blueprint: its prompts, its suites, its API documents."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from agent_factory.core.exceptions import ConfigurationError

__all__ = [
    "MAX_FILE_BYTES",
    "find_bundled_place",
    "read_blueprint_content",
    "read_bundled_file",
    "read_bundled_text",
]

MAX_FILE_BYTES = 4 << 20

_LINK = "it is a link, or goes through one or through something that is no folder, and links are not followed"


def read_bundled_file(folder: Path, path: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a file below the folder of a blueprint. No link is followed on the way.

    Args:
        folder: The folder of the blueprint.
        path: The file, with ``/`` between its names and without ``..``.
        max_bytes: The largest size to accept.

    Raises:
        ConfigurationError: There is no such file, it lies elsewhere, is no regular file, or is too large.
    """
    names = _split(path)
    place = -1
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for index, name in enumerate(names):
            last = index == len(names) - 1
            if last:
                # Opening a device can already do something, so look before.
                _check_regular(path, os.stat(name, dir_fd=place, follow_symlinks=False))
            # Not blocking: a pipe would wait for whoever writes to it.
            flags = os.O_NONBLOCK | os.O_NOCTTY if last else os.O_DIRECTORY
            below = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=place)
            os.close(place)
            place = below
        # What was opened counts: the name may stand for something else by now.
        _check_regular(path, os.fstat(place))
        content = bytearray()
        while chunk := os.read(place, 1 << 16):
            content += chunk
            if len(content) > max_bytes:
                raise ConfigurationError(
                    f"{path!r} has more than {max_bytes:,} bytes, which are the most"
                )
        return bytes(content)
    except (OSError, UnicodeError) as error:
        if isinstance(error, FileNotFoundError):
            reason = "there is no such file"
        elif isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.ENOTDIR):
            reason = _LINK
        elif isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        else:
            reason = "its name is no text"
        raise ConfigurationError(
            f"the file {path!r} of the blueprint cannot be read: {reason}"
        ) from None
    finally:
        if place >= 0:
            os.close(place)


def read_blueprint_content(file: Path, *, max_bytes: int) -> bytes:
    """Return the content of a blueprint file. It may be a link, but only to a file below the folder that it is in.

    Whoever names a blueprint of somebody else must not be shown a file of their own in its place.

    Args:
        file: The file.
        max_bytes: The largest size to accept.

    Raises:
        ConfigurationError: There is no such file, it leads elsewhere, is no regular file, or is too large.
    """
    try:
        folder = Path(os.path.realpath(file.parent))
        place = Path(os.path.realpath(file))
    except (OSError, ValueError):
        raise ConfigurationError(f"{str(file)!r} is no path") from None
    if not place.is_relative_to(folder) or place == folder:
        raise ConfigurationError(
            f"{str(file)!r} is a link to a file outside of its folder, and those are not followed: give the file's own path"
        )
    return read_bundled_file(folder, place.relative_to(folder).as_posix(), max_bytes=max_bytes)


def find_bundled_place(folder: Path, path: str) -> Path:
    """Return where a file below the folder of a blueprint is to be written. Nothing on the way is a link.

    Args:
        folder: The folder of the blueprint.
        path: The file, with ``/`` between its names and without ``..``. Neither it nor its folders have to be there.

    Raises:
        ConfigurationError: It lies elsewhere, goes through a link, or is there and no regular file.
    """
    place = folder
    names = _split(path)
    for index, name in enumerate(names):
        place = place / name
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            continue
        except (OSError, UnicodeError):
            raise ConfigurationError(
                f"the file {path!r} of the blueprint cannot be used: {_LINK}"
            ) from None
        wanted = stat.S_ISREG if index == len(names) - 1 else stat.S_ISDIR
        if not wanted(mode):
            reason = _LINK if stat.S_ISLNK(mode) else f"{name!r} is in the way"
            raise ConfigurationError(f"the file {path!r} of the blueprint cannot be used: {reason}")
    return place


def _split(path: str) -> list[str]:
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not names or path.startswith("/") or ".." in names or "\0" in path:
        raise ConfigurationError(f"{path!r} is no path below the folder of the blueprint")
    return names


def _check_regular(path: str, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    reason = _LINK if stat.S_ISLNK(status.st_mode) else "it is no regular file"
    raise ConfigurationError(f"the file {path!r} of the blueprint cannot be read: {reason}")


def read_bundled_text(folder: Path, path: str) -> str:
    r"""Return the text of a file below the folder of a blueprint, with ``\n`` at the end of every line.

    So it says the same to a model, and has the same digest, wherever it was checked out.

    Args:
        folder: The folder of the blueprint.
        path: The file, as `read_bundled_file` takes it.

    Raises:
        ConfigurationError: As `read_bundled_file`; also where it is empty or not UTF-8.
    """
    try:
        text = read_bundled_file(folder, path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"the file {path!r} of the blueprint is not UTF-8 at byte {error.start}: save it as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ConfigurationError(f"the file {path!r} of the blueprint is empty")
    return text
