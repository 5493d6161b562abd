"""Kinds of IP addresses: which of them lead out into the world, and which to what is near."""

from __future__ import annotations

from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Literal, TypeAlias

__all__ = ["AddressKind", "classify_address"]

AddressKind: TypeAlias = Literal["public", "private", "link_local", "unusable"]
"""Where an address leads: to a server of the world; to this machine or a network around it; to this link alone or to what
tells a machine in a cloud its credentials; or to no single server at all."""

# https://www.iana.org/assignments/iana-ipv4-special-registry and its companion for IPv6.
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_LINK_LOCAL = (
    "169.254.0.0/16",
    # The metadata services of clouds that are not link-local.
    "100.100.100.200/32",
    "168.63.129.16/32",
)
_UNUSABLE = (
    "0.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
_PRIVATE_6 = ("::1/128", "fc00::/7")
_LINK_LOCAL_6 = ("fe80::/10", "fd00:ec2::254/128")
# Of what is not here, only the global unicast addresses are in use.
_GLOBAL_6 = "2000::/3"
_UNUSABLE_6 = ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")


def classify_address(text: str) -> AddressKind:
    """Return where an address leads. An IPv4 address inside of an IPv6 address is taken for itself.

    Args:
        text: The address as numbers, without brackets and without a zone.

    Raises:
        ValueError: It is no address in its one usual form.
    """
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return _classify_4(address)
    if address.scope_id is not None:
        raise ValueError("an address with a zone")
    return _classify_6(address)


def _classify_4(address: IPv4Address) -> AddressKind:
    tables = _tables_4()
    if any(address in network for network in tables[0]):
        return "unusable"
    if any(address in network for network in tables[1]):
        return "link_local"
    if any(address in network for network in tables[2]):
        return "private"
    return "public"


def _classify_6(address: IPv6Address) -> AddressKind:
    inner = _unwrap(address)
    if inner:
        return max(map(_classify_4, inner), key=_ORDER.index)
    tables = _tables_6()
    if any(address in network for network in tables[1]):
        return "link_local"
    if any(address in network for network in tables[2]):
        return "private"
    if address not in IPv6Network(_GLOBAL_6) or any(address in item for item in tables[0]):
        return "unusable"
    return "public"


# From the most harmless to the least.
_ORDER: tuple[AddressKind, ...] = ("public", "private", "link_local", "unusable")


def _unwrap(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that packets to an IPv6 address may end at."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    number = int(address)
    if address in IPv6Network("64:ff9b::/96"):  # NAT64, RFC 6052
        return (IPv4Address(number & 0xFFFF_FFFF),)
    if number >> 32 == 0 and number > 1:  # "IPv4-compatible", RFC 4291, given up long ago
        return (IPv4Address(number & 0xFFFF_FFFF), IPv4Address(0))
    return ()


@cache
def _tables_4() -> tuple[tuple[IPv4Network, ...], ...]:
    return tuple(
        tuple(IPv4Network(item) for item in table) for table in (_UNUSABLE, _LINK_LOCAL, _PRIVATE)
    )


@cache
def _tables_6() -> tuple[tuple[IPv6Network, ...], ...]:
    return tuple(
        tuple(IPv6Network(item) for item in table)
        for table in (_UNUSABLE_6, _LINK_LOCAL_6, _PRIVATE_6)
    )
