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
permissions:
  models: [extractive]
  tools: [search_documents]
  files: {read: [.]}
"""

KEPT = ("PATH", "HOME", "LANG", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
COMMAND = [sys.executable, "-m", "agent_factory.cli"]


def environment(**more: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
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


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_signal_ends_the_process_with_its_code_and_without_a_traceback(
    sent: signal.Signals, code: int, said: str, tmp_path: Path, blueprint: Path
) -> None:
    fifo = tmp_path / "config.toml"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [*COMMAND, "run", str(blueprint), "Where do rivers run?"],
        env=environment(AGENT_FACTORY_CONFIG=str(fifo)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        writer = wait_for_reader(fifo, process)
        errors = end(process, sent)
        os.close(writer)
    finally:
        process.kill()

    assert process.returncode == code
    assert "Traceback" not in errors
    assert said in errors


def end(process: subprocess.Popen[str], sent: signal.Signals) -> str:
    """Send a signal until the process has ended: one can come right before Python begins to wait, and is seen after it."""
    for _ in range(10):
        process.send_signal(sent)
        try:
            return process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the process goes on in spite of signals")


def test_help_imports_no_command_and_nothing_that_is_slow() -> None:
    program = """
import sys
from agent_factory.cli.main import main
sys.argv = ["agent-factory", "--help"]
try:
    main()
except SystemExit as end:
    assert end.code == 0
slow = ("agent_factory.core", "agent_factory.cli.commands", "pydantic", "rich.console", "asyncio")
sys.exit(str([name for name in slow if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment(),
        capture_output=True,
        text=True,
    )

    assert done.stderr == "[]\n"
    assert "run " in done.stdout


def test_disk_that_is_full_is_an_error_and_no_traceback() -> None:
    full = "/dev/full"
    if not os.path.exists(full):
        pytest.skip("there is no /dev/full on this system")
    with open(full, "w") as output:
        done = subprocess.run(
            [*COMMAND, "config", "path"],
            check=False,
            env=environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("error: the output cannot be written: No space left")
    assert "Traceback" not in done.stderr


def wait_for_reader(fifo: Path, process: subprocess.Popen[str]) -> int:
    """Return the open pipe once the command waits for its settings at the other end."""
    while process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    raise AssertionError(process.communicate()[1])


def test_streams_that_the_caller_has_closed_are_no_defect(blueprint: Path) -> None:
    command = f'exec "$0" -m agent_factory.cli run {blueprint} <&- >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], check=False, env=environment(), text=True
    )

    assert done.returncode == 2
