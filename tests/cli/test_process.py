"""The command as a process of its own: start, end, and what interrupts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: ask
version: 0.1.0
agent:
  model: extractive
  instructions: Answer from the documents.
  tools:
    - use: search_documents
      with: {folder: .}
"""

COMMAND = [sys.executable, "-m", "agent_factory.cli"]


def environment(**more: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)} | more


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    (tmp_path / "notes.md").write_text("# Notes\n\nRivers run to the sea.\n", encoding="utf-8")
    file = tmp_path / "ask.yaml"
    file.write_text(BLUEPRINT, encoding="utf-8")
    return file


def test_the_version_is_printed() -> None:
    done = subprocess.run(
        [*COMMAND, "--version"], check=False, env=environment(), capture_output=True, text=True
    )

    assert done.returncode == 0
    assert done.stdout.startswith("agent-factory ")


def test_no_command_shows_the_help() -> None:
    done = subprocess.run(COMMAND, check=False, env=environment(), capture_output=True, text=True)

    assert "Usage:" in done.stdout + done.stderr
    assert done.returncode == 2


def test_a_reader_that_has_gone_is_no_traceback(blueprint: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*COMMAND, "run", str(blueprint), "--json", "Where do rivers run?"],
            check=False,
            env=environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(write)

    assert done.returncode == 1
    assert done.stderr == ""


def test_a_terminal_without_unicode_gets_the_answer(blueprint: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "run", str(blueprint), "Where do rivers run?"],
        check=False,
        env=environment(LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii"),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "Rivers run to the sea." in done.stdout


def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "ask.yaml"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [*COMMAND, "run", str(fifo), "Where do rivers run?"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        writer = wait_for_reader(fifo, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        os.close(writer)
    finally:
        process.kill()

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors


def wait_for_reader(fifo: Path, process: subprocess.Popen[str]) -> int:
    """Return the open pipe once the command waits for its blueprint at the other end."""
    while process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    raise AssertionError(process.communicate()[1])
