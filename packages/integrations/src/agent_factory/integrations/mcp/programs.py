"""Programs of MCP servers: found once, in places that no blueprint chooses, and started with little of what is around."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.permissions.manifest import Need
from agent_factory.core.permissions.roots import GrantedPath
from agent_factory.integrations.mcp.servers import StdioServer, read_values

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant

__all__ = ["Process", "find_program", "find_search_path", "start_program"]

_WAIT_SECONDS = 3.0


def find_search_path() -> tuple[str, ...]:
    """Return the folders that this process looks for programs in, without those that depend on where it runs."""
    listed = os.environ.get("PATH") or os.defpath
    return tuple(item for item in listed.split(os.pathsep) if item.startswith("/"))


def find_program(name: str, folder: Path, search_path: Sequence[str]) -> str:
    """Return the absolute path of a program.

    Args:
        name: A name, or a path with a ``/`` in it.
        folder: The folder that a relative path starts from.
        search_path: The folders in which names are looked for; relative ones are left out.

    Raises:
        ConfigurationError: There is no such program.
    """
    if "/" in name:
        places = [folder.absolute() / name]
    else:
        places = [Path(item) / name for item in search_path if item.startswith("/")]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return str(place)
    where = "there" if "/" in name else "in the search path"
    raise ConfigurationError(
        f"the program {name!r} of an MCP server is not {where}, or cannot be run: install it, or correct 'command'"
    )


class Process:
    """A server that runs, with its pipes. Its end is that of all that it has started.

    Args:
        process: The supervisor of the server.
        lifeline: The descriptor that keeps the server alive.
        home: The folder that is the server's own.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        lifeline: int,
        home: tempfile.TemporaryDirectory[str],
    ) -> None:
        self._process = process
        self._home = home
        self._cut = weakref.finalize(self, _close, lifeline)

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        """Standard input, output and error of the server."""
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("the process was started without pipes")
        return process.stdin, process.stdout, process.stderr

    def poll(self) -> int | None:
        """Return the status that the server ended with; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Have the server end, and all that it has started; returns at once."""
        self._cut()

    def finish(self) -> None:
        """Wait until the server has ended, and clean up. Blocks for a bounded time."""
        self.stop()
        try:
            self._process.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in self.pipes:
            with suppress(OSError):
                pipe.close()
        self._home.cleanup()


def start_program(
    server: StdioServer, program: str, grant: Grant, search_path: Sequence[str]
) -> Process:
    """Start a server.

    Args:
        server: The server.
        program: The path of its program.
        grant: What is permitted.
        search_path: The folders in which it finds programs itself.

    Raises:
        PermissionDeniedError: The program, the folder or a secret is not granted.
        ConfigurationError: A secret is not set.
        ToolError: It cannot be started.
    """
    grant.check(Need("commands", server.command[0]))
    values = read_values(server.environment, grant)
    place = None if server.folder is None else grant.get_path("read", server.folder)
    # Nothing of the user's own settings, keys and caches is where programs look for them.
    home = tempfile.TemporaryDirectory(prefix="agent-factory-mcp-", ignore_cleanup_errors=True)
    try:
        folder = os.open(home.name, os.O_RDONLY) if place is None else _open_folder(place)
    except OSError as error:
        home.cleanup()
        raise ToolError(
            f"the folder {server.folder!r} of an MCP server cannot be opened: {error.strerror}"
        ) from None
    environment = {
        "PATH": os.pathsep.join(search_path),
        "HOME": home.name,
        "LANG": "C.UTF-8",
        **values,
    }
    held, lifeline = os.pipe()
    try:
        process = _start([home.name, program, *server.command], environment, held, folder)
    except OSError as error:
        os.close(lifeline)
        home.cleanup()
        raise ToolError(f"an MCP server cannot be started: {error.strerror}") from None
    finally:
        os.close(held)
        os.close(folder)
    return Process(process, lifeline, home)


def _start(
    command: list[str], environment: Mapping[str, str], held: int, folder: int
) -> subprocess.Popen[bytes]:
    from agent_factory.integrations.mcp import supervisor

    return subprocess.Popen(
        # -I and -S: nothing from the environment or from site-packages is imported.
        [
            sys.executable,
            "-I",
            "-S",
            str(Path(supervisor.__file__)),
            str(held),
            str(folder),
            *command,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        pass_fds=(held, folder),
        bufsize=0,
        # Neither the terminal nor its Ctrl-C is the server's.
        start_new_session=True,
    )


def _open_folder(place: GrantedPath) -> int:
    """Open a granted folder by walking its names, without following a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    current = os.open(place.anchor, flags)
    for name in place.names:
        try:
            following = os.open(name, flags | os.O_NOFOLLOW, dir_fd=current)
        finally:
            os.close(current)
        current = following
    return current


def _close(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)
