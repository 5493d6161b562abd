"""What a session speaks through: the pair of streams of a transport, and what became of messages that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Failure", "Link", "OpenLink"]

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Bytes of one message of a server."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request got no answer from the server.

    Attributes:
        kind: ``unsent`` where the server cannot have seen it; ``expired`` where it refused because it knows the session no
            more; ``refused`` where it refused for another reason; ``lost`` where nobody knows.
        message: What happened.
    """

    kind: Literal["unsent", "expired", "refused", "lost"]
    message: str


@dataclass(frozen=True, slots=True)
class Link:
    """An open way to a server.

    Attributes:
        read: The stream of the server's messages.
        write: The stream of messages to it.
        find_failure: Returns why a request failed, if the transport knows; asked with the data of the error.
    """

    read: Any
    write: Any
    find_failure: Callable[[object], Failure | None] = lambda _: None


OpenLink: TypeAlias = Callable[[Callable[[str], None]], AbstractAsyncContextManager[Link]]
"""Opens a way to a server; gets what has to be called with a reason when it ends by itself."""
