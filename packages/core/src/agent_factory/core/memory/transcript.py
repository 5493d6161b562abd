"""Messages written down as text, for a model that is to read about a conversation rather than take part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.memory.shortening import shorten_text
from agent_factory.core.messages import AssistantMessage, SystemMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent_factory.core.messages import Message

__all__ = ["write_transcripts"]


def write_transcripts(
    messages: Iterable[Message], count: Callable[[str], int], most: int
) -> Iterator[str]:
    """Write messages down, in as many texts as are needed.

    Args:
        messages: The messages, oldest first.
        count: Says how many tokens a text has.
        most: Tokens that one text may have. A single message that has more is shortened, with a marker.

    Yields:
        The texts, none of them empty.
    """

    def fits(text: str) -> bool:
        return count(text) <= most

    parts: list[str] = []
    tokens = 0
    for message in messages:
        part = _write(message)
        more = count(part)
        if parts and tokens + more > most:
            yield "\n\n".join(parts)
            parts, tokens = [], 0
        parts.append(part if more <= most else shorten_text(part, fits))
        tokens += more
    if parts:
        yield "\n\n".join(parts)


def _write(message: Message) -> str:
    if isinstance(message, ToolMessage):
        outcome = "" if message.outcome == "ok" else f" ({message.outcome})"
        return f"Result of {message.name}{outcome}: {message.content}"
    if isinstance(message, SystemMessage):
        return f"Instructions: {message.text}"
    if isinstance(message, AssistantMessage):
        lines = [f"Assistant: {message.text}"] if message.text or not message.tool_calls else []
        lines += [f"Assistant calls {call.name}: {call.arguments}" for call in message.tool_calls]
        return "\n".join(lines)
    images = f" [{len(message.images)} images]" if message.images else ""
    return f"User: {message.text}{images}"
