"""A conversation with a program: a prompt a line in, events as JSON Lines out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent_factory.cli.ending import show_error
from agent_factory.cli.exceptions import UsageError
from agent_factory.core.exceptions import AgentFactoryError

if TYPE_CHECKING:
    from agent_factory.cli.chat.conversation import Conversation
    from agent_factory.cli.invocation import Invocation

__all__ = ["JsonDialogue"]

MAX_LINE_BYTES = 4 << 20


class JsonDialogue:
    """Takes a prompt from each line of standard input, and answers it before it reads the next.

    Args:
        conversation: The conversation.
        invocation: How the command was called.
    """

    def __init__(self, conversation: Conversation, invocation: Invocation) -> None:
        self._conversation = conversation
        self._invocation = invocation

    def run(self) -> int:
        """Answer until the input ends.

        Returns:
            The exit code: 1 where a turn failed, after which the conversation went on.

        Raises:
            UsageError: A line is not UTF-8, or longer than 4 MiB.
            KeyboardInterrupt: A person ended it.
        """
        failed = False
        number = 0
        while line := sys.stdin.buffer.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise UsageError(f"line {number} of standard input is longer than 4 MiB")
            try:
                prompt = line.decode().strip()
            except UnicodeDecodeError as error:
                raise UsageError(
                    f"line {number} of standard input is not UTF-8 at byte {error.start}"
                ) from None
            if not prompt:
                continue
            try:
                self._conversation.answer(prompt)
            except AgentFactoryError as error:
                failed = True
                show_error(error.to_dict(), self._invocation, str(error))
        return int(failed)
