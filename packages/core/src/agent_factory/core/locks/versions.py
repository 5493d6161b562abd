"""Versions by the rules of Semantic Versioning 2.0.0."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Literal, TypeAlias

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["Level", "Version", "check_version", "compare_versions", "parse_version"]

Level: TypeAlias = Literal["patch", "minor", "major"]
"""How much a change asks of those who use a blueprint: nothing, a look, or a decision."""

_MAX_CHARS = 256
_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<prerelease>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+(?P<build>[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version. Versions are ordered by precedence; the build is no part of it, so it makes no two versions differ.

    Attributes:
        major: Goes up when something that was relied on breaks; at least 0.
        minor: Goes up when something is added; at least 0.
        patch: Goes up when something is mended; at least 0.
        prerelease: Identifiers after the ``-``, numbers as numbers; empty for a release.
        build: What stands after the ``+``, or an empty text.
    """

    major: int
    minor: int
    patch: int
    prerelease: tuple[int | str, ...] = ()
    build: str = field(default="", compare=False)

    @property
    def release(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.major, self.minor, self.patch

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        # A release comes after its pre-releases; numbers come before words; the longer of two equal beginnings is later.
        identifiers = tuple(
            (0, item, "") if isinstance(item, int) else (1, 0, item) for item in self.prerelease
        )
        return self.release, not self.prerelease, identifiers

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.prerelease:
            text += f"-{'.'.join(map(str, self.prerelease))}"
        return f"{text}+{self.build}" if self.build else text


def parse_version(text: str) -> Version:
    """Read a version.

    Args:
        text: A version such as ``1.4.0`` or ``2.0.0-rc.1+build.5``; at most 256 characters.

    Raises:
        ConfigurationError: It is no version of Semantic Versioning.
    """
    match = _VERSION.fullmatch(text) if len(text) <= _MAX_CHARS else None
    if match is None:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ConfigurationError(
            f"{shown!r} is no version: write three numbers such as '1.4.0', or '2.0.0-rc.1' before a release"
        )
    prerelease = match["prerelease"].split(".") if match["prerelease"] else ()
    return Version(
        int(match["major"]),
        int(match["minor"]),
        int(match["patch"]),
        tuple(int(item) if item.isdigit() else item for item in prerelease),
        match["build"] or "",
    )


def compare_versions(old: Version, new: Version) -> Level | None:
    """Return how much one version differs from another, whichever is later.

    Before 1.0.0 the second number stands for what breaks, and the third for everything else, which counts as minor.
    What lies between pre-releases of one version, or between one and its release, may break, and counts as major.

    Args:
        old: One version.
        new: The other.

    Returns:
        The level, or None where they are the same but for the build.
    """
    if old == new:
        return None
    if old.release == new.release or old.major != new.major:
        return "major"
    if old.major == 0:
        return "major" if old.minor != new.minor else "minor"
    return "minor" if old.minor != new.minor else "patch"


def check_version(old: str, new: str, level: Level | None) -> str | None:
    """Check that the version of a changed blueprint says what has changed.

    A blueprint before 1.0.0 raises the second number for a major change, and the third for any other. After a
    pre-release any later version is right. A pre-release of the version that is called for is right too.

    Args:
        old: The version before the changes.
        new: The version after them.
        level: The highest level of the changes; None where nothing has changed.

    Returns:
        What is wrong and which version is called for, or None.

    Raises:
        ConfigurationError: One of them is no version.
    """
    before, after = parse_version(old), parse_version(new)
    if after < before:
        return f"version {new} comes before {old}: the version can only go up"
    if level is None:
        return None
    wanted = _raise(before, level)
    if after == before:
        hint = "any later one" if before.prerelease else f"at least {wanted}"
        return f"the version is still {old}, but there is a {level} change: make it {hint}"
    if before.prerelease or after.release >= wanted.release:
        return None
    return f"version {new} is too low after {old} with a {level} change: make it at least {wanted}"


def _raise(version: Version, level: Level) -> Version:
    major, minor, patch = version.release
    if level == "major" and major > 0:
        return Version(major + 1, 0, 0)
    if level == "major" or (level == "minor" and major > 0):
        return Version(major, minor + 1, 0)
    return Version(major, minor, patch + 1)
