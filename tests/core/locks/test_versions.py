from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks import Level, Version, check_version, parse_range, parse_version
from agent_factory.core.locks.versions import compare_versions

numbers = st.integers(0, 3)
identifiers = st.integers(0, 12) | st.sampled_from(["a", "alpha", "beta", "rc", "x-1", "-", "0a"])
versions = st.builds(
    Version,
    numbers,
    numbers,
    numbers,
    st.lists(identifiers, max_size=3).map(tuple),
    st.sampled_from(["", "build.1", "001"]),
)


def test_precedence_is_that_of_the_specification() -> None:
    texts = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ]

    for lower, higher in pairwise(map(parse_version, texts)):
        assert lower < higher
        assert not higher < lower


def test_build_does_not_count() -> None:
    assert parse_version("1.0.0+a") == parse_version("1.0.0+b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        "01.2.3",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3+",
        "1.2.3 ",
        "1.2.3\n",
        "\u0661.2.3",
        "1.2.3-\u00e4",
        f"1.2.{'9' * 300}",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no version"):
        parse_version(text)


@given(versions)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_version_reads_back_from_its_text(version: Version) -> None:
    found = parse_version(str(version))

    assert (found, found.build) == (version, version.build)


@given(versions, versions, versions)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_versions_are_totally_ordered(one: Version, two: Version, three: Version) -> None:
    assert [one < two, one == two, one > two].count(True) == 1
    assert (one <= two) == (not two < one)
    if one <= two <= three:
        assert one <= three
    if one == two:
        assert hash(one) == hash(two)


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.4", "1.2.3", "patch"),
        ("0.1.0", "0.2.0", "major"),
        ("0.1.0", "0.1.1", "minor"),
        ("0.9.0", "1.0.0", "major"),
        ("1.0.0-a", "1.0.0", "major"),
        ("1.0.0-a", "1.0.0-b", "major"),
        ("1.0.0", "1.0.0+b", None),
    ],
)
def test_versions_say_how_much_lies_between_them(old: str, new: str, level: Level | None) -> None:
    assert compare_versions(parse_version(old), parse_version(new)) == level


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "2.0.0-rc.1", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "2.0.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3", None),
        ("1.2.3", "1.2.4", None),
        ("0.1.0", "0.2.0", "major"),
        ("0.1.0", "0.1.1", "minor"),
        ("0.1.0", "0.1.1", "patch"),
        ("0.1.0", "1.0.0", "major"),
        ("1.0.0-rc.1", "1.0.0", "major"),
        ("1.0.0-rc.1", "1.0.0-rc.2", "major"),
    ],
)
def test_version_that_says_enough_is_right(old: str, new: str, level: Level | None) -> None:
    assert check_version(old, new, level) is None


@pytest.mark.parametrize(
    ("old", "new", "level", "said"),
    [
        (
            "1.2.3",
            "1.3.0",
            "major",
            "version 1.3.0 is too low after 1.2.3 with a major change: make it at least 2.0.0",
        ),
        ("1.2.3", "1.2.4", "minor", "make it at least 1.3.0"),
        (
            "1.2.3",
            "1.2.3",
            "patch",
            "the version is still 1.2.3, but there is a patch change: make it at least 1.2.4",
        ),
        ("1.2.3", "1.2.3+b", "patch", "make it at least 1.2.4"),
        ("1.2.3", "1.2.2", None, "version 1.2.2 comes before 1.2.3"),
        ("1.0.0", "1.0.0-rc.1", "patch", "comes before"),
        ("0.1.0", "0.1.1", "major", "make it at least 0.2.0"),
        ("0.1.0", "0.1.0", "minor", "make it at least 0.1.1"),
        ("1.0.0-rc.1", "1.0.0-rc.1", "patch", "make it any later one"),
    ],
)
def test_version_that_says_too_little_is_told_the_right_one(
    old: str, new: str, level: Level | None, said: str
) -> None:
    assert said in (check_version(old, new, level) or "")


@given(versions, versions, st.sampled_from([None, "patch", "minor", "major"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_version_that_is_proposed_is_right(old: Version, new: Version, level: Level | None) -> None:
    problem = check_version(str(old), str(new), level)
    if problem is not None and "at least" in problem:
        assert check_version(str(old), problem.rpartition(" ")[2], level) is None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^1.2", ["1.2.0", "1.9.9"], ["1.1.9", "2.0.0", "2.0.0-rc.1", "1.3.0-a"]),
        ("^1.2.3", ["1.2.3", "1.3.0"], ["1.2.2", "2.0.0"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]),
        ("^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]),
        ("^0", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("^1", ["1.0.0", "1.9.0"], ["2.0.0", "0.9.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        (">=1,<2", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0", "2.0.0-a"]),
        (" >= 1.2 , < 2 ", ["1.2.0"], ["1.1.9"]),
        (">1.2", ["1.3.0"], ["1.2.9"]),
        (">1.2.3", ["1.2.4"], ["1.2.3"]),
        ("<=1.2", ["1.2.9", "0.0.1"], ["1.3.0"]),
        ("<=1.2.3", ["1.2.3"], ["1.2.4"]),
        ("1.2.3", ["1.2.3", "1.2.3+b"], ["1.2.4"]),
        ("=1.2.3", ["1.2.3"], ["1.2.2"]),
        (">=1.2.3-rc.1, <2", ["1.2.3-rc.2", "1.2.3", "1.4.0"], ["1.2.3-beta", "1.3.0-rc.1"]),
        (">1.0.0-a, <1.0.0-b", ["1.0.0-a.1"], ["1.0.0-a", "1.0.0"]),
    ],
)
def test_range_takes_in_the_versions_that_it_says(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = parse_range(text)

    assert [version for version in inside if parse_version(version) not in found] == []
    assert [version for version in outside if parse_version(version) in found] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no range of versions"),
        ("1.x", "is no version"),
        ("*", "is no range of versions"),
        ("^1 || ^2", "is no range of versions"),
        (">=1,", "is no range of versions"),
        ("1.2", "is half a version: write it out, as '1.2.0', or '^1.2'"),
        (">=2,<1", "no version can be in the range"),
        (">1.2.3,<1.2.4", "no version can be in the range"),
        ("=1.0.0,=1.0.1", "no version can be in the range"),
        ("1" * 300, "is no range"),
    ],
)
def test_what_is_no_range_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_range(text)

    assert said in caught.value.message


def test_latest_version_in_the_range_is_chosen() -> None:
    there = [parse_version(text) for text in ("1.0.0", "1.9.0", "1.10.0", "2.0.0", "1.11.0-rc.1")]

    assert parse_range("^1").choose(there) == parse_version("1.10.0")
    assert parse_range("^3").choose(there) is None


@given(versions)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_range_around_a_version_has_it(version: Version) -> None:
    for relation in ("^", "~", ">=", "<=", "="):
        assert version in parse_range(f"{relation}{version}")


@given(versions, versions)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_caret_range_has_nothing_that_breaks(base: Version, other: Version) -> None:
    inside = other in parse_range(f"^{base}")
    if inside and not base.prerelease and not other.prerelease:
        assert other >= base
        assert compare_versions(base, other) != "major"
