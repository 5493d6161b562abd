"""From the name of a host to the addresses that may be connected to."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from agent_factory.core.exceptions import ToolError
from agent_factory.core.waiting import run_in_thread
from agent_factory.integrations.http.addresses import classify_address

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant
    from agent_factory.integrations.http.urls import HttpUrl

__all__ = ["Lookup", "Route", "find_route", "look_up"]

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host's name, as numbers. Raises `OSError` where there are none."""

_MAX_ADDRESSES = 64


@dataclass(frozen=True, slots=True)
class Route:
    """Where a host may be reached: found once, and then only compared.

    Attributes:
        addresses: The addresses, as numbers.
    """

    addresses: tuple[str, ...]

    def allows(self, address: str) -> bool:
        """Return whether a connection to an address may be used.

        Args:
            address: The address, as a socket names it.
        """
        try:
            wanted = ip_address(address)
        except ValueError:
            return False
        return any(wanted == ip_address(known) for known in self.addresses)


async def find_route(target: HttpUrl, grant: Grant, lookup: Lookup) -> Route:
    """Return the addresses at which a URL may be called.

    Args:
        target: The URL.
        grant: What may be called.
        lookup: Finds the addresses of a name.

    Raises:
        PermissionDeniedError: The host may not be called, or one of its addresses is not one that it may be called at.
        ToolError: There is no such host.
    """
    may_be_private = grant.check_address(target.scheme, target.host, target.port)
    if target.is_address:
        found: Sequence[str] = (target.host,)
    else:
        try:
            found = await lookup(target.host, target.port)
        except (OSError, UnicodeError):
            found = ()
    if not found:
        raise ToolError(
            f"there is no host {target.host!r}: its name cannot be resolved. Check the URL, or try later"
        )
    addresses = tuple(dict.fromkeys(found))[:_MAX_ADDRESSES]
    for address in addresses:
        _check(target, address, grant, may_be_private=may_be_private)
    return Route(addresses)


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the operating system finds them.

    Args:
        host: The name.
        port: The port.

    Raises:
        OSError: There is no such name.
    """
    found = await run_in_thread(
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    )
    addresses = []
    for family, _, _, _, address in found:
        if family == socket.AF_INET6 and len(address) == 4 and address[3]:
            # It leads to another place on each network card.
            addresses.append(f"{str(address[0]).partition('%')[0]}%{address[3]}")
        else:
            addresses.append(str(address[0]))
    return addresses


def _check(target: HttpUrl, address: str, grant: Grant, *, may_be_private: bool) -> None:
    shown = target.server
    try:
        kind = classify_address(address)
    except ValueError:
        kind = "unusable"
    if kind == "public" or (kind == "private" and may_be_private):
        return
    if kind == "link_local" and may_be_private and target.is_address:
        return
    # Not the address itself: a model has no business in knowing what a network looks like from inside.
    leads = "is" if target.is_address else "leads to"
    if kind == "private":
        reason = f"it {leads} a private address, and permissions.private_hosts of the blueprint does not name it"
    elif kind == "link_local":
        reason = (
            f"it {leads} an address of the local link, where machines in a cloud get their credentials, and "
            "permissions.private_hosts of the blueprint does not name that address itself"
        )
    else:
        reason = f"it {leads} an address that belongs to no single server, and such an address is never called"
    raise grant.deny("private_hosts", shown, reason)
