"""The journal of tool calls that must take effect once.

Before such a call runs, the loop writes that it begins; afterwards, how it ended. A call that began and has no
end is one whose effect nobody knows, and it is never repeated by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from agent_factory.core.messages import ToolOutcome

__all__ = ["InMemoryJournal", "Journal", "JournalEntry"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One tool call on record.

    Attributes:
        key: Idempotency key of the call, unique for ever.
        run_id: Identifier of the run.
        tool: Name of the tool.
        arguments: The arguments as canonical JSON text.
        outcome: How it ended; None as long as it has not.
        content: What the tool said, as text, before guardrails looked at it; empty as long as it has not ended.
    """

    key: str
    run_id: str
    tool: str
    arguments: str
    outcome: ToolOutcome | None = None
    content: str = ""


@runtime_checkable
class Journal(Protocol):
    """Remembers tool calls. Safe to use by many runs at a time."""

    async def get(self, key: str) -> JournalEntry | None:
        """Return what is on record of a call, for who has to know before anybody is asked about it.

        That there is nothing does not mean that the call may run: only `begin` decides that.

        Args:
            key: Its idempotency key.

        Returns:
            The call, with its outcome if it has ended; None if it is not on record.
        """
        ...

    async def begin(self, entry: JournalEntry) -> JournalEntry | None:
        """Write that a call begins, unless one of its key is on record; both in one step.

        Args:
            entry: The call, without an outcome.

        Returns:
            What is on record of an earlier call of that key, else None: then, and only then, the call may run.
        """
        ...

    async def end(self, key: str, outcome: ToolOutcome, content: str) -> None:
        """Write how a call ended.

        Args:
            key: Its idempotency key.
            outcome: How it ended.
            content: What the tool said, as text.
        """
        ...


class InMemoryJournal:
    """A journal that lasts as long as the process.

    Attributes:
        entries: What is on record, by idempotency key, oldest first.
    """

    def __init__(self) -> None:
        self.entries: dict[str, JournalEntry] = {}

    async def get(self, key: str) -> JournalEntry | None:
        """Return what is on record of a call.

        Args:
            key: Its idempotency key.

        Returns:
            The call, with its outcome if it has ended; None if it is not on record.
        """
        return self.entries.get(key)

    async def begin(self, entry: JournalEntry) -> JournalEntry | None:
        """Write that a call begins, unless one of its key is on record.

        Args:
            entry: The call, without an outcome.

        Returns:
            What is on record of an earlier call of that key, else None.
        """
        written = replace(
            entry
        )  # a copy, so that the same entry given twice is not taken for this one
        known = self.entries.setdefault(entry.key, written)
        return None if known is written else known

    async def end(self, key: str, outcome: ToolOutcome, content: str) -> None:
        """Write how a call ended.

        Args:
            key: Its idempotency key.
            outcome: How it ended.
            content: What the tool said, as text.
        """
        self.entries[key] = replace(self.entries[key], outcome=outcome, content=content)
