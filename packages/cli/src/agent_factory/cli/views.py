"""How a run is shown: to a person on a terminal, or to a machine as JSON Lines."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape

from agent_factory.cli.denials import describe_denial, render_denial
from agent_factory.cli.invocation import print_json
from agent_factory.cli.text import clean, count, format_cost, shorten
from agent_factory.core.events import (
    ApprovalDecided,
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

    from agent_factory.cli.invocation import Invocation
    from agent_factory.core.events import RunEvent
    from agent_factory.core.messages import ToolCall
    from agent_factory.core.permissions import Denial

__all__ = ["JsonView", "TerminalView", "View", "create_view"]


class View(Protocol):
    """Shows a run."""

    def show_start(self, name: str, version: str) -> None:
        """Show that a blueprint is about to run."""
        ...

    def show_event(self, event: RunEvent[Any]) -> None:
        """Show an event of the run."""
        ...

    def show_denied(self, denial: Denial) -> None:
        """Show that the blueprint was refused something; from any thread."""
        ...

    def show_stopped(self) -> None:
        """Show what had been done when a person stopped the run."""
        ...

    def pause(self) -> None:
        """Take away what moves, so that something else can be shown."""
        ...


class JsonView:
    """Prints every event as one line of JSON on standard output, each with a ``type``."""

    def show_start(self, name: str, version: str) -> None:
        """Print the blueprint's name and version."""
        print_json({"type": "blueprint", "name": name, "version": version})

    def show_event(self, event: RunEvent[Any]) -> None:
        """Print an event as its record."""
        print_json(event_to_dict(event))

    def show_denied(self, denial: Denial) -> None:
        """Print what was refused."""
        print_json(describe_denial(denial))

    def show_stopped(self) -> None:
        """Do nothing: the events say what had been done."""

    def pause(self) -> None:
        """Do nothing: nothing moves."""


