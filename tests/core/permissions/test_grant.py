from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.permissions import Denial, Grant, Need, Permissions
from tests.core.permissions.granting import LISTS, create_grant, manifests, needs

SECRET = "hunter2-hunter2"


def test_everything_is_denied_where_nothing_is_named() -> None:
    grant = create_grant()

    for kind, target in (
        ("models", "default"),
        ("tools", "calculate"),
        ("tools", "set/look"),
        ("hosts", "example.com"),
        ("private_hosts", "localhost"),
        ("secrets", "TOKEN"),
        ("read", "."),
        ("write", "."),
        ("commands", "git"),
    ):
        need = Need(kind, target)  # type: ignore[arg-type]
        assert not grant.allows(need)
        with pytest.raises(PermissionDeniedError, match="does not name it"):
            grant.check(need)


@pytest.mark.parametrize(
    ("named", "asked", "allowed"),
    [
        ("set/*", "set/look", True),
        ("set/*", "set/a/b", True),
        ("set/*", "set/*", True),
        ("set/*", "set", False),
        ("set/*", "sett/look", False),
        ("set/look", "set/look", True),
        ("set/look", "set/look2", False),
        ("set/look", "set/*", False),
        ("set/look", "look", False),
        ("look", "set/look", False),
        ("*", "look", False),
        ("*", "set/look", False),
        ("*/look", "set/look", False),
        ("*/*", "set/look", False),
        ("set*", "set/look", False),
        ("look", "LOOK", False),
        ("look", " look", False),
    ],
)
def test_only_named_tools_are_allowed(named: str, asked: str, allowed: bool) -> None:
    assert create_grant(tools=(named,)).allows(Need("tools", asked)) is allowed


@pytest.mark.parametrize("kind", ["models", "secrets", "commands"])
def test_star_is_no_pattern_elsewhere(kind: str) -> None:
    named: dict[str, Any] = {kind: ("*",)}
    grant = create_grant(**named)

    assert not grant.allows(Need(kind, "anything"))  # type: ignore[arg-type]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests, st.data(), needs)
def test_fewer_entries_never_allow_more(
    lists: dict[str, Any], data: st.DataObject, need: Need
) -> None:
    fewer: dict[str, Any] = {
        key: tuple(item for item in items if data.draw(st.booleans()))
        for key, items in lists.items()
    }

    if create_grant(**fewer).allows(need):
        assert create_grant(**lists).allows(need)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests, needs)
def test_what_is_allowed_is_not_denied_and_the_other_way_round(
    lists: dict[str, Any], need: Need
) -> None:
    denials: list[Denial] = []
    grant = create_grant(denials=denials, **lists)

    if grant.allows(need):
        grant.check(need)
        assert denials == []
        return
    with pytest.raises(PermissionDeniedError) as caught:
        grant.check(need)
    assert (caught.value.permission, caught.value.target) == (need.kind, need.target)
    assert [(item.kind, item.target) for item in denials] == [(need.kind, need.target)]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    manifests,
    st.sampled_from(["http", "https", "ftp", "HTTPS", ""]),
    st.sampled_from(["example.com", "api.example.com", "::1", "127.0.0.1", "evil.net", "127.1"]),
    st.sampled_from([80, 443, 8080, 8443, 0, -1]),
)
def test_address_may_be_called_only_where_an_entry_names_it(
    lists: dict[str, Any], scheme: str, host: str, port: int
) -> None:
    grant = create_grant(**lists)
    entry = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        private = grant.check_address(scheme, host, port)
    except PermissionDeniedError:
        allowed = False
    else:
        allowed = grant.allows(Need("private_hosts" if private else "hosts", entry))
        assert allowed
        return
    try:
        named = grant.allows(Need("hosts", entry)) or grant.allows(Need("private_hosts", entry))
    except ConfigurationError:
        named = False
    assert allowed is named


def test_public_host_is_not_called_at_a_private_address() -> None:
    grant = create_grant(hosts=("*", "example.com"), private_hosts=("box.example.com",))

    assert grant.check_address("https", "example.com", 443) is False
    assert grant.check_address("https", "box.example.com", 443) is True


def test_denied_address_is_told_as_the_manifest_would_have_it() -> None:
    denials: list[Denial] = []
    grant = create_grant(denials=denials)

    for scheme, host, port in (
        ("https", "a.example", 443),
        ("http", "a.example", 8080),
        ("https", "::1", 443),
    ):
        with pytest.raises(PermissionDeniedError, match=r"permissions\.hosts"):
            grant.check_address(scheme, host, port)

    assert [item.target for item in denials] == ["a.example", "http://a.example:8080", "[::1]"]


@pytest.mark.parametrize("target", ["not a host/", "http://", "127.1"])
def test_target_that_is_no_host_is_denied(target: str) -> None:
    with pytest.raises(PermissionDeniedError, match="no host"):
        create_grant(hosts=("*",)).check(Need("hosts", target))


def test_secret_that_is_not_named_is_not_even_looked_for() -> None:
    asked: list[str] = []

    class Source:
        def get(self, name: str) -> str | None:
            asked.append(name)
            return SECRET

    grant = Grant(Permissions(secrets=("TOKEN",)), create_grant().folder, secrets=Source())

    with pytest.raises(PermissionDeniedError):
        grant.get_secret("OTHER")
    assert asked == []
    assert grant.get_secret("TOKEN") == SECRET


@pytest.mark.parametrize("secrets", [None, {}, {"TOKEN": ""}])
def test_secret_that_is_not_set_is_said_by_its_name(secrets: dict[str, str] | None) -> None:
    named = ("TOKEN",)
    grant = create_grant(named=named, secrets=secrets)

    with pytest.raises(ConfigurationError, match="environment variable TOKEN"):
        grant.get_secret("TOKEN")


def test_no_denial_and_no_error_shows_a_secret() -> None:
    denials: list[Denial] = []
    grant = create_grant(secrets={"TOKEN": SECRET}, denials=denials)
    grant.get_secret("TOKEN")

    for kind in LISTS:
        with pytest.raises(PermissionDeniedError) as caught:
            grant.check(Need(kind, f"x-{SECRET}-{SECRET}/"))  # type: ignore[arg-type]
        shown = f"{caught.value!r} {caught.value} {caught.value.details} {vars(caught.value)}"
        assert SECRET not in shown
    with pytest.raises(PermissionDeniedError) as caught:
        grant.check_address("https", f"{SECRET}.evil.net", 443)

    assert SECRET not in f"{caught.value!r} {denials} {grant!r} {grant.permissions!r}"


def test_denial_says_what_would_permit_it() -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        create_grant().get_path("write", "out")

    assert caught.value.message == (
        "not permitted (files.write): 'out': permissions.files.write of the blueprint does not name it"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"hosts": ("not a host",)},
        {"private_hosts": ("*.example.com",)},
        {"private_hosts": ("*",)},
        {"models": ("",)},
        {"tools": (" ",)},
        {"read": (1,)},
        {"spend": -1},
        {"spend": True},
        {"spend": 0.5},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
    ],
)
def test_manifest_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"Permissions|no host"):
        Permissions(**wrong)  # type: ignore[arg-type]
