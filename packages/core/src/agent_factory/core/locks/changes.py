"""Changes between two versions of a blueprint, and how texts and schemas are shown to have changed."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agent_factory.core.locks.canonical import thaw
from agent_factory.core.locks.schema_changes import compare_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent_factory.core.locks.schema_changes import SchemaChange, SchemaEffect
    from agent_factory.core.locks.versions import Level

__all__ = [
    "Change",
    "ChangeKind",
    "compare_interface",
    "get_highest",
    "show_data_change",
    "show_line",
    "show_schema_change",
    "show_text_change",
]

ChangeKind: TypeAlias = Literal["added", "changed", "removed"]

_MAX_LINES = 200
_MAX_CHARS = 300
_MAX_COMPARED = 5_000
_ORDER: dict[str, int] = {"patch": 0, "minor": 1, "major": 2}

# To take less breaks those who give it; to return more breaks those who read it. What cannot be judged breaks both.
_LEVELS: dict[str, dict[SchemaEffect, Level]] = {
    "inputs": {
        "added": "minor",
        "default": "minor",
        "looser": "minor",
        "removed": "major",
        "stricter": "major",
        "unknown": "major",
        "words": "patch",
    },
    "outputs": {
        "added": "minor",
        "default": "patch",
        "looser": "major",
        "removed": "major",
        "stricter": "minor",
        "unknown": "major",
        "words": "patch",
    },
}
_WORDS: dict[SchemaEffect, str] = {
    "added": "described now",
    "default": "another default",
    "looser": "looser",
    "removed": "gone",
    "stricter": "stricter",
    "unknown": "cannot be judged",
    "words": "words",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions of a blueprint.

    Attributes:
        part: The part that it is in, such as ``prompts``.
        name: What has changed in it.
        kind: What has happened to it.
        level: What it asks of the version.
        summary: One sentence for people.
        detail: More lines, such as a unified diff; may be empty. Characters that cannot be seen are written as escapes.
        asks_consent: Whether the blueprint may touch something that it could not before, so that whoever runs it has
            to agree.
    """

    part: str
    name: str
    kind: ChangeKind
    level: Level
    summary: str
    detail: str = ""
    asks_consent: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain JSON-compatible data."""
        return {
            "part": self.part,
            "name": self.name,
            "kind": self.kind,
            "level": self.level,
            "summary": self.summary,
            "detail": self.detail,
            "asks_consent": self.asks_consent,
        }


def get_highest(levels: Iterable[Level]) -> Level | None:
    """Return the highest level, or None where there is none.

    Args:
        levels: Any levels.
    """
    return max(levels, key=_ORDER.__getitem__, default=None)


def show_text_change(old: str, new: str) -> str:
    """Return a unified diff of two texts, of bounded length. A final line end that is missing shows as a line that says so.

    Args:
        old: The text before.
        new: The text after.
    """
    before, after = _split(old), _split(new)
    if len(before) + len(after) > _MAX_COMPARED:
        return f"{len(before):,} lines have become {len(after):,}: too many to be compared"
    lines = [
        show_line(line)
        for line in difflib.unified_diff(before, after, "old", "new", lineterm="", n=2)
    ]
    hidden = len(lines) - _MAX_LINES
    if hidden > 0:
        lines[_MAX_LINES:] = [f"... and {hidden:,} more lines"]
    return "\n".join(lines)


def show_data_change(old: object, new: object) -> str:
    """Return a unified diff of data, of bounded length.

    Args:
        old: JSON-compatible data before; a text is shown as its lines.
        new: JSON-compatible data after.
    """
    return show_text_change(_render(old), _render(new))


def compare_interface(
    part: str, old: Mapping[str, Any] | bool | None, new: Mapping[str, Any] | bool | None
) -> list[Change]:
    """Return how what a blueprint takes, or what it returns, has changed for those who use it.

    Inputs may become looser and outputs stricter without breaking anybody; the other way round they break. Where
    there was no schema, or is none any more, data takes the place of a text, which breaks too.

    Args:
        part: ``inputs`` or ``outputs``.
        old: The JSON Schema before, or None.
        new: The JSON Schema after, or None.

    Returns:
        One change, or none.
    """
    if old is None and new is None:
        return []
    if old is None:
        said = f"the {part} have a schema now: data takes the place of a text"
        return [Change(part, part, "added", "major", said)]
    if new is None:
        said = f"the {part} have no schema any more: a text takes the place of data"
        return [Change(part, part, "removed", "major", said)]
    found = compare_schemas(old, new)
    if not found:
        return []
    levels = _LEVELS[part]
    level = get_highest(levels[item.effect] for item in found)
    decisive = next(item for item in found if levels[item.effect] == level)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    summary = f"the schema of the {part} has changed: {show_schema_change(decisive)}{more}"
    detail = "\n".join(f"{levels[item.effect]}: {show_schema_change(item)}" for item in found)
    return [Change(part, part, "changed", level or "patch", summary, detail)]


def show_schema_change(change: SchemaChange) -> str:
    """Return a change of a schema in words.

    Args:
        change: The change.
    """
    text = f"{change.path}: " if change.path else ""
    return show_line(f"{text}{change.message} ({_WORDS[change.effect]})")


def _render(data: object) -> str:
    if data is None or isinstance(data, str):
        return data or ""
    return json.dumps(thaw(data), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _split(text: str) -> list[str]:
    # Not splitlines(), for which other characters end a line too.
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines, "\\ no line end here"]


def show_line(line: str) -> str:
    """Return a line as it may be shown: of bounded length, and with escapes for what cannot be seen.

    Args:
        line: A line of a file.
    """
    # What a file holds must neither steer the terminal nor hide.
    shown = "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode()
        for char in line[:_MAX_CHARS]
    )
    return f"{shown}..." if len(line) > _MAX_CHARS else shown
