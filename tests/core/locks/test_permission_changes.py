from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.locks import PermissionChange, compare_permissions
from agent_factory.core.locks.manifests import FILES, LISTS, manifest_from_dict, manifest_to_dict
from agent_factory.core.permissions import Permissions, parse_host_rule

hosts = st.sampled_from(
    [
        "*",
        "*.a.com",
        "*.b.a.com",
        "a.com",
        "b.a.com",
        "c.b.a.com",
        "http://a.com",
        "a.com:8443",
        "A.com",
    ]
)
manifests = st.builds(
    Permissions,
    models=st.lists(st.sampled_from("mn"), max_size=2).map(tuple),
    hosts=st.lists(hosts, max_size=3).map(tuple),
    read=st.lists(st.sampled_from([".", "a", "a/b", "..", "../a", "/", "/a"]), max_size=3).map(
        tuple
    ),
    tools=st.lists(st.sampled_from(["a", "a/*", "a/b", "b/c"]), max_size=3).map(tuple),
    spend=st.integers(0, 3),
    timeout=st.none() | st.integers(1, 3),
)


def compare_one(kind: str, old: Any, new: Any) -> str:
    """Return how the change of one key is called."""
    found = compare_permissions(Permissions(**{kind: old}), Permissions(**{kind: new}))
    if not found:
        return "none"
    [change] = found
    names = [name for name in ("wider", "narrower") if getattr(change, name)]
    return " and ".join(names) or "same"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ((), ("a.com",), "wider"),
        (("a.com",), (), "narrower"),
        (("a.com",), ("b.com",), "wider and narrower"),
        (("*.a.com",), ("b.a.com",), "narrower"),
        (("*.a.com",), ("*.b.a.com",), "narrower"),
        (("*.b.a.com",), ("*.a.com",), "wider"),
        (("*.a.com",), ("a.com",), "wider and narrower"),
        (("*.a.com",), ("*.aa.com",), "wider and narrower"),
        (("*.a.com",), ("*.a.com", "b.a.com"), "same"),
        (("*",), ("a.com", "*.b.com"), "narrower"),
        (("*",), ("http://a.com",), "wider and narrower"),
        (("a.com",), ("a.com:8443",), "wider and narrower"),
        (("a.com",), ("A.COM",), "same"),
        (("a.com",), ("a.com:443",), "same"),
        (("a.com", "b.com"), ("b.com", "a.com", "a.com"), "none"),
    ],
)
def test_hosts_are_compared_by_what_they_stand_for(
    old: tuple[str, ...], new: tuple[str, ...], said: str
) -> None:
    assert compare_one("hosts", old, new) == said


@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (("docs",), ("docs/a",), "narrower"),
        (("docs/a",), ("docs",), "wider"),
        (("docs",), ("docs", "docs/a"), "same"),
        (("docs",), ("./docs/",), "same"),
        (("docs",), ("docs2",), "wider and narrower"),
        ((".",), ("docs",), "narrower"),
        ((".",), ("..",), "wider"),
        (("..",), ("docs",), "narrower"),
        (("..",), ("../other",), "narrower"),
        (("../other",), ("docs",), "wider and narrower"),
        (("../..",), ("../other",), "narrower"),
        (("/srv",), ("/srv/a",), "narrower"),
        (("/",), ("/srv",), "narrower"),
        (("/",), ("docs",), "wider and narrower"),
        (("docs",), ("docs/../secret",), "wider and narrower"),
    ],
)
def test_paths_are_compared_by_their_letters(
    kind: str, old: tuple[str, ...], new: tuple[str, ...], said: str
) -> None:
    assert compare_one(kind, old, new) == said


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("tools", ("github/*",), ("github/search",), "narrower"),
        ("tools", ("github/search",), ("github/*",), "wider"),
        ("tools", ("github/*",), ("github",), "wider and narrower"),
        ("tools", ("github/*",), ("gitlab/search",), "wider and narrower"),
        ("models", ("a",), ("a", "b"), "wider"),
        ("secrets", ("A",), ("a",), "wider and narrower"),
        ("commands", ("git", "rg"), ("rg",), "narrower"),
        ("private_hosts", ("10.0.0.1",), ("10.0.0.1:8080",), "wider and narrower"),
        ("spend", 1, 2, "wider"),
        ("spend", 2, 1, "narrower"),
        ("timeout", 60, 61, "wider"),
        ("timeout", 60, 59.5, "narrower"),
        ("timeout", 60, 60.0, "none"),
        ("timeout", 60, None, "wider"),
        ("timeout", None, 60, "narrower"),
    ],
)
def test_other_permissions_are_compared(kind: str, old: Any, new: Any, said: str) -> None:
    assert compare_one(kind, old, new) == said


def test_reading_is_not_permitted_by_writing() -> None:
    found = compare_permissions(Permissions(write=("out",)), Permissions(read=("out",)))

    assert found == (
        PermissionChange("files.read", wider=("out",)),
        PermissionChange("files.write", narrower=("out",)),
    )


def test_host_that_may_be_private_may_be_public_too() -> None:
    found = compare_permissions(
        Permissions(private_hosts=("a.local",)), Permissions(hosts=("a.local",))
    )

    assert found == (
        PermissionChange("hosts"),
        PermissionChange("private_hosts", narrower=("a.local",)),
    )


def test_money_is_told_in_units() -> None:
    [change] = compare_permissions(Permissions(spend=250_000), Permissions(spend=1_000_001))

    assert change.wider == ("1.000001 instead of 0.25",)


def test_no_permission_is_left_out_of_the_manifest() -> None:
    known = {*LISTS, *FILES, "spend", "timeout"}

    assert {field.name for field in fields(Permissions)} == known


@given(manifests)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_manifest_reads_back_and_differs_not_from_itself(permissions: Permissions) -> None:
    back = manifest_from_dict(manifest_to_dict(permissions))

    assert compare_permissions(permissions, back) == ()


@given(manifests, manifests)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_wider_one_way_is_narrower_the_other(old: Permissions, new: Permissions) -> None:
    there, back = compare_permissions(old, new), compare_permissions(new, old)

    for one, other in zip(there, back, strict=True):
        assert one.kind == other.kind
        if one.kind in ("spend", "timeout"):
            assert bool(one.wider) == bool(other.narrower)
        else:
            assert (one.wider, one.narrower) == (other.narrower, other.wider)


@given(manifests, manifests, st.sampled_from(["a.com", "b.a.com", "c.b.a.com", "x.org"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_host_is_reached_anew_without_being_called_wider(
    old: Permissions, new: Permissions, host: str
) -> None:
    def is_reached(permissions: Permissions) -> bool:
        return any(parse_host_rule(item).matches("https", host, 443) for item in permissions.hosts)

    if is_reached(new) and not is_reached(old):
        assert any(
            change.kind == "hosts" and change.wider for change in compare_permissions(old, new)
        )
