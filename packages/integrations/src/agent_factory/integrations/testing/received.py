"""A request to the test server, decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.messages import Message
    from agent_factory.core.models import OutputSchema, ToolSpec

__all__ = ["ReceivedRequest"]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """What a client asked for, as the protocol-independent types of core and as it was sent.

    Attributes:
        protocol: The protocol of the request.
        model: Name of the model that was asked.
        messages: The conversation, oldest first; instructions are a system message.
        tools: The function tools that were offered.
        output: The shape of the answer that was asked for, or None.
        stream: Whether the answer is to come piece by piece.
        max_output_tokens: Tokens that the answer may have, or None.
        body: The whole request as it was sent.
        headers: The headers of the request.
        connection: Number of the connection that it came over, from 1.
    """

    protocol: Literal["chat.completions", "responses"]
    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: OutputSchema | None = None
    stream: bool = False
    max_output_tokens: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connection: int = 0
