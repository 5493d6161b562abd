"""The messages of a conversation with a model, and the one place that guards their order.

A history is a tuple of messages. `check_history` holds the invariant that every provider demands: each
tool call of an assistant message is answered by exactly one tool message, before anything else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.core.exceptions import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AssistantMessage",
    "Message",
    "SystemMessage",
    "ToolCall",
    "ToolMessage",
    "UserMessage",
    "check_history",
]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's request to call a tool.

    Attributes:
        id: The model's identifier of this call, unique within its message.
        name: Name of the tool.
        arguments: The arguments as the JSON text that the model wrote, unchecked.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """Instructions to the model.

    Attributes:
        text: The instructions.
    """

    text: str
    role: Literal["system"] = "system"


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a person, or the calling program, says to the agent.

    Attributes:
        text: The words.
    """

    text: str
    role: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What a model answered.

    Attributes:
        text: The words; may be empty when there are tool calls.
        tool_calls: The tools that the model wants called, in its order.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one tool call.

    Attributes:
        call_id: Identifier of the call that this answers.
        name: Name of the tool.
        content: The result as text; JSON for anything that is not a string.
        is_error: Whether the call failed; the content then says why.
    """

    call_id: str
    name: str
    content: str
    is_error: bool = False
    role: Literal["tool"] = "tool"


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage
"""Any message of a conversation."""


def check_history(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the messages as a tuple, once every tool call is known to have exactly one result.

    Args:
        messages: A conversation, oldest message first.

    Returns:
        The same messages.

    Raises:
        HistoryError: A call without a result, a result without a call, or a call answered twice.
    """
    checked = tuple(messages)
    waiting: dict[str, str] = {}
    for index, message in enumerate(checked):
        if isinstance(message, ToolMessage):
            if waiting.pop(message.call_id, None) is None:
                raise HistoryError(
                    f"message {index} is a result for tool call {message.call_id!r}, which no assistant message "
                    "before it made, or which was answered already: remove it, or add the call",
                    details={"index": index, "call_id": message.call_id},
                )
            continue
        if waiting:
            raise HistoryError(
                f"message {index} comes before the results of the tool calls {sorted(waiting)}: "
                "add one tool message for each call right after the message that made it",
                details={"index": index, "call_ids": sorted(waiting)},
            )
        if isinstance(message, AssistantMessage):
            for call in message.tool_calls:
                if call.id in waiting:
                    raise HistoryError(
                        f"message {index} makes two tool calls with the id {call.id!r}",
                        details={"index": index, "call_id": call.id},
                    )
                waiting[call.id] = call.name
    if waiting:
        raise HistoryError(
            f"the tool calls {sorted(waiting)} have no result: add one tool message for each",
            details={"call_ids": sorted(waiting)},
        )
    return checked
