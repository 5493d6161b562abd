from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from agent_factory.core.exceptions import (
    ConfigurationError,
    PermissionDeniedError,
    ToolError,
    ToolTimeoutError,
)
from agent_factory.core.permissions import Denial, Grant
from agent_factory.integrations.http import GuardedClient, HttpRequest, parse_url
from agent_factory.integrations.http.resolving import Lookup, find_route
from tests.integrations.http.granting import create_grant, create_lookup


def call(grant: Grant, url: str, lookup: Lookup, **request: object) -> None:
    client = GuardedClient(grant, lookup=lookup, timeout=5)
    asyncio.run(client.send(HttpRequest("GET", url, **request)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/",
        "http://example.com/",
        "https://example.com:8443/",
        "https://sub.example.com/",
        "https://example.com.evil.example/",
        "https://93.184.216.34/",
    ],
)
def test_what_the_manifest_does_not_name_is_refused_before_its_name_is_looked_up(url: str) -> None:
    asked: list[str] = []
    denials: list[Denial] = []
    with pytest.raises(PermissionDeniedError, match=r"permissions\.hosts"):
        call(create_grant("example.com", denials=denials), url, create_lookup({}, asked))
    assert asked == []
    assert [denial.kind for denial in denials] == ["hosts"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:a00:1::",
    ],
)
def test_a_public_host_with_a_private_address_is_refused(address: str) -> None:
    denials: list[Denial] = []
    lookup = create_lookup({"example.com": [address]})
    with pytest.raises(PermissionDeniedError, match="leads to a private address") as caught:
        call(create_grant("example.com", denials=denials), "https://example.com/x", lookup)
    # A model need not know how a network looks from inside.
    assert address not in caught.value.message
    assert [(item.kind, item.target) for item in denials] == [
        ("private_hosts", "https://example.com")
    ]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("169.254.169.254", "local link"),
        ("fe80::1", "local link"),
        ("0.0.0.0", "no single server"),  # noqa: S104
        ("224.0.0.1", "no single server"),
        ("203.0.113.9", "no single server"),
        ("fe80::1%2", "no single server"),
        ("nonsense", "no single server"),
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_an_address_of_the_link_or_of_nobody_is_refused_whatever_is_granted(
    address: str, reason: str, private: bool
) -> None:
    grant = create_grant("example.com", private=["example.com"] if private else [])
    with pytest.raises(PermissionDeniedError, match=reason):
        call(grant, "https://example.com/", create_lookup({"example.com": [address]}))


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    lookup = create_lookup({"example.com": ["93.184.216.34", "192.168.0.1"]})
    with pytest.raises(PermissionDeniedError, match="private"):
        call(create_grant("example.com"), "https://example.com/", lookup)


def test_every_host_is_not_every_address() -> None:
    lookup = create_lookup({"anything.example": ["127.0.0.1"]})
    with pytest.raises(PermissionDeniedError, match="private"):
        call(create_grant("*"), "https://anything.example/", lookup)
    with pytest.raises(PermissionDeniedError, match="is a private address"):
        call(create_grant("*"), "https://127.0.0.1/", lookup)
    with pytest.raises(PermissionDeniedError, match="local link"):
        call(create_grant("http://*"), "http://169.254.169.254/latest/meta-data", lookup)


def test_a_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(ToolError, match=r"no host 'example\.com'"):
        call(create_grant("example.com"), "https://example.com/", create_lookup({}))
    with pytest.raises(ToolError, match=r"no host 'example\.com'"):
        call(
            create_grant("example.com"), "https://example.com/", create_lookup({"example.com": []})
        )


def test_looking_up_a_name_is_a_part_of_the_time_that_a_call_has() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    client = GuardedClient(create_grant("example.com"), lookup=never, timeout=0.01)
    with pytest.raises(ToolTimeoutError, match=r"within 0\.01 s"):
        asyncio.run(client.send(HttpRequest("GET", "https://example.com/")))


def test_a_secret_of_the_query_is_in_no_message() -> None:
    grant = create_grant("example.com", secrets={"KEY": "hunter2-hunter2"})
    lookup = create_lookup({"example.com": ["10.0.0.1"]})
    with pytest.raises(PermissionDeniedError) as caught:
        call(grant, "https://example.com/", lookup, secret_query={"key": grant.get_secret("KEY")})
    assert "hunter2" not in str(caught.value.message)


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: HttpRequest("TRACE", "https://example.com/"),
        lambda: HttpRequest("get", "https://example.com/"),
        lambda: HttpRequest("GET", "https://example.com/", {"Host": "evil.example"}),
        lambda: HttpRequest("GET", "https://example.com/", {"transfer-encoding": "chunked"}),
        lambda: HttpRequest("GET", "https://example.com/", {"A b": "c"}),
        lambda: HttpRequest("GET", "https://example.com/", {"A": "hunter2\r\nB: c"}),
        lambda: HttpRequest("GET", "https://example.com/", secret_headers={"A": "hunter2\n"}),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused_without_its_values(request_of: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        request_of()  # type: ignore[operator]
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "numbers", [{"max_bytes": 0}, {"timeout": 0}, {"max_redirects": -1}, {"max_bytes": True}]
)
def test_numbers_out_of_their_range_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"GuardedClient.{next(iter(numbers))}"):
        GuardedClient(create_grant(), **numbers)  # type: ignore[arg-type]


def test_secrets_do_not_show_in_a_request() -> None:
    request = HttpRequest(
        "POST",
        "https://example.com/",
        body=b"hunter2",
        secret_headers={"A": "hunter2"},
        secret_query={"b": "hunter2"},
    )
    assert "hunter2" not in repr(request)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("169.254.169.254", ["169.254.169.254"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("[::1]", ["::1"]),
        ("app.example", ["10.0.0.1", "fd00::1", "93.184.216.34"]),
    ],
)
def test_a_private_address_that_the_manifest_allows_can_be_called(
    host: str, addresses: list[str]
) -> None:
    grant = create_grant(private=[f"http://{host}:8080"])
    lookup = create_lookup({host: addresses})
    route = asyncio.run(find_route(parse_url(f"http://{host}:8080/"), grant, lookup))
    assert list(route.addresses) == addresses


def test_public_addresses_of_a_granted_host_can_be_called() -> None:
    lookup = create_lookup({"example.com": ["93.184.216.34", "2606:4700::1111", "93.184.216.34"]})
    grant = create_grant("example.com")
    route = asyncio.run(find_route(parse_url("https://example.com/"), grant, lookup))
    assert route.addresses == ("93.184.216.34", "2606:4700::1111")
