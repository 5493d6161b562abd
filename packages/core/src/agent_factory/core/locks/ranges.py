"""Ranges of versions, which a blueprint gives for those that it depends on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks.versions import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Bound", "VersionRange", "parse_range"]

_Relation: TypeAlias = Literal[">=", ">", "<=", "<", "="]

_MAX_CHARS = 256
_PART = re.compile(r"(?P<relation>\^|~|>=|<=|>|<|=)?\s*(?P<version>[0-9][0-9a-zA-Z.+-]*)")
_SHORT = re.compile(r"(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?")
_FORMS = "'^1.2' (1.2 and later, before 2.0), '~1.2.3' (before 1.3), '>=1.2, <2', or one version such as '1.2.3'"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range.

    Attributes:
        relation: How a version must stand to the one of the bound.
        version: The version.
    """

    relation: _Relation
    version: Version

    def admits(self, version: Version) -> bool:
        """Return whether a version lies on the right side.

        Args:
            version: Any version.
        """
        if self.relation == ">=":
            return version >= self.version
        if self.relation == ">":
            return version > self.version
        if self.relation == "<=":
            return version <= self.version
        if self.relation == "<":
            return version < self.version
        return version == self.version


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The versions that a blueprint can work with.

    Attributes:
        text: The range as its author wrote it.
        bounds: What every version in it satisfies; at least one.
    """

    text: str
    bounds: tuple[Bound, ...]

    def __contains__(self, version: object) -> bool:
        """Return whether a version lies in the range.

        A pre-release does only if a bound names a pre-release of the same three numbers: nobody gets one by surprise.
        """
        if not isinstance(version, Version) or not all(
            bound.admits(version) for bound in self.bounds
        ):
            return False
        return not version.prerelease or any(
            bound.version.prerelease and bound.version.release == version.release
            for bound in self.bounds
        )

    def choose(self, versions: Iterable[Version]) -> Version | None:
        """Return the latest version that lies in the range, or None.

        Args:
            versions: The versions that there are.
        """
        return max((version for version in versions if version in self), default=None)

    def __str__(self) -> str:
        return self.text


def parse_range(text: str) -> VersionRange:
    """Read a range of versions.

    Args:
        text: Parts with a comma between them, all of which a version must satisfy: ``^1.2``, ``~1.2.3``, ``>=1``,
            ``<2``, or one version in full. ``^`` keeps the first number that is not 0; ``~`` keeps the first two.

    Raises:
        ConfigurationError: It is no range, or no version can lie in it.
    """
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    if len(text) > _MAX_CHARS or not text.strip():
        raise ConfigurationError(f"{shown!r} is no range of versions: write {_FORMS}")
    bounds: list[Bound] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ConfigurationError(f"{shown!r} is no range of versions: write {_FORMS}")
        bounds += _read(match["relation"] or "", match["version"])
    found = VersionRange(text.strip(), tuple(bounds))
    if _is_empty(found.bounds):
        raise ConfigurationError(
            f"no version can be in the range {shown!r}: its parts exclude each other"
        )
    return found


def _read(relation: str, text: str) -> tuple[Bound, ...]:
    short = _SHORT.fullmatch(text)
    if short is None:
        version, given = parse_version(text), 3
    else:
        major, minor = short.groups()
        version, given = Version(int(major), int(minor or 0), 0), 1 if minor is None else 2
    if relation == "^":
        return Bound(">=", version), Bound("<", _end_of_caret(version, given))
    if relation == "~":
        kept = min(given, 2)
        return Bound(">=", version), Bound("<", _step(version, kept))
    if given == 3:
        plain: dict[str, _Relation] = {">=": ">=", ">": ">", "<=": "<=", "<": "<"}
        return (Bound(plain.get(relation, "="), version),)
    # A version cut short stands for all that begin so: '>1' is later than every 1.x, '<=1' takes them in.
    if relation == ">=":
        return (Bound(">=", version),)
    if relation == "<":
        return (Bound("<", version),)
    if relation == ">":
        return (Bound(">=", _step(version, given)),)
    if relation == "<=":
        return (Bound("<", _step(version, given)),)
    raise ConfigurationError(
        f"{text!r} is half a version: write it out, as {str(version)!r}, or '^{text}' for what goes with it"
    )


def _end_of_caret(version: Version, given: int) -> Version:
    """Return the first version that may break what goes with a version."""
    for index, number in enumerate(version.release[:given], 1):
        if number > 0:
            return _step(version, index)
    return _step(version, given)


def _step(version: Version, kept: int) -> Version:
    """Return the version after all that share the first numbers of a version."""
    major, minor, patch = version.release
    if kept == 1:
        return Version(major + 1, 0, 0)
    return Version(major, minor + 1, 0) if kept == 2 else Version(major, minor, patch + 1)


def _is_empty(bounds: tuple[Bound, ...]) -> bool:
    # Between two neighbouring bounds lies a version if one of these does.
    candidates = [bound.version for bound in bounds]
    candidates += [_step(bound.version, 3) for bound in bounds]
    candidates += [
        replace(bound.version, prerelease=(*bound.version.prerelease, 0)) for bound in bounds
    ]
    candidates.append(Version(0, 0, 0))
    found = VersionRange("", bounds)
    return not any(candidate in found for candidate in candidates)
