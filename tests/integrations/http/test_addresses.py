from __future__ import annotations

import ipaddress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.http.addresses import classify_address

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
    ],
)
def test_addresses_of_the_world_are_public(address: str) -> None:
    assert classify_address(address) == "public"


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "::1",
        "fc00::1",
        "fd12:3456::1",
    ],
)
def test_addresses_of_this_machine_and_of_inner_networks_are_private(address: str) -> None:
    assert classify_address(address) == "private"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
    ],
)
def test_addresses_where_clouds_hand_out_credentials_are_of_the_link(address: str) -> None:
    assert classify_address(address) == "link_local"


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3",
        "255.255.255.255",
        "240.0.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "192.0.0.192",
        "192.88.99.1",
        "::",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "fec0::1",
        "4000::1",
        "2001:10::1",
        "64:ff9b:1::1",
        "5f00::1",
        "::8.8.8.8",
    ],
)
def test_addresses_of_no_single_server_are_unusable(address: str) -> None:
    assert classify_address(address) == "unusable"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("::ffff:127.0.0.1", "private"),
        ("::ffff:169.254.169.254", "link_local"),
        ("::ffff:0.0.0.0", "unusable"),
        ("64:ff9b::7f00:1", "private"),
        ("64:ff9b::a9fe:a9fe", "link_local"),
        ("2002:7f00:1::", "private"),
        ("2002:a9fe:a9fe::1", "link_local"),
        ("2002:808:808::1", "public"),
        # Teredo: the server is 65.54.227.120, the client 10.0.0.1, written inverted.
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "private"),
        ("::127.0.0.1", "unusable"),
    ],
)
def test_an_ipv4_address_within_an_ipv6_address_counts(address: str, kind: str) -> None:
    assert classify_address(address) == kind


@pytest.mark.parametrize(
    "text", ["127.1", "0x7f.0.0.1", "017700000001", "2130706433", "fe80::1%eth0", "a", ""]
)
def test_what_is_no_address_in_its_usual_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        classify_address(text)


@quick
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
@example(ipaddress.ip_address("100.64.0.0"))
@example(ipaddress.ip_address("192.0.0.9"))
def test_nothing_is_public_that_python_does_not_call_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if classify_address(str(address)) != "public":
        return
    # Of an IPv4 address in disguise, releases of Python think differently.
    if str(address).startswith(("64:ff9b::", "::ffff:", "2002:")):
        return
    assert address.is_global
    for attribute in ("multicast", "loopback", "link_local", "unspecified", "private", "reserved"):
        assert not getattr(address, f"is_{attribute}")


@quick
@given(st.ip_addresses(v=4, network="0.0.0.0/0"))
@example(ipaddress.IPv4Address("169.254.169.254"))
def test_an_ipv4_address_in_disguise_is_never_better_than_itself(
    address: ipaddress.IPv4Address,
) -> None:
    order = ["public", "private", "link_local", "unusable"]
    itself = order.index(classify_address(str(address)))
    number = int(address)
    disguises = [
        (0xFFFF << 32) | number,
        number if number > 1 else 0,
        (0x64FF9B << 96) | number,
        (0x2002 << 112) | (number << 80),
        (0x20010000 << 96) | (number << 64),
        (0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFF_FFFF),
    ]
    for disguise in disguises:
        assert order.index(classify_address(str(ipaddress.IPv6Address(disguise)))) >= itself
