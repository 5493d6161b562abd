from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.http import parse_url

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("https://example.com", "example.com", 443),
        ("http://example.com/a?b=c#d", "example.com", 80),
        ("https://EXAMPLE.com.:8443/", "example.com", 8443),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example", 443),
        ("http://[::1]:8080/", "::1", 8080),
        ("http://127.0.0.1/", "127.0.0.1", 80),
        # Programs take other signs for digits and dots; what is called is what was read here.
        ("http://\u2460\u2461\u2466.0.0.1/", "127.0.0.1", 80),
        ("http://127\u30020\u30020\u30021/", "127.0.0.1", 80),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1", 80),
    ],
)
def test_host_and_port_are_those_that_are_called(text: str, host: str, port: int) -> None:
    url = parse_url(text)
    assert (url.host, url.port) == (host, port)
    assert (url.url.raw_host, url.url.port) == (host, port)
    assert not url.url.raw_fragment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://example.com/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://example.com/", "only http and https"),
        ("//example.com/", "only http and https"),
        ("example.com", "only http and https"),
        ("", "only http and https"),
        ("https://", "cannot be called"),
        ("https:///path", "no host"),
        ("https://user:hunter2@example.com/", "user or a password"),
        ("https://user@example.com/", "user or a password"),
        ("https://example.com\\@evil.example/", "backslash"),
        ("https://example.com/a b", "percent-encoded"),
        ("https://example.com/\r\nHost: evil", "percent-encoded"),
        ("https://exa\tmple.com/", "percent-encoded"),
        ("https://example.com:0/", "port"),
        ("https://example.com:99999/", "not valid"),
        ("https://exa%6dple.com/", "no valid name"),
        ("https://a..b/", "no valid name"),
        ("https://-a.example/", "no valid name"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://[::1/", "not valid"),
        ("https://example.com/" + "a" * 9000, "more than 8192"),
        ("https://" + "a." * 130 + "example", "no valid name"),
        ("https://\ud800.example/", "percent-encoded"),
    ],
)
def test_other_urls_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason) as caught:
        parse_url(text)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.01",
        "127.0.0.0x1",
        "256.1.1.1",
        "1.2.3.4.5",
        "4294967296",
        "0",
        "0x",
        "\uff11\uff12\uff17.1",
        "127.0.0.1.",
    ],
)
def test_numbers_that_programs_take_for_addresses_are_refused(host: str) -> None:
    with pytest.raises(ToolError, match="number"):
        parse_url(f"http://{host}/")


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from(["%d", "0x%x", "0%o", "%d."]))
def test_no_number_is_a_host(number: int, form: str) -> None:
    with pytest.raises(ToolError, match="number"):
        parse_url(f"http://{form % number}/")


@quick
@given(st.text(max_size=40))
def test_a_text_is_refused_or_has_one_reading(text: str) -> None:
    try:
        url = parse_url(f"http://{text}")
    except ToolError:
        return
    # Another reader sees the same host in what is sent.
    assert urlsplit(str(url.url)).hostname == url.host
    assert parse_url(str(url.url)) == url


@quick
@given(st.ip_addresses())
def test_every_address_can_be_written_in_its_usual_form(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    assert ipaddress.ip_address(parse_url(f"http://{host}/").host) == address


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b", "https://example.com/b"),
        ("c?d=e", "https://example.com/a/c?d=e"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example/", "http://other.example/"),
    ],
)
def test_a_reference_is_joined(location: str, expected: str) -> None:
    assert str(parse_url("https://example.com/a/b").join(location).url) == expected


@pytest.mark.parametrize(
    "location",
    ["javascript:alert(1)", "http://a@b/", "http://127.1/", "/a b", "http://[", "data:,x"],
)
def test_a_reference_that_cannot_be_called_is_refused(location: str) -> None:
    with pytest.raises(ToolError):
        parse_url("https://example.com/").join(location)
