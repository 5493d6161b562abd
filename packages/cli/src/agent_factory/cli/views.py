"""How a run is shown: to a person on a terminal, or to a machine as JSON Lines."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape

from agent_factory.core import (
    GuardrailChecked,
    HandedOff,
    ModelAnswered,
    ModelRequested,
    ModelRetried,
    OutputRejected,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolRetried,
    ToolStarted,
)
from agent_factory.core.records import event_to_dict

if TYPE_CHECKING:
    from rich.status import Status

    from agent_factory.core import AgentFactoryError, RunEvent, ToolCall
    from agent_factory.core.blueprints import Blueprint

__all__ = ["JsonView", "TerminalView", "View"]


class View(Protocol):
    """Shows a run."""

    def show_start(self, blueprint: Blueprint) -> None:
        """Show that a blueprint is about to run."""
        ...

    def show_event(self, event: RunEvent[Any]) -> None:
        """Show an event of the run."""
        ...

    def show_error(self, error: AgentFactoryError) -> None:
        """Show why there is no answer."""
        ...

    def show_interrupted(self) -> None:
        """Show that a person ended the run."""
        ...


class JsonView:
    """Prints every event as one line of JSON on standard output.

    Each line has a ``type``; the last is ``run_finished``, ``error`` or ``interrupted``.
    """

    def show_start(self, blueprint: Blueprint) -> None:
        """Print the blueprint's name and version."""
        self._print({"type": "blueprint", "name": blueprint.name, "version": blueprint.version})

    def show_event(self, event: RunEvent[Any]) -> None:
        """Print an event as its record."""
        self._print(event_to_dict(event))

    def show_error(self, error: AgentFactoryError) -> None:
        """Print an error."""
        self._print({"type": "error", **error.to_dict()})

    def show_interrupted(self) -> None:
        """Print that a person ended the run."""
        self._print({"type": "interrupted"})

    def _print(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False)
        sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


class TerminalView:
    """Shows progress on standard error, and the answer on standard output.

    Args:
        quiet: Whether to leave the progress out.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet
        self._status: Status | None = None
        self._received = 0
        self._started: dict[str, float] = {}

    def show_start(self, blueprint: Blueprint) -> None:
        """Show the blueprint's name and version."""
        self._say(f"[bold]{escape(blueprint.name)}[/] {escape(blueprint.version)}")

    def show_event(self, event: RunEvent[Any]) -> None:
        """Show an event."""
        match event:
            case RunStarted():
                self._say(f"[dim]model[/] {escape(_clean(event.model))}")
            case ModelRequested():
                self._received = 0
                self._wait("the model is thinking")
            case TextReceived():
                self._received += len(event.text)
                self._wait(f"the model is writing ({self._received} characters)")
            case ModelAnswered():
                self._stop_waiting()
                if event.message.tool_calls and event.message.text.strip():
                    self._say(f"[dim]{escape(_clean(event.message.text.strip()))}[/]")
            case ToolStarted():
                self._started[event.call.id] = time.monotonic()
                self._show_call(event.call)
                self._wait("tools are running")
            case ToolFinished():
                self._stop_waiting()
                self._show_tool_result(event)
            case OutputRejected() | ModelRetried() | ToolRetried():
                self._say(f"[yellow]![/] {escape(_shorten(event.reason, 200))}")
            case GuardrailChecked() if event.decision != "allow":
                said = _shorten(f"{event.guardrail}: {event.decision}, {event.reason}", 200)
                self._say(f"[yellow]![/] {escape(said)}")
            case HandedOff():
                self._say(f"[cyan]→[/] {escape(_clean(event.to))} [dim]goes on[/]")
            case RunFailed():
                self._stop_waiting()
            case RunFinished():
                self._stop_waiting()
                usage = event.result.usage
                tokens = usage.input_tokens + usage.output_tokens
                self._say(
                    f"[green]✓[/] [dim]{_count(usage.requests, 'model call')}, "
                    f"{_count(usage.tool_calls, 'tool call')}, {_count(tokens, 'token')}[/]"
                )
                _write(str(event.result.output))

    def show_error(self, error: AgentFactoryError) -> None:
        """Show an error; also when quiet."""
        self._stop_waiting()
        self._console.print(f"[bold red]error:[/] {escape(_clean(str(error)))}")

    def show_interrupted(self) -> None:
        """Show that a person ended the run; also when quiet."""
        self._stop_waiting()
        self._console.print("[yellow]interrupted[/]: the run was stopped before it had an answer")

    def _show_call(self, call: ToolCall) -> None:
        arguments = _shorten(call.arguments, 100)
        self._say(f"[cyan]→[/] {escape(_clean(call.name))} [dim]{escape(arguments)}[/]")

    def _show_tool_result(self, event: ToolFinished) -> None:
        if event.call.id not in self._started:  # it was refused before it could begin
            self._show_call(event.call)
        took = time.monotonic() - self._started.pop(event.call.id, time.monotonic())
        name = escape(_clean(event.call.name))
        if event.is_error:
            self._say(f"[red]✗[/] {name} [dim]{escape(_shorten(event.content, 200))}[/]")
        else:
            size = _count(len(event.content), "character")
            self._say(f"[green]✓[/] {name} [dim]{size}, {took:.2f} s[/]")

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text)

    def _wait(self, text: str) -> None:
        if self._quiet or not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _stop_waiting(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _write(text: str) -> None:
    """Print the answer; a terminal gets no control characters from it, a file gets it as it is."""
    shown = _clean(text) if sys.stdout.isatty() else text
    sys.stdout.buffer.write(shown.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def _shorten(text: str, length: int) -> str:
    line = " ".join(_clean(text).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
