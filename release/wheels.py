"""What the built distributions say about themselves."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

__all__ = ["PREFIX", "ReleaseError", "Requirements", "Wheel", "normalise", "read_wheels"]

PREFIX = "afactory-"

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


class ReleaseError(Exception):
    """A release is refused.

    Attributes:
        problems: One line per reason, each saying what to do.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Requirements:
    """What a distribution asks of the environment that it is installed into.

    Attributes:
        python: Its ``Requires-Python``, empty if it has none.
        extras: The names of its optional parts, sorted.
        requires: Its ``Requires-Dist`` entries without superfluous blanks, sorted.
    """

    python: str
    extras: tuple[str, ...]
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Wheel:
    """One built distribution.

    Attributes:
        distribution: The normalised name, for example ``afactory-core``.
        version: Its version.
        requirements: What it requires.
        files: The wheel and the source archive.
    """

    distribution: str
    version: str
    requirements: Requirements
    files: tuple[Path, Path]

    @property
    def concern(self) -> str:
        """The name of its folder under ``packages``."""
        return self.distribution.removeprefix(PREFIX)

    @property
    def tag(self) -> str:
        """The git tag that marks this version as released."""
        return f"{self.concern}-v{self.version}"

    @property
    def first_party(self) -> frozenset[str]:
        """The distributions of this repository that it requires, extras included."""
        names = (_NAME.match(entry) for entry in self.requirements.requires)
        found = {normalise(name.group()) for name in names if name is not None}
        return frozenset(name for name in found if name.startswith(PREFIX)) - {self.distribution}


def normalise(name: str) -> str:
    """Normalise a distribution name: lower case, with single hyphens.

    Args:
        name: Any spelling of it.

    Returns:
        The spelling that all others are compared by.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def read_wheels(folder: Path) -> dict[str, Wheel]:
    """Read every wheel in a folder.

    Args:
        folder: The folder that `make package` wrote, with a source archive beside each wheel.

    Returns:
        The wheels by distribution name.

    Raises:
        ReleaseError: If there are no wheels, two of one distribution, one that is not of this
            repository, or one without its source archive.
    """
    wheels: dict[str, Wheel] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.whl")):
        try:
            wheel = _read_wheel(path)
        except ReleaseError as error:
            problems.extend(error.problems)
            continue
        if wheel.distribution in wheels:
            problems.append(
                f"{path}: a second wheel of {wheel.distribution}; empty {folder} and run `make"
                " package`"
            )
        wheels[wheel.distribution] = wheel
    if not wheels and not problems:
        problems.append(f"{folder}: holds no wheel; run `make package` first")
    if problems:
        raise ReleaseError(*problems)
    return wheels


def _read_wheel(path: Path) -> Wheel:
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError) as error:
        raise ReleaseError(
            f"{path}: not a wheel with metadata; delete it and run `make package`"
        ) from error
    distribution, version = normalise(headers.get("Name", "")), headers.get("Version", "")
    if not distribution.startswith(PREFIX):
        raise ReleaseError(
            f"{path}: {distribution or 'a nameless distribution'} is not of this repository; "
            f"names start with {PREFIX!r}"
        )
    sdist = path.with_name(f"{distribution.replace('-', '_')}-{version}.tar.gz")
    if not sdist.is_file():
        raise ReleaseError(f"{sdist}: the source archive is missing; run `make package`")
    requires = sorted(" ".join(entry.split()) for entry in headers.get_all("Requires-Dist", []))
    extras = sorted(map(normalise, headers.get_all("Provides-Extra", [])))
    requirements = Requirements(headers.get("Requires-Python", ""), tuple(extras), tuple(requires))
    return Wheel(distribution, version, requirements, (path, sdist))
