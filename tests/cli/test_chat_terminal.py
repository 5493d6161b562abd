"""`agent-factory chat` at a terminal: typing, approvals, and Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pty = pytest.importorskip("pty")

PROGRAM = """
import math
import agent_factory.cli.assembly as assembly
from agent_factory.cli.main import main
from agent_factory.core import tool
from agent_factory.core.models import TextDelta
from agent_factory.core.testing import ScriptedModel, ScriptedStream, create_tool_call
from tests.cli.clerks import create_clerk

@tool(needs_approval=True)
def wipe(path: str) -> str:
    '''Wipes a path.

    Args:
        path: The path.
    '''
    return "wiped"

model = ScriptedModel([ANSWERS])
blueprint = create_clerk(model, [wipe])
assembly.assemble = lambda *_, **__: blueprint
main()
"""

CALL = "create_tool_call('wipe', {'path': '/a'})"
ENDLESS = "ScriptedStream([TextDelta('I begin '), TextDelta('to write')], delay=math.inf)"
SECONDS = 60


class Screen:
    """A program at a terminal of its own.

    Args:
        arguments: The program and its arguments.
        environment: Its environment.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.shown = ""
        self._seen = 0
        self.process, self._terminal = pty.fork()
        if not self.process:
            os.execve(arguments[0], arguments, environment)  # noqa: S606

    def expect(self, text: str, *, again: str = "") -> None:
        """Wait until a text appears after the last one that was expected.

        Args:
            text: The text.
            again: What is typed again each second: Python sees a signal late that comes right before it begins to wait.
        """
        while text not in self.shown[self._seen :]:
            assert self._read(again), f"it ended, and {text!r} was not shown:\n{self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Wait for the end of the program, and return its exit code."""
        while self._read():
            continue
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def close(self) -> None:
        """End the program, if it has not ended."""
        os.close(self._terminal)
        try:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        except (ProcessLookupError, ChildProcessError):
            return

    def _read(self, again: str = "") -> bool:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if select.select([self._terminal], [], [], 1)[0]:
                try:
                    data = os.read(self._terminal, 65536)
                except OSError:  # what Linux says where the other side has gone
                    return False
                self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
                return bool(data)
            self.type(again)
        raise AssertionError(f"nothing happens any more:\n{self.shown}")


@pytest.fixture
def screens() -> Iterator[list[Screen]]:
    opened: list[Screen] = []
    yield opened
    for screen in opened:
        screen.close()


def chat(screens: list[Screen], tmp_path: Path, *answers: str, options: str = "") -> Screen:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.replace("ANSWERS", ", ".join(answers)), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TERM": "xterm",
        "NO_COLOR": "1",
    }
    arguments = [sys.executable, str(file), "chat", "clerk.yaml", *options.split()]
    screen = Screen(arguments, environment)
    screens.append(screen)
    screen.expect("> ")
    return screen


def test_call_runs_once_a_person_has_said_yes_and_not_before(
    screens: list[Screen], tmp_path: Path
) -> None:
    screen = chat(screens, tmp_path, CALL, "'All gone.'")

    screen.type("wipe it\n")
    screen.expect("Approve this call? [y/N] ")
    assert '"path": "/a"' in screen.shown
    assert "✓ wipe" not in screen.shown
    screen.type("y\n")
    screen.expect("✓ wipe")
    screen.expect("All gone.")
    screen.expect("> ")
    screen.type("\x04")

    assert screen.end() == 0


def test_what_was_typed_before_the_question_approves_nothing(
    screens: list[Screen], tmp_path: Path
) -> None:
    screen = chat(screens, tmp_path, CALL, "'Nothing gone.'")

    screen.type("wipe it\ny\ny\n")
    screen.expect("Approve this call? [y/N] ")
    screen.type("\n")
    screen.expect("✗ wipe")
    screen.expect("> ")
    screen.type("/exit\n")

    assert screen.end() == 0


@pytest.mark.parametrize(
    ("answer", "shown"), [(ENDLESS, "to write"), (CALL, "Approve this call? [y/N] ")]
)
def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(
    answer: str, shown: str, screens: list[Screen], tmp_path: Path
) -> None:
    screen = chat(screens, tmp_path, answer, "'Here I am.'")

    screen.type("go\n")
    screen.expect(shown)
    screen.type("\x03")
    screen.expect("stopped after 1 model call")
    screen.expect("> ")
    screen.type("/history\n")
    screen.expect("Nothing was said yet.")
    screen.expect("> ")
    screen.type("again\n")
    screen.expect("Here I am.")
    screen.expect("> ")
    screen.type("\x03")
    screen.expect("> ", again="\x03")
    screen.type("\x04")

    assert screen.end() == 0
    assert "Traceback" not in screen.shown


def test_sigterm_ends_a_conversation_in_the_middle_of_an_answer(
    screens: list[Screen], tmp_path: Path
) -> None:
    screen = chat(screens, tmp_path, ENDLESS)

    screen.type("go\n")
    screen.expect("to write")
    os.kill(screen.process, signal.SIGTERM)

    assert screen.end() == 143
    assert "terminated" in screen.shown
    assert "Traceback" not in screen.shown


def test_no_escape_of_a_model_reaches_the_terminal(screens: list[Screen], tmp_path: Path) -> None:
    screen = chat(screens, tmp_path, r"'a\x1b]0;title\x07b\x9b2Jc'", options="--quiet")
    before = len(screen.shown)

    screen.type("go\n")
    screen.expect("b\ufffd2Jc")
    screen.expect("> ")
    screen.type("/exit\n")

    assert screen.end() == 0
    assert "\x1b]" not in screen.shown[before:]
    assert "\x07" not in screen.shown[before:]


def test_lines_are_kept_for_the_next_time_and_for_nobody_else(
    screens: list[Screen], tmp_path: Path, home: Path
) -> None:
    pytest.importorskip("readline")
    screen = chat(screens, tmp_path, "'One.'")
    screen.type("what I typed\n")
    screen.expect("One.")
    screen.expect("> ")
    screen.type("/exit\n")
    assert screen.end() == 0

    file = home / "state/agent-factory/chat_history"
    assert "what I typed" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    again = chat(screens, tmp_path, "'One.'")
    again.type("\x1b[A\x1b[A")
    again.expect("what I typed")
    again.type("\x15/exit\n")
    assert again.end() == 0
