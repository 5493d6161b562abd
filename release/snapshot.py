"""The record of what each released version requires, kept in version control.

The record at a version's tag is what was published, because the gate lets no wheel pass that
differs from it. So a later build can be compared with what users have, without asking an index and
without building the old tag again.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from release.wheels import ReleaseError, Requirements, Wheel

__all__ = ["SNAPSHOT", "Entry", "differences", "parse_snapshot", "render_snapshot"]

SNAPSHOT = Path("release/metadata.toml")

_HEADER = """\
# What the current version of each distribution requires, as its wheel says. Written by
# `make package` followed by `python3 -m release snapshot`; do not edit by hand. A change here
# without a change of the version beside it is refused once that version has been released.
"""


@dataclass(frozen=True)
class Entry:
    """The record of one distribution.

    Attributes:
        version: The version it describes.
        requirements: What that version requires.
    """

    version: str
    requirements: Requirements


def parse_snapshot(text: str, origin: str) -> dict[str, Entry]:
    """Read the record.

    Args:
        text: The TOML text.
        origin: Where it comes from, for errors.

    Returns:
        The entries by distribution name.

    Raises:
        ReleaseError: If it is malformed.
    """
    entries: dict[str, Entry] = {}
    try:
        for name, table in tomllib.loads(text).items():
            requirements = Requirements(
                str(table["python"]),
                tuple(map(str, table["extras"])),
                tuple(map(str, table["requires"])),
            )
            entries[name] = Entry(str(table["version"]), requirements)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{origin}: malformed ({error}); run `make package` and `python3 -m release snapshot`"
        ) from error
    return entries


def render_snapshot(wheels: Iterable[Wheel]) -> str:
    """Write the record of the given wheels.

    Args:
        wheels: The wheels of all distributions.

    Returns:
        TOML text, the same for the same wheels.
    """
    blocks = [_HEADER]
    for wheel in sorted(wheels, key=lambda wheel: wheel.distribution):
        needs = wheel.requirements
        blocks.append(
            f"[{wheel.distribution}]\n"
            f"version = {_string(wheel.version)}\n"
            f"python = {_string(needs.python)}\n"
            f"extras = {_array(needs.extras)}\n"
            f"requires = {_array(needs.requires)}\n"
        )
    return "\n".join(blocks)


def differences(before: Requirements, after: Requirements) -> str:
    """Describe how requirements have changed.

    Args:
        before: The old ones.
        after: The new ones.

    Returns:
        A short description, empty if they are equal.
    """
    parts = []
    if before.python != after.python:
        parts.append(
            f"Requires-Python {before.python or '(none)'} became {after.python or '(none)'}"
        )
    pairs: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "extra": (before.extras, after.extras),
        "requirement": (before.requires, after.requires),
    }
    for kind, (old, new) in pairs.items():
        parts += [f"{kind} {item!r} gone" for item in old if item not in new]
        parts += [f"{kind} {item!r} new" for item in new if item not in old]
    return ", ".join(parts)


def _string(value: str) -> str:
    # A JSON string without surrogate pairs is a TOML basic string.
    return json.dumps(value, ensure_ascii=False)


def _array(values: tuple[str, ...]) -> str:
    if not values:
        return "[]"
    return "[\n" + "".join(f"    {_string(value)},\n" for value in values) + "]"
