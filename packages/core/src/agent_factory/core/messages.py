"""The messages of a conversation with a model, and the one place that guards their order.

A history is a tuple of messages. `History` holds the invariant that every provider demands: each tool
call of an assistant message is answered by exactly one tool message, before anything else is said.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from agent_factory.core.exceptions import ConfigurationError, HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AssistantMessage",
    "History",
    "Image",
    "ImageDetail",
    "Message",
    "Reasoning",
    "SystemMessage",
    "ToolCall",
    "ToolMessage",
    "ToolOutcome",
    "UserMessage",
    "check_history",
]

ToolOutcome: TypeAlias = Literal["ok", "error", "denied", "unknown"]
"""How a tool call ended: with a result, with an error, not carried out, or nobody knows whether it was."""

ImageDetail: TypeAlias = Literal["auto", "low", "high"]
"""How closely a model is to look at an image."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a person shows to the model.

    Attributes:
        url: Address of the picture, ``https://...``, or the picture itself as a ``data:`` URL (RFC 2397).
        detail: How closely the model is to look.

    Raises:
        ConfigurationError: The address is neither, or the detail is unknown.
    """

    url: str
    detail: ImageDetail = "auto"

    def __post_init__(self) -> None:
        """Check the address and the detail."""
        if not self.url.startswith(("https://", "http://", "data:image/")):
            raise ConfigurationError(
                f"an image needs an https:// address or a data:image/... URL, not {self.url[:40]!r}: "
                "make one of a file with Image.from_bytes"
            )
        if self.detail not in get_args(ImageDetail):
            raise ConfigurationError(
                f"the detail of an image must be one of {', '.join(get_args(ImageDetail))}, "
                f"not {self.detail!r}"
            )

    @classmethod
    def from_bytes(cls, data: bytes, media_type: str, *, detail: ImageDetail = "auto") -> Image:
        """Return an image that carries its own data.

        Args:
            data: The content of an image file.
            media_type: Its media type, such as ``image/png``.
            detail: How closely the model is to look.

        Raises:
            ConfigurationError: The media type is not one of an image.
        """
        return cls(f"data:{media_type};base64,{base64.b64encode(data).decode()}", detail)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model thought before it answered. Nobody but the model that wrote it can make use of `data`.

    Attributes:
        text: The thoughts, or a summary of them, as far as the provider shows them; may be empty.
        data: The provider's own item as JSON text, to be sent back to it as it came; empty if there is none.
        provider: Which protocol `data` belongs to, such as ``openai.responses``.
    """

    text: str
    data: str = ""
    provider: str = ""


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
        images: The pictures that come with them.
    """

    text: str
    images: tuple[Image, ...] = ()
    role: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What a model answered.

    Attributes:
        text: The words; may be empty when there are tool calls.
        tool_calls: The tools that the model wants called, in its order.
        reasoning: What it thought before, in its order; providers may want it back while tools are called.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: tuple[Reasoning, ...] = ()
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one tool call.

    Attributes:
        call_id: Identifier of the call that this answers.
        name: Name of the tool.
        content: The result as text; JSON for anything that is not a string.
        outcome: How the call ended; the content says why, unless it is ``ok``.
    """

    call_id: str
    name: str
    content: str
    outcome: ToolOutcome = "ok"
    role: Literal["tool"] = "tool"

    @property
    def is_error(self) -> bool:
        """Whether there is no result."""
        return self.outcome != "ok"


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage
"""Any message of a conversation."""


class History:
    """A conversation that grows, whole at every moment at which it can be seen.

    Args:
        messages: The conversation so far, oldest message first.

    Raises:
        HistoryError: A call without a result, a result without a call, or a call answered twice.
    """

    __slots__ = ("_messages", "_waiting")

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._messages: list[Message] = []
        self._waiting: dict[str, str] = {}
        self.extend(messages)

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation, oldest message first."""
        return tuple(self._messages)

    def set_instructions(self, text: str) -> None:
        """Put other instructions at the front, in place of those that stand there.

        Args:
            text: The instructions; none if empty.
        """
        if self._messages and isinstance(self._messages[0], SystemMessage):
            del self._messages[0]
        if text:
            self._messages.insert(0, SystemMessage(text))

    def replace_prompt(self, before: UserMessage, after: UserMessage) -> None:
        """Put another text of a person in place of one, for those who read the conversation from here on.

        Args:
            before: The message that is there.
            after: The message that takes its place.
        """
        for index in range(len(self._messages) - 1, -1, -1):
            if self._messages[index] is before:
                self._messages[index] = after
                return

    def extend(self, messages: Iterable[Message]) -> None:
        """Add messages, in time that does not depend on the length of the conversation.

        Args:
            messages: What was said, oldest message first: an assistant message comes together with the results
                of its tool calls.

        Raises:
            HistoryError: The conversation would not be whole afterwards; it is unchanged then.
        """
        before = len(self._messages)
        try:
            for message in messages:
                self._append(message)
            if self._waiting:
                raise HistoryError(
                    f"the tool calls {sorted(self._waiting)} have no result: add one tool message for each",
                    details={"call_ids": sorted(self._waiting)},
                )
        except BaseException:  # of `messages` too, which may be a generator
            del self._messages[before:]
            self._waiting.clear()
            raise

    def _append(self, message: Message) -> None:
        waiting = self._waiting
        index = len(self._messages)
        if isinstance(message, ToolMessage):
            if waiting.pop(message.call_id, None) is None:
                raise HistoryError(
                    f"message {index} is a result for tool call {message.call_id!r}, which no assistant message "
                    "before it made, or which was answered already: remove it, or add the call",
                    details={"index": index, "call_id": message.call_id},
                )
        elif waiting:
            raise HistoryError(
                f"message {index} comes before the results of the tool calls {sorted(waiting)}: "
                "add one tool message for each call right after the message that made it",
                details={"index": index, "call_ids": sorted(waiting)},
            )
        elif isinstance(message, AssistantMessage):
            for call in message.tool_calls:
                if call.id in waiting:
                    raise HistoryError(
                        f"message {index} makes two tool calls with the id {call.id!r}",
                        details={"index": index, "call_id": call.id},
                    )
                waiting[call.id] = call.name
        elif not isinstance(message, (UserMessage, SystemMessage)):
            raise HistoryError(
                f"message {index} is {type(message).__name__}, which is no message: make one of data with "
                "agent_factory.core.serialization.message_from_dict",
                details={"index": index},
            )
        self._messages.append(message)


def check_history(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the messages as a tuple, once every tool call is known to have exactly one result.

    Args:
        messages: A conversation, oldest message first.

    Returns:
        The same messages.

    Raises:
        HistoryError: A call without a result, a result without a call, or a call answered twice.
    """
    return History(messages).messages
