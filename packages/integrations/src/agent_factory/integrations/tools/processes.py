"""Running a program to its end, or to the end of its time, with everything that it started."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.tools.process_plans import Ended
from agent_factory.integrations.tools.programs import SEARCH_PATH

if TYPE_CHECKING:
    import threading

    from agent_factory.integrations.tools.process_plans import ProcessPlan

__all__ = ["run_process"]

_LAUNCHER = Path(__file__).with_name("launch.py")
_GRACE = 0.5
_LOOK = 0.05
_CHUNK = 1 << 16


def run_process(plan: ProcessPlan, stop: threading.Event) -> Ended:
    """Run a program in a session of its own, and end what is left of it and its children afterwards.

    Args:
        plan: The program and what it gets.
        stop: Set by another thread to end it before its time.

    Raises:
        ToolError: It cannot be started, or cannot be confined.
    """
    home = tempfile.mkdtemp(prefix="agent-factory-")
    try:
        return _run(plan, stop, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(plan: ProcessPlan, stop: threading.Event, home: str) -> Ended:
    report_read, report_write = os.pipe()
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, report_read)
        with contextlib.ExitStack() as after_start:
            after_start.callback(os.close, report_write)
            given = after_start.enter_context(tempfile.TemporaryFile())
            given.write(plan.text)
            given.seek(0)
            process = _start(plan, home, report_write, given)
        closing.enter_context(process)
        if process.stdout is None or process.stderr is None:
            raise AssertionError("both outputs are pipes")
        watch = _Watch(process, plan.limits.output_bytes)
        try:
            timed_out = watch.wait(plan.limits.seconds, stop)
        finally:
            watch.end()
        # Only the launcher and what it could not become hold the other end, and both have ended.
        os.set_blocking(report_read, False)
        with contextlib.suppress(BlockingIOError):
            if reason := os.read(report_read, _CHUNK):
                raise ToolError(
                    f"the program could not be started: {reason.decode(errors='replace')}"
                )
        stdout, stderr = (bytes(kept) for kept in watch.kept)
        return Ended(process.returncode, stdout, stderr, watch.left_out, timed_out)


def _start(plan: ProcessPlan, home: str, report: int, given: BinaryIO) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": ":".join(SEARCH_PATH),
        "LANG": "C.UTF-8",
        **plan.environment,
        "HOME": home,
        "TMPDIR": home,
    }
    written = {
        "report": report,
        "cwd": plan.folder,
        "read": [*plan.read],
        "write": [*plan.write],
        "home": home,
        "environment": [*environment],
        "confined": plan.confined,
        "network": plan.network,
        "limits": plan.limits.to_resources(),
    }
    launcher = [sys.executable, "-I", "-S", "-X", "utf8", str(_LAUNCHER), json.dumps(written)]
    try:
        return subprocess.Popen(
            [*launcher, plan.program, *plan.arguments],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            pass_fds=tuple({report, plan.folder, *plan.read, *plan.write}),
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"the program could not be started: {error.strerror}") from None


class _Watch:
    """Reads what a process writes, until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], most: int) -> None:
        self.kept = (bytearray(), bytearray())
        self.left_out = 0
        self._process = process
        self._most = most
        self._selector = selectors.DefaultSelector()
        for pipe, kept in zip((process.stdout, process.stderr), self.kept, strict=True):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ, kept)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait until it ends by itself; returns whether its time was over before."""
        end = time.monotonic() + seconds
        while not self._has_ended():
            if stop.is_set() or time.monotonic() > end:
                self._signal(signal.SIGTERM)
                self._read_until(time.monotonic() + _GRACE)
                return True
            self._read(_LOOK)
        return False

    def end(self) -> None:
        """End it and all that is left of its group, and read what they have written."""
        # The process is not waited for yet, so no other group can have its number.
        self._signal(signal.SIGKILL)
        self._process.wait()
        end = time.monotonic() + _GRACE
        # One that went into a session of its own may hold the pipes open; nobody waits for it.
        while self._selector.get_map() and time.monotonic() < end:
            self._read(_LOOK)
        self._selector.close()

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read_until(self, end: float) -> None:
        while not self._has_ended() and time.monotonic() < end:
            self._read(_LOOK)

    def _read(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, _CHUNK)
            if not data:
                self._selector.unregister(key.fileobj)
            room = max(self._most - len(key.data), 0)
            key.data.extend(data[:room])
            self.left_out += max(len(data) - room, 0)
