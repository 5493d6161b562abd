"""Starts a server and sees to it that nothing of it outlives whoever asked for it. Run as a program of its own.

``python supervisor.py LIFELINE FOLDER HOME PROGRAM NAME ARGUMENT...``

``LIFELINE`` and ``FOLDER`` are descriptors: of a pipe that whoever asked holds the other end of, and of the folder to start
in; ``HOME`` is the server's own folder, which is removed at the end. When the pipe closes, which it also does when its
holder is killed, or when the server ends, whatever the server has started is ended too. On Linux that holds for programs
that left its process group as well: they become children of this one.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress

__all__ = ["main"]

GRACE_SECONDS = 0.25
_KILL_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Start the server, wait for its end or for that of the lifeline, and end what is left.

    Args:
        arguments: Two descriptors, two paths, and what the program is to be called with.

    Returns:
        The status to end with, as a shell would give it.
    """
    lifeline, folder = int(arguments[0]), int(arguments[1])
    home, program, command = arguments[2], arguments[3], arguments[4:]
    for descriptor in (lifeline, folder):
        os.set_inheritable(descriptor, False)
    _set_process_option(_PR_SET_CHILD_SUBREAPER, 1)
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ended: dict[int, int] = {}
    server = os.fork()
    if server == 0:
        _become(program, command, folder)
    # Nothing here may hold the server's pipes open.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    while _reap(ended) and server not in ended:
        ready, _, _ = select.select([lifeline, wake_reader], [], [])
        if lifeline in ready:
            break
        os.read(wake_reader, 512)
    _end(server, ended)
    shutil.rmtree(home, ignore_errors=True)
    return os.waitstatus_to_exitcode(ended.get(server, 0)) & 0xFF


def _become(program: str, command: list[str], folder: int) -> None:
    """Turn this new process into the server. Never returns."""
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # What Python ignores would stay ignored.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _set_process_option(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.fchdir(folder)
        os.execve(program, command, os.environ)  # noqa: S606 - no shell on purpose  # nosec B606
    except OSError as error:
        os.write(2, f"the program cannot be started: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _set_process_option(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _reap(ended: dict[int, int]) -> bool:
    """Take note of the children that have ended, and return whether there are others."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if child == 0:
            return True
        ended[child] = status


def _end(server: int, ended: dict[int, int]) -> None:
    """End what is left: first with a word, then without."""
    _kill_group(server, signal.SIGTERM)
    limit = time.monotonic() + GRACE_SECONDS
    while _reap(ended) and time.monotonic() < limit:
        time.sleep(0.01)
    limit = time.monotonic() + _KILL_SECONDS
    _kill_group(server, signal.SIGKILL)
    while _reap(ended) and time.monotonic() < limit:
        for child in _find_children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def _kill_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _find_children() -> list[int]:
    """Return the processes whose parent is this one; on systems without ``/proc``, none."""
    me, children = b"%d" % os.getpid(), []
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - this program imports as little as it can
    except OSError:
        return []
    for name in names:
        if name.isdecimal():
            with suppress(OSError):
                # The name of the program, in parentheses, may have anything in it.
                if _read(f"/proc/{name}/stat").rpartition(b")")[2].split()[1] == me:
                    children.append(int(name))
    return children


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
