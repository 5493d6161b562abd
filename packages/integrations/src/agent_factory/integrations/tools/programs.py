"""Which programs a command may be, and which arguments it may have."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SEARCH_PATH",
    "Program",
    "check_arguments",
    "find_program",
    "is_interpreter",
    "refuse_interpreter",
]

SEARCH_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/opt/homebrew/bin")
"""Where programs are looked for; never in the current folder, nor where ``PATH`` leads."""

MAX_ARGUMENTS = 200
MAX_ARGUMENT_BYTES = 1 << 15

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_VERSION = re.compile(r"[-.]?\d[\d.]*(?:-\w+)?")
# What runs code or other programs that its arguments name: permitting it permits everything.
_INTERPRETERS = frozenset(
    "sh bash dash zsh ksh mksh fish csh tcsh rbash ash busybox toybox pwsh powershell "
    "python pypy ipython perl ruby irb node nodejs deno bun php lua luajit tclsh wish guile racket sbcl "
    "julia R Rscript osascript java jshell groovy scala kotlin swift erl elixir iex ghci ocaml m4 "
    "awk gawk mawk nawk original-awk ed ex vi vim vim.basic vim.tiny nvim emacs gdb lldb expect script "
    "env xargs parallel find sudo su doas runuser setpriv pkexec chroot unshare nsenter bwrap firejail setarch "
    "ssh scp sftp rsync mosh telnet nc ncat netcat socat nohup setsid nice ionice timeout time stdbuf watch "
    "strace ltrace flock at batch crontab systemd-run systemctl screen tmux start-stop-daemon run-parts "
    "make gmake cmake ninja docker podman kubectl npm npx yarn pnpm pip pipx uv uvx cargo go mvn gradle "
    "less more man ld.so ld-linux capsh eval exec command".lower().split()
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that may be run.

    Attributes:
        name: Its name.
        path: Where it really is.
        beginnings: What its arguments may begin with; anything if empty.
    """

    name: str
    path: Path
    beginnings: tuple[tuple[str, ...], ...] = ()


def find_program(
    name: str,
    beginnings: Sequence[Sequence[str]] = (),
    *,
    allow_interpreters: bool = False,
    search: Sequence[str] = SEARCH_PATH,
) -> Program:
    """Find a program by its name, once, where nobody but the system and this user can put one.

    Args:
        name: Its name, without a path.
        beginnings: What its arguments may begin with; anything if empty.
        allow_interpreters: Whether it may be one that runs other programs or code, such as a shell.
        search: The folders to look in.

    Raises:
        ConfigurationError: There is none, others can change it, or it runs other programs.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name of a program: give a name without a path, such as 'git'"
        )
    for folder in search:
        path = Path(os.path.realpath(Path(folder, name)))
        if path.is_file() and os.access(path, os.X_OK):
            break
    else:
        raise ConfigurationError(
            f"there is no program {name!r} in {', '.join(search)}: install it, or correct the name"
        )
    if not allow_interpreters:
        for known in (name, path.name):
            refuse_interpreter(known)
    _check_owners(name, path)
    return Program(name, path, tuple(tuple(item) for item in beginnings))


def refuse_interpreter(name: str) -> None:
    """Make sure that a program does not run code or other programs that its arguments name.

    Args:
        name: Name of the program.

    Raises:
        ConfigurationError: It does.
    """
    if is_interpreter(name):
        raise ConfigurationError(
            f"the program {name!r} runs code or other programs that its arguments name, so permitting it permits "
            "everything: use another, or set 'allow_interpreters: true'"
        )


def is_interpreter(name: str) -> bool:
    """Return whether a program of that name is known to run code or other programs that its arguments name.

    Args:
        name: The name, with or without a version.
    """
    lower = name.lower().removesuffix(".exe")
    return lower in _INTERPRETERS or _VERSION.sub("", lower) in _INTERPRETERS


def check_arguments(program: Program, arguments: Sequence[str]) -> None:
    """Make sure that a program may get some arguments.

    Args:
        program: The program.
        arguments: The arguments, without the program's name.

    Raises:
        ToolError: They do not begin as they have to, or are too many, too long or not valid.
    """
    if len(arguments) > MAX_ARGUMENTS:
        raise ToolError(
            f"{len(arguments)} arguments were given: at most {MAX_ARGUMENTS} are allowed"
        )
    try:
        size = sum(len(argument.encode()) + 1 for argument in arguments)
    except UnicodeEncodeError:
        raise ToolError("an argument has half a character in it") from None
    if size > MAX_ARGUMENT_BYTES:
        raise ToolError(
            f"the arguments have {size} bytes: at most {MAX_ARGUMENT_BYTES} are allowed"
        )
    if any("\0" in argument for argument in arguments):
        raise ToolError("an argument has a NUL in it, which no program can get")
    if program.beginnings and not any(
        tuple(arguments[: len(beginning)]) == beginning for beginning in program.beginnings
    ):
        allowed = ", ".join(repr(" ".join(item)) for item in program.beginnings)
        raise ToolError(f"the arguments of {program.name!r} have to begin with one of: {allowed}")


def _check_owners(name: str, path: Path) -> None:
    """Refuse a program that somebody else than root and this user could replace."""
    for place in (path, *path.parents):
        status = place.stat()
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        # In a sticky folder, only owners can rename and remove.
        if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
            writable = 0
        # The group of root is as trusted as root; so is "admin" on macOS, which owns the folders of Homebrew.
        trusted = (0, 80) if sys.platform == "darwin" else (0,)
        if status.st_gid in trusted and not status.st_mode & stat.S_IWOTH:
            writable = 0
        if writable or status.st_uid not in (0, os.getuid()):
            raise ConfigurationError(
                f"the program {name!r} is not safe to run: others can change {str(place)!r}: correct its owner and mode"
            )
