"""A conversation with a person at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent_factory.cli.chat.commands import COMMANDS, run_command
from agent_factory.cli.ending import show_error
from agent_factory.cli.invocation import print_text
from agent_factory.cli.signals import Termination
from agent_factory.core.exceptions import AgentFactoryError

if TYPE_CHECKING:
    from agent_factory.cli.chat.conversation import Conversation
    from agent_factory.cli.chat.editing import LineEditor
    from agent_factory.cli.invocation import Invocation
    from agent_factory.cli.views import View

__all__ = ["Dialogue", "list_words"]

_PROMPT = "> "


class Dialogue:
    """Reads what a person types, lets the agent answer, and goes on until the person ends it.

    Args:
        conversation: The conversation.
        editor: Reads what the person types.
        view: Shows what happens.
        invocation: How the command was called.
    """

    def __init__(
        self,
        conversation: Conversation,
        editor: LineEditor,
        view: View,
        invocation: Invocation,
    ) -> None:
        self._conversation = conversation
        self._editor = editor
        self._view = view
        self._invocation = invocation

    def run(self) -> None:
        """Talk until the person ends it with ``/exit`` or Ctrl-D.

        Raises:
            KeyboardInterrupt: The process was asked to end.
        """
        blueprint = self._conversation.blueprint
        self._view.show_start(blueprint.name, blueprint.version)
        if not self._invocation.quiet:
            print_text(
                "Type a message. /help lists commands, Ctrl-C stops an answer, Ctrl-D ends.",
                sys.stderr,
            )
        while True:
            try:
                line = self._editor.read(_PROMPT).strip()
            except EOFError:
                if sys.stdin.isatty():
                    print_text("")
                return
            except KeyboardInterrupt:
                if Termination.requested:
                    raise
                # What was typed is dropped, as in a shell.
                print_text("")
                continue
            if not line:
                continue
            if line.startswith("/"):
                if run_command(line, self._conversation) == "exit":
                    return
                continue
            self._answer(line)

    def _answer(self, prompt: str) -> None:
        try:
            self._conversation.answer(prompt)
        except AgentFactoryError as error:
            show_error(error.to_dict(), self._invocation, str(error))
        except KeyboardInterrupt:
            self._view.show_stopped()
            if Termination.requested:
                raise
            self._invocation.note("this turn is no part of the conversation")


def list_words() -> tuple[str, ...]:
    """Return what Tab completes."""
    return tuple(name.partition(" ")[0] for name in COMMANDS)