class TerminalView:
    """Shows progress on standard error, and the answer on standard output.

    Args:
        invocation: How the command was called.
        currency: The unit of what runs cost.
        streaming: Whether the model's text is shown as it arrives, and not only when it is the answer.
    """

    def __init__(
        self, invocation: Invocation, *, currency: str = "USD", streaming: bool = False
    ) -> None:
        colored = invocation.uses_color(sys.stderr)
        self._console = Console(
            stderr=True,
            highlight=False,
            soft_wrap=True,
            force_terminal=colored or None,
            color_system="auto" if colored else None,
        )
        self._quiet = invocation.quiet
        self._moves = sys.stderr.isatty() and not invocation.quiet
        self._currency = currency
        self._streaming = streaming
        self._status: Status | None = None
        self._text: list[str] = []
        self._received = 0
        self._line_is_open = False
        # By run too: agents side by side may have calls of the same identifier.
        self._started: dict[tuple[str, str], float] = {}
        self._model_calls = self._tool_calls = 0
        # The run that is shown; what runs within it has no answer of its own to print.
        self._outer = ""

    def show_start(self, name: str, version: str) -> None:
        """Show the blueprint's name and version."""
        self._say(f"[bold]{escape(clean(name))}[/] {escape(clean(version))}")

    def show_event(self, event: RunEvent[Any]) -> None:
        """Show an event."""
        match event:
            case RunStarted() if event.parent_run_id:
                self._say(
                    f"[bold]{escape(clean(event.agent))}[/] [dim]{escape(clean(event.model))}[/]"
                )
            case RunStarted():
                self._outer = event.run_id
                self._model_calls = self._tool_calls = 0
                if event.model:
                    self._say(f"[dim]model[/] {escape(clean(event.model))}")
            case ModelRequested():
                self._model_calls += 1
                self._received = 0
                self._text.clear()
                self._wait("the model is thinking")
            case TextReceived():
                self._receive(event.text)
            case ModelAnswered():
                self._answer(event)
            case ToolStarted():
                self._started[event.run_id, event.call.id] = time.monotonic()
                self._show_call(event.call)
                self._wait("tools are running")
            case ToolFinished():
                self._tool_calls += 1
                self.pause()
                self._show_tool_result(event)
            case OutputRejected() | ModelRetried() | ToolRetried():
                self._warn(event.reason)
            case GuardrailChecked() if event.decision != "allow":
                self._warn(f"{event.guardrail}: {event.decision}, {event.reason}")
            case ApprovalDecided() if event.approval is None or not event.approval.granted:
                self._warn(f"{event.request.tool} is not approved: {event.reason}")
            case HandedOff():
                self._say(f"[cyan]→[/] {escape(clean(event.to))} [dim]goes on[/]")
            case RunFailed():
                self.pause()
            case RunFinished() if event.run_id != self._outer:
                self.pause()
            case RunFinished():
                self._finish(event)

    def show_denied(self, denial: Denial) -> None:
        """Show what was refused, and what would permit it."""
        self._say(f"[yellow]![/] {escape(render_denial(denial))}")

    def show_stopped(self) -> None:
        """Show what had been done when a person stopped the run."""
        self.pause()
        done = f"{count(self._model_calls, 'model call')}, {count(self._tool_calls, 'tool call')}"
        self._say(f"[yellow]![/] stopped after {done}")

    def pause(self) -> None:
        """Take away the moving indicator, and end a line that is still open."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._line_is_open:
            self._line_is_open = False
            _write("\n")

    def _receive(self, text: str) -> None:
        self._received += len(text)
        if not self._streaming:
            self._wait(f"the model is writing ({self._received} characters)")
            return
        if not self._line_is_open:
            self.pause()
        self._text.append(text)
        _write(text)
        self._line_is_open = not text.endswith("\n")

    def _answer(self, event: ModelAnswered) -> None:
        self.pause()
        message = event.message
        if message.tool_calls and message.text.strip() and not self._streaming:
            self._say(f"[dim]{escape(clean(message.text.strip()))}[/]")

    def _finish(self, event: RunFinished[Any]) -> None:
        self.pause()
        usage = event.result.usage
        cost = f", {format_cost(usage.cost, self._currency)}" if usage.cost else ""
        answer = _render_answer(event)
        # An answer that was shown while it arrived is not shown twice, unless a guardrail changed it.
        if self._streaming and _flatten("".join(self._text)) != _flatten(answer):
            _write(answer + "\n")
        self._say(
            f"[green]✓[/] [dim]{count(usage.requests, 'model call')}, "
            f"{count(usage.tool_calls, 'tool call')}, {count(usage.tokens, 'token')}{cost}[/]"
        )
        if not self._streaming:
            _write(answer + "\n")

    def _show_call(self, call: ToolCall) -> None:
        arguments = shorten(call.arguments, 100)
        self._say(f"[cyan]→[/] {escape(clean(call.name))} [dim]{escape(arguments)}[/]")

    def _show_tool_result(self, event: ToolFinished) -> None:
        key = (event.run_id, event.call.id)
        if key not in self._started:  # it was refused before it could begin
            self._show_call(event.call)
        took = time.monotonic() - self._started.pop(key, time.monotonic())
        name = escape(clean(event.call.name))
        if event.is_error:
            self._say(f"[red]✗[/] {name} [dim]{escape(shorten(event.content, 200))}[/]")
        else:
            size = count(len(event.content), "character")
            self._say(f"[green]✓[/] {name} [dim]{size}, {took:.2f} s[/]")

    def _warn(self, text: str) -> None:
        self._say(f"[yellow]![/] {escape(shorten(text, 200))}")

    def _say(self, text: str) -> None:
        if self._line_is_open:
            self.pause()
        if not self._quiet:
            self._console.print(text)

    def _wait(self, text: str) -> None:
        if not self._moves or self._line_is_open:
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)


def create_view(invocation: Invocation, *, currency: str, streaming: bool = False) -> View:
    """Return what shows a run.

    Args:
        invocation: How the command was called.
        currency: The unit of what runs cost.
        streaming: Whether text is shown as it arrives.
    """
    if invocation.json:
        return JsonView()
    return TerminalView(invocation, currency=currency, streaming=streaming)


def _render_answer(event: RunFinished[Any]) -> str:
    """Return an answer as text: as it is, or as JSON where it is no text."""
    if isinstance(event.result.output, str):
        return event.result.output
    return json.dumps(event_to_dict(event)["output"], indent=2, ensure_ascii=False)


def _flatten(text: str) -> str:
    """Return a text in the one form that it has however it is laid out."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        return text.strip()


def _write(text: str) -> None:
    """Print some of an answer; a terminal gets no control characters from it, a file gets it as it is."""
    shown = clean(text) if sys.stdout.isatty() else text
    sys.stdout.flush()
    sys.stdout.buffer.write(shown.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
