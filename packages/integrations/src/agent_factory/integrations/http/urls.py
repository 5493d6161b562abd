"""URLs as agents write them, read in the one way in which they are checked and called."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ToolError

if TYPE_CHECKING:
    import yarl

__all__ = ["MAX_URL_CHARACTERS", "HttpUrl", "parse_url"]

MAX_URL_CHARACTERS = 8192
"""Characters that a URL may have."""

_MAX_HOST_CHARACTERS = 253


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """A URL that can be called, if it is permitted.

    What is called is `url` and nothing else: no second reader takes the text for another host.

    Attributes:
        scheme: ``http`` or ``https``.
        host: The host in small ASCII letters; an IPv6 address without its brackets.
        port: The port, 1 to 65535.
        url: The URL in its usual form, without a fragment.
    """

    scheme: str
    host: str
    port: int
    url: yarl.URL

    @property
    def origin(self) -> tuple[str, str, int]:
        """What has to be the same for a secret to go along: scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def server(self) -> str:
        """The URL's beginning up to the path, for messages."""
        return str(self.url.origin())

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address in place of a name."""
        return _is_address(self.host)

    def join(self, location: str) -> HttpUrl:
        """Return the URL that a reference in an answer of this one leads to.

        Args:
            location: The reference, absolute or relative.

        Raises:
            ToolError: It is none that can be called.
        """
        import yarl

        _check_text(location)
        try:
            joined = self.url.join(yarl.URL(location))
        except ValueError:
            raise ToolError("it is not valid") from None
        return _check(joined)


def parse_url(text: str) -> HttpUrl:
    """Read a URL.

    Args:
        text: An absolute URL.

    Raises:
        ToolError: It is no valid URL, has another scheme than ``http`` and ``https``, a user or a password, or a host that
            some programs take for another one; the message says which of them.
    """
    import yarl

    try:
        _check_text(text)
        try:
            url = yarl.URL(text)
        except ValueError:
            raise ToolError("it is not valid") from None
        return _check(url)
    except ToolError as error:
        # The text itself may have a password in it.
        raise ToolError(
            f"the URL cannot be called: {error.message}. Write it as 'https://example.com/path?name=value'"
        ) from None


def _check_text(text: str) -> None:
    if len(text) > MAX_URL_CHARACTERS:
        raise ToolError(f"it has more than {MAX_URL_CHARACTERS} characters")
    if _forbidden().search(text):
        raise ToolError(
            "it has a space, a backslash or a control character in it, which has to be percent-encoded"
        )


def _check(url: yarl.URL) -> HttpUrl:
    if url.scheme not in ("http", "https"):
        raise ToolError("only http and https can be called")
    if url.raw_user is not None or url.raw_password is not None:
        raise ToolError("it has a user or a password in it, and those are never sent")
    host = (url.raw_host or "").lower()
    if not host:
        raise ToolError("it has no host")
    port = url.port
    if not port:
        raise ToolError("its port is not one from 1 to 65535")
    _check_host(host)
    bare = host.removesuffix(".")
    # Also without the final dot, which a certificate never has.
    return HttpUrl(url.scheme, bare, port, url.with_fragment(None).with_host(bare))


def _check_host(host: str) -> None:
    if ":" in host:
        if "%" in host:
            raise ToolError("its address has a zone")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ToolError("its host is no valid address") from None
        return
    name = host.removesuffix(".")
    if len(name) > _MAX_HOST_CHARACTERS or not _name().fullmatch(name):
        raise ToolError("its host is no valid name")
    if _number().fullmatch(name.rpartition(".")[2]) and (host != name or not _is_address(name)):
        # "127.1", "0x7f000001" and "2130706433" are the address 127.0.0.1 to many programs.
        raise ToolError(
            "its host is a number, and an address is written as four numbers from 0 to 255"
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _forbidden() -> re.Pattern[str]:
    return re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")


@cache
def _name() -> re.Pattern[str]:
    label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    return re.compile(rf"{label}(?:\.{label})*+", re.ASCII)


@cache
def _number() -> re.Pattern[str]:
    return re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
