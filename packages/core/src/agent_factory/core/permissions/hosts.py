"""Rules for hosts: which addresses of the web an entry of the manifest stands for."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["HostRule", "Scheme", "normalise_host", "parse_host_rule"]

Scheme: TypeAlias = Literal["http", "https"]

_RULE = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_DEFAULT_PORTS: dict[str, int] = {"http": 80, "https": 443}
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_MAX_CHARACTERS = 253
"""Characters of the longest name that there can be, by RFC 1035."""
_MAX_ENTRY = 300


@dataclass(frozen=True, slots=True)
class HostRule:
    """Which addresses of the web an entry stands for.

    Attributes:
        host: The host in lower case; after ``*.`` every name below it; ``*`` is any.
        scheme: The scheme.
        port: The port, 1 to 65535.
    """

    host: str
    scheme: Scheme
    port: int

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for several hosts."""
        return self.host.startswith("*")

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Return whether an address is meant. What is no host in ASCII, as it is looked up and sent, never is.

        Args:
            scheme: ``http`` or ``https``.
            host: The host as in a URL; an IPv6 address with or without its brackets.
            port: The port.
        """
        if (scheme, port) != (self.scheme, self.port):
            return False
        name = normalise_host(host)
        if not _is_host(name):
            return False
        if self.host == "*":
            return True
        if self.host.startswith("*."):
            return name.endswith(self.host[1:]) and len(name) > len(self.host) - 1
        return name == self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "" if self.scheme == "https" else f"{self.scheme}://"
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{scheme}{host}{port}"


def normalise_host(host: str) -> str:
    """Return a host in the one form in which it is compared: lower case, no final dot, IPv6 in short and bare.

    A name that is not ASCII stays as it is. There are several ways to write it in ASCII, and what is compared must be what is
    called: whoever calls it has to write it as ``xn--`` before.

    Args:
        host: The host as in a URL.
    """
    if len(host) > _MAX_CHARACTERS + 1 or not host.isascii():
        return host
    name = host.lower().removesuffix(".")
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if ":" in bare:
        try:
            return ipaddress.IPv6Address(bare).compressed
        except ValueError:
            return name
    return name


def parse_host_rule(text: str) -> HostRule:
    """Read an entry of the manifest.

    Args:
        text: ``[http://|https://]HOST[:PORT]``; the host may be ``*`` or begin with ``*.``.

    Raises:
        ConfigurationError: It is no such entry; the message says what one looks like.
    """
    shown = text if len(text) <= _MAX_ENTRY else f"{text[:_MAX_ENTRY]}..."
    wrong = f"{shown!r} is no host: write it as 'api.example.com', '*.example.com' or 'http://example.com:8080'"
    if not text.isascii():
        raise ConfigurationError(f"{wrong}; in ASCII, where other letters begin with 'xn--'")
    match = None if len(text) > _MAX_ENTRY else _RULE.fullmatch(text.lower())
    if match is None:
        raise ConfigurationError(f"{wrong}; without a path, a user or a '/' at the end")
    host = normalise_host(match["host"]) if not match["host"].startswith("*") else match["host"]
    scheme: Scheme = "http" if match["scheme"] == "http" else "https"
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise ConfigurationError(f"{shown!r} has no port from 1 to 65535")
    named = host.removeprefix("*.")
    if host != "*" and (not _is_host(named) or (named != host and _is_address(named))):
        raise ConfigurationError(wrong)
    return HostRule(host, scheme, port)


def _is_host(name: str) -> bool:
    """Return whether a host in its one form is a name in ASCII, or an address."""
    if _is_address(name):
        return True
    if len(name) > _MAX_CHARACTERS or ".." in name or not _NAME.fullmatch(name):
        return False
    # "127.1" and "0x7f.1" are addresses to some and names to others.
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
