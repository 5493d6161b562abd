"""What is sent to a server, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["METHODS", "SAFE_METHODS", "HttpAnswer", "HttpRequest", "check_header"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that can be sent."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

# What the client sets itself, and what would change what a message means.
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_MAX_VALUE_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request.

    Attributes:
        method: One of `METHODS`.
        url: The absolute URL.
        headers: Headers without secrets.
        body: What is sent along, or None.
        secret_headers: Headers with secrets: no other origin than that of ``url`` gets them, and no text that comes back
            shows them.
        secret_query: Values with secrets that are appended to the query, in the same way.

    Raises:
        ConfigurationError: The method is none of them, or a header cannot be sent; the message shows no value.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    secret_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_query: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check the method and the headers."""
        if self.method not in METHODS:
            raise ConfigurationError(
                f"{self.method!r} is no method that can be sent; there are: {', '.join(METHODS)}"
            )
        for headers in (self.headers, self.secret_headers):
            for name, value in headers.items():
                check_header(name, value)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered.

    Attributes:
        url: Where the answer came from after all redirects, without secrets.
        status: The status, 200 to 599.
        content_type: The media type in lower case, such as ``text/html``; empty if the server named none.
        charset: The name of the encoding that the server gave; None if it gave none.
        body: The first bytes of the body, decompressed.
        truncated: Whether the body has more bytes than were read.
    """

    url: str
    status: int
    content_type: str
    charset: str | None
    body: bytes = field(repr=False)
    truncated: bool = False


def check_header(name: str, value: str) -> None:
    """Make sure that a header can be sent as it is.

    Args:
        name: Its name.
        value: Its value.

    Raises:
        ConfigurationError: It cannot; the message does not show the value.
    """
    if not _token().fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name of a header")
    if name.lower() in _OWN_HEADERS:
        raise ConfigurationError(f"the header {name!r} is set by the client itself: leave it out")
    if len(value) > _MAX_VALUE_CHARACTERS or not _value().fullmatch(value):
        raise ConfigurationError(
            f"the value of the header {name!r} cannot be sent: it may have up to {_MAX_VALUE_CHARACTERS} visible "
            "ASCII characters, and spaces within"
        )


@cache
def _token() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@cache
def _value() -> re.Pattern[str]:
    return re.compile(r"(?:[!-~](?:[ !-~]*[!-~])?)?")
