"""Names for the parts of a blueprint that have none in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["find_free_name", "is_name"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a part of a blueprint.

    Args:
        text: The text.
    """
    return _NAME.fullmatch(text) is not None


def find_free_name(wanted: str, taken: Container[str]) -> str:
    """Return a name that is not taken: the wanted one, or one with a number behind it.

    Args:
        wanted: The name that would be best; other characters than those of names are replaced.
        taken: The names that are taken.
    """
    base = re.sub(r"[^A-Za-z0-9_-]", "_", wanted).lstrip("0123456789_-")[:56] or "part"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name
