from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import HostRule, parse_host_rule


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ("api.example.com", HostRule("api.example.com", "https", 443)),
        ("API.Example.COM", HostRule("api.example.com", "https", 443)),
        ("https://example.com", HostRule("example.com", "https", 443)),
        ("http://example.com", HostRule("example.com", "http", 80)),
        ("http://example.com:8080", HostRule("example.com", "http", 8080)),
        ("example.com:00443", HostRule("example.com", "https", 443)),
        ("*.example.com", HostRule("*.example.com", "https", 443)),
        ("*", HostRule("*", "https", 443)),
        ("127.0.0.1", HostRule("127.0.0.1", "https", 443)),
        ("[0:0:0:0:0:0:0:1]:8443", HostRule("::1", "https", 8443)),
        ("xn--bcher-kva.example", HostRule("xn--bcher-kva.example", "https", 443)),
        ("localhost:1", HostRule("localhost", "https", 1)),
        ("localhost:65535", HostRule("localhost", "https", 65535)),
    ],
)
def test_entry_is_read(entry: str, rule: HostRule) -> None:
    assert parse_host_rule(entry) == rule
    assert parse_host_rule(str(rule)) == rule


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " example.com",
        "example.com ",
        "example.com/",
        "example.com/path",
        "user@example.com",
        "ftp://example.com",
        "https://",
        "https:/example.com",
        "example.com.",
        ".example.com",
        "a..example.com",
        "-example.com",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:-1",
        "example.com:\u0661",
        "example.com:http",
        "*example.com",
        "a.*.example.com",
        "*.",
        "**",
        "*.*",
        "*.1",
        "*.1.2.3.4",
        "*.[::1]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "010.0.0.1",
        "1.2.3.4.5",
        "256.0.0.1",
        "example.0x1",
        "::1",
        "[::1",
        "[1.2.3.4]",
        "[dead]",
        "[fe80::1%eth0]",
        "[::g]",
        "bücher.example",
        "\u212aelvin.example",
        "exa\u00admple.com",
        "example\u3002com",
        "example.com\n",
        "example.com\0",
        "a" * 254,
    ],
)
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_host_rule(entry)


def test_letters_beyond_ascii_are_told_how_to_be_written() -> None:
    with pytest.raises(ConfigurationError, match="begin with 'xn--'"):
        parse_host_rule("bücher.example")


@pytest.mark.parametrize("entry", ["a" * 10_000_000, "a.-" * 1_000_000, "[" + ":" * 1_000_000])
def test_endless_entry_is_refused_in_a_short_message(entry: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_host_rule(entry)

    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    ("entry", "scheme", "host", "port", "matches"),
    [
        ("example.com", "https", "example.com", 443, True),
        ("example.com", "https", "EXAMPLE.com.", 443, True),
        ("example.com", "https", "example.com..", 443, False),
        ("example.com", "http", "example.com", 80, False),
        ("example.com", "http", "example.com", 443, False),
        ("example.com", "https", "example.com", 8443, False),
        ("example.com", "https", "api.example.com", 443, False),
        ("example.com", "https", "badexample.com", 443, False),
        ("example.com", "https", "example.com.evil.net", 443, False),
        ("example.com", "https", "[example.com]", 443, False),
        ("*.example.com", "https", "a.example.com", 443, True),
        ("*.example.com", "https", "a.b.example.com", 443, True),
        ("*.example.com", "https", "example.com", 443, False),
        ("*.example.com", "https", ".example.com", 443, False),
        ("*.example.com", "https", "badexample.com", 443, False),
        ("*.example.com", "https", "evil.net/.example.com", 443, False),
        ("*.example.com", "https", "evil.net#.example.com", 443, False),
        ("*.example.com", "https", "evil.net\0.example.com", 443, False),
        ("*.example.com", "https", "b\u00fc.example.com", 443, False),
        ("*", "https", "anything.example", 443, True),
        ("*", "https", "anything.example", 444, False),
        ("*", "http", "anything.example", 80, False),
        ("*", "https", "2130706433", 443, False),
        ("*", "https", "127.1", 443, False),
        ("*", "https", "", 443, False),
        ("*", "https", "a b", 443, False),
        ("*", "https", "fe80::1%eth0", 443, False),
        ("[::1]", "https", "::1", 443, True),
        ("[::1]", "https", "[0:0::1]", 443, True),
        ("[::1]", "https", "::2", 443, False),
        ("127.0.0.1", "https", "[::ffff:127.0.0.1]", 443, False),
        ("kelvin.example", "https", "\u212aelvin.example", 443, False),
        ("fass.example", "https", "fa\u00df.example", 443, False),
        ("example.com", "https", "example\u3002com", 443, False),
        ("example.com", "https", "a" * 1_000_000 + ".example.com", 443, False),
    ],
)
def test_only_what_is_named_matches(
    entry: str, scheme: str, host: str, port: int, matches: bool
) -> None:
    assert parse_host_rule(entry).matches(scheme, host, port) is matches


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40) | st.text("*.:[]/@x1a-_%", max_size=20))
@example("*.example.com")
def test_any_text_is_a_host_that_reads_as_it_is_shown_or_is_refused(text: str) -> None:
    try:
        rule = parse_host_rule(text)
    except ConfigurationError:
        return

    assert parse_host_rule(str(rule)) == rule
    assert rule.is_pattern or rule.matches(rule.scheme, rule.host, rule.port)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40) | st.text("examplco.*/@#?:[]\\ ", max_size=20), st.integers(0, 70_000))
def test_no_other_text_matches_a_host(host: str, port: int) -> None:
    rule = parse_host_rule("example.com")

    assert rule.matches("https", host, port) is (
        host.isascii() and host.lower() in ("example.com", "example.com.") and port == 443
    )
