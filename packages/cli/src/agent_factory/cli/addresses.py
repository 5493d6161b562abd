"""Addresses of servers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["hide_user", "is_own_server"]


def is_own_server(base_url: str) -> bool:
    """Return whether an address is one of this machine or of a private network, as it is written.

    Args:
        base_url: The address of a server. Names but ``localhost`` are not looked up, and count as public.
    """
    try:
        host = (urlsplit(base_url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_link_local


def hide_user(url: str) -> str:
    """Return an address without the name and the password that may stand in it.

    Args:
        url: The address.
    """
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
