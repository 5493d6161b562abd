from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.permissions import GrantedPath
from agent_factory.core.permissions.roots import resolve_path
from tests.core.permissions.granting import create_grant

paths = st.lists(st.sampled_from(["..", ".", "", "docs", "docsx", "a", "docs "]), max_size=6).map(
    "/".join
)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "  ",
        "a/../b",
        "docs/..",
        "/a/../b",
        "/..",
        "a\0b",
        "\ud800",
        "a/" * 3000,
        "/" + "a/" * 3000,
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError):
        resolve_path(path, Path("/base"))


@pytest.mark.parametrize(
    ("path", "anchor", "names"),
    [
        ("docs", "/base/agent", ("docs",)),
        ("./docs//a/.", "/base/agent", ("docs", "a")),
        (".", "/base/agent", ()),
        ("../docs", "/base", ("docs",)),
        ("../../../../etc", "/", ("etc",)),
        ("/etc", "/etc", ()),
        ("//etc", "/etc", ()),
        ("~", "/base/agent", ("~",)),
        ("$HOME", "/base/agent", ("$HOME",)),
        ("docs\\..\\..", "/base/agent", ("docs\\..\\..",)),
    ],
)
def test_path_is_taken_by_its_letters(path: str, anchor: str, names: tuple[str, ...]) -> None:
    assert resolve_path(path, Path("/base/agent")) == GrantedPath(Path(anchor), names)


@pytest.mark.parametrize(
    ("path", "granted"),
    [
        ("docs", True),
        ("docs/a/b", True),
        ("/base/docs/a", True),
        ("../base/docs", True),
        ("docsx", False),
        ("doc", False),
        (".", False),
        ("..", False),
        ("docs/../secret", False),
        ("/etc/passwd", False),
        ("../../../etc/passwd", False),
        ("DOCS", False),
        ("docs ", False),
        ("", False),
        ("docs\0", False),
    ],
)
def test_only_what_lies_below_is_granted(path: str, granted: bool) -> None:
    grant = create_grant(read=("docs",))

    if granted:
        assert grant.get_path("read", path).path.is_relative_to("/base/docs")
    else:
        with pytest.raises(PermissionDeniedError):
            grant.get_path("read", path)
    with pytest.raises(PermissionDeniedError):
        grant.get_path("write", path)


def test_link_below_the_folder_is_not_resolved(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    base = tmp_path / "base"
    base.mkdir()
    (base / "docs").symlink_to(tmp_path / "outside")
    grant = create_grant(folder=base, read=("docs",))

    place = grant.get_path("read", "docs/a")

    assert (place.anchor, place.names) == (base, ("docs", "a"))
    with pytest.raises(PermissionDeniedError):
        grant.get_path("read", str(tmp_path / "outside" / "a"))


def test_folder_of_the_blueprint_may_be_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "base").symlink_to(real)
    grant = create_grant(folder=tmp_path / "base", read=("docs",))

    assert grant.get_path("read", "docs").path == real / "docs"
    with pytest.raises(PermissionDeniedError):
        grant.get_path("read", str(tmp_path / "docs"))


def test_absolute_path_is_taken_as_it_was_when_it_was_granted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a")
    grant = create_grant(read=(str(link),))
    link.unlink()
    link.symlink_to(tmp_path / "b")

    with pytest.raises(PermissionDeniedError):
        grant.get_path("read", str(link))
    assert grant.get_path("read", str(tmp_path / "a" / "x")).path == tmp_path / "a" / "x"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(paths, max_size=3), paths)
def test_granted_place_is_where_the_system_would_go(roots: list[str], wish: str) -> None:
    named = [item for item in roots if item.strip()]
    try:
        grant = create_grant(read=tuple(named))
        place = grant.get_path("read", wish)
    except (ConfigurationError, PermissionDeniedError):
        return

    meant = os.path.realpath(os.path.join("/base", wish))
    assert str(place.path) == meant
    assert ".." not in place.names
    assert any(
        Path(meant).is_relative_to(os.path.realpath(os.path.join("/base", item))) for item in named
    )
