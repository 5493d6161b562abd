"""Paths that may be read or written, and which paths lie within them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["GrantedPath", "resolve_path"]

MAX_PATH_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class GrantedPath:
    """A place in the file system, as a way that can be walked without following a link.

    Attributes:
        anchor: An absolute folder without links in its path; whoever runs the blueprint chose it.
        names: The names that lead from there to the place. None of them may be a link: whoever opens the place walks them
            one by one, so that no link and no race leads elsewhere.
    """

    anchor: Path
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The place as one path, for messages."""
        return self.anchor.joinpath(*self.names)

    def contains(self, other: GrantedPath) -> bool:
        """Return whether a place is this one, or lies below it.

        Args:
            other: The place.
        """
        mine, theirs = self.path.parts, other.path.parts
        return theirs[: len(mine)] == mine


def resolve_path(text: str, folder: Path) -> GrantedPath:
    """Return the place that a path of a blueprint means. Nothing is opened.

    The blueprint's folder, and what ``..`` at the beginning leads to, are taken as they really are; so is an absolute path.
    What follows is taken by its letters: names that are links are refused when the place is opened.

    Args:
        text: A path with ``/`` between its names; relative to the folder unless it is absolute.
        folder: The folder of the blueprint.

    Raises:
        ConfigurationError: The path cannot be used: ``..`` after a name, NUL, half a character, or no end.
    """
    if len(text) > MAX_PATH_CHARACTERS:
        raise ConfigurationError(
            f"a path has {len(text):,} characters: at most {MAX_PATH_CHARACTERS:,} are allowed"
        )
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{text!r} is no valid path: it has half a character in it"
        ) from None
    if "\0" in text or not text.strip():
        raise ConfigurationError(f"{text!r} is no valid path: it is empty, or has a NUL in it")
    pure = PurePosixPath(text)
    if pure.is_absolute():
        if ".." in pure.parts:
            raise ConfigurationError(f"{text!r} has '..' in it: write the path out")
        return GrantedPath(Path(os.path.realpath(text)), ())
    names = list(pure.parts)
    anchor = Path(os.path.realpath(folder))
    while names and names[0] == "..":
        anchor = anchor.parent
        names.pop(0)
    if ".." in names:
        raise ConfigurationError(f"{text!r} has '..' after a name: write the path out")
    return GrantedPath(anchor, tuple(names))
