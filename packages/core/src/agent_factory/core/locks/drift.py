"""What a blueprint has become since it was locked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent_factory.core.locks.canonical import canonicalise, thaw
from agent_factory.core.locks.manifests import FILES, LISTS, manifest_to_dict
from agent_factory.core.locks.shapes import SECTIONS

if TYPE_CHECKING:
    from agent_factory.core.locks.lock import Lock

__all__ = ["Drift", "check_lock"]

_AGAIN = "since it was locked"
_UNIT = ", in millionths of the currency's unit for a million tokens or for a request"
# Keys of entries whose values are digests: people are told that they changed, not how.
_DIGESTS = {
    "config": "its configuration has",
    "digest": "its content has",
    "options": "its options have",
    "settings": "its settings have",
    "spec": "what it tells the model of itself has",
}
_SHOWN = {
    "distribution": "package",
    "path": "path",
    "requires": "range of versions",
    "use": "use",
    "version": "version",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was locked.

    Attributes:
        part: The part of the lock, such as ``prompts``.
        name: The name of the entry in it; of a toolset's tool as ``toolset/tool``.
        kind: What has happened to it.
        message: A sentence for people.
        field: What of the entry has changed, such as ``price``; empty where it is the whole of it.
        old: What was locked: a digest, or the value itself where the lock has it; None where there was nothing.
        new: What there is now, likewise.
    """

    part: str
    name: str
    kind: Literal["added", "changed", "removed"]
    message: str
    field: str = ""
    old: Any = None
    new: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return the drift as plain JSON-compatible data."""
        return {
            "part": self.part,
            "name": self.name,
            "kind": self.kind,
            "message": self.message,
            "field": self.field,
            "old": thaw(self.old),
            "new": thaw(self.new),
        }


def check_lock(lock: Lock, current: Lock) -> tuple[Drift, ...]:
    """Return everything in which a blueprint differs from its lock.

    What nobody looked at now is not compared: the tools of a server that was not asked, and what a tool tells the
    model where the tool was not made. The same price in a later table is the same.

    Args:
        lock: The lock as it was written.
        current: The lock that the blueprint would get now.

    Returns:
        The differences, in the order of the lock; empty where there are none.
    """
    found = [*_check_blueprint(lock, current), *_check_permissions(lock, current)]
    for section in SECTIONS:
        found += _check_section(
            section, lock.sections.get(section, {}), current.sections.get(section, {})
        )
    if not found and lock.meaning != current.meaning:
        message = "the blueprint's digest is not that of its parts in the lock: lock it again"
        found.append(
            Drift("blueprint", "digest", "changed", message, "", lock.meaning, current.meaning)
        )
    return tuple(found)


def _check_blueprint(lock: Lock, current: Lock) -> Iterator[Drift]:
    for name in ("name", "version", "entry"):
        old, new = getattr(lock, name), getattr(current, name)
        if old != new:
            message = f"the {name} of the blueprint is {new!r}, but {old!r} is locked"
            yield Drift("blueprint", name, "changed", message, "", old, new)


def _check_permissions(lock: Lock, current: Lock) -> Iterator[Drift]:
    before, after = manifest_to_dict(lock.permissions), manifest_to_dict(current.permissions)
    for kind in LISTS:
        yield from _check_list(kind, before[kind], after[kind])
    for kind in FILES:
        yield from _check_list(f"files.{kind}", before["files"][kind], after["files"][kind])
    for kind in ("spend", "timeout"):
        old, new = before[kind], after[kind]
        if not _is_same(old, new):
            unit = "millionths" if kind == "spend" else "seconds"
            was = "no bound" if old is None else f"{old} {unit}"
            now = "no bound" if new is None else f"{new} {unit}"
            message = f"permissions.{kind} is {now}, but {was} is locked"
            yield Drift("permissions", kind, "changed", message, "", old, new)


def _check_list(kind: str, old: list[str], new: list[str]) -> Iterator[Drift]:
    if old == new:
        return
    more = [f"{item!r} was not locked" for item in new if item not in old]
    less = [f"{item!r} was locked" for item in old if item not in new]
    message = f"permissions.{kind} has changed {_AGAIN}: {', '.join([*more, *less])}"
    yield Drift("permissions", kind, "changed", message, "", old, new)


def _check_section(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Drift]:
    noun = SECTIONS[section]
    for name in sorted({*old, *new}):
        if name not in old:
            message = f"{noun} {name!r} is not in the lock"
            yield Drift(section, name, "added", message, "", None, new[name])
        elif name not in new:
            message = f"{noun} {name!r} is in the lock, but not in the blueprint any more"
            yield Drift(section, name, "removed", message, "", old[name], None)
        elif isinstance(old[name], Mapping):
            yield from _check_entry(section, name, old[name], new[name])
        elif not _is_same(old[name], new[name]):
            message = f"{noun} {name!r} has changed {_AGAIN}"
            if section == "limits":
                message = f"limit {name!r} is {_show(new[name])}, but {_show(old[name])} is locked"
            yield Drift(section, name, "changed", message, "", old[name], new[name])


def _check_entry(
    section: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Drift]:
    noun = f"{SECTIONS[section]} {name!r}"
    for key in sorted({*old, *new}):
        had, has = old.get(key), new.get(key)
        if key == "tools":
            yield from _check_tools(name, had, has)
        elif key == "price":
            yield from _check_price(name, had, has)
        elif had == has or (key == "spec" and has is None):
            continue
        elif key == "spec" and had is None:
            message = f"{noun}: what it tells the model of itself was not locked"
            yield Drift(section, name, "added", message, key, had, has)
        elif key in _DIGESTS:
            message = f"{noun}: {_DIGESTS[key]} changed {_AGAIN}"
            yield Drift(section, name, "changed", message, key, had, has)
        else:
            message = f"{noun}: its {_SHOWN[key]} is {_show(has)}, but {_show(had)} is locked"
            yield Drift(section, name, "changed", message, key, had, has)


def _check_tools(
    toolset: str, old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> Iterator[Drift]:
    if new is None:
        return
    if old is None:
        message = f"toolset {toolset!r}: its tools were not locked, for nobody had asked for them"
        yield Drift("toolsets", toolset, "added", message, "tools", None, new)
        return
    for name in sorted({*old, *new}):
        had, has = old.get(name), new.get(name)
        if had == has:
            continue
        tool = f"tool {name!r} of toolset {toolset!r}"
        place = f"{toolset}/{name}"
        if had is None:
            message = f"{tool} is not in the lock"
            yield Drift("toolsets", place, "added", message, "tools", None, has)
        elif has is None:
            message = f"{tool} is in the lock, but there is none any more"
            yield Drift("toolsets", place, "removed", message, "tools", had, None)
        else:
            message = f"{tool}: what it tells the model of itself has changed {_AGAIN}"
            yield Drift("toolsets", place, "changed", message, "tools", had, has)


def _check_price(
    name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[Drift]:
    if _is_same(_leave_day(old), _leave_day(new)):
        return
    if old is None:
        message = f"model {name!r} has a price now, and none is locked"
        yield Drift("models", name, "added", message, "price", old, new)
    elif new is None:
        message = f"the price of model {name!r} is not known any more, but one is locked"
        yield Drift("models", name, "removed", message, "price", old, new)
    else:
        said = ", ".join(
            f"{key} is {_show(new[key])} instead of {_show(old[key])}"
            for key in ("currency", "input", "output", "cached_input", "per_request")
            if old[key] != new[key]
        )
        message = (
            f"the price of model {name!r} has changed {_AGAIN} ({old['as_of']}, now {new['as_of']}): {said}"
            f"{_UNIT}"
        )
        yield Drift("models", name, "changed", message, "price", old, new)


def _leave_day(price: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if price is None else {key: item for key, item in price.items() if key != "as_of"}


def _is_same(old: object, new: object) -> bool:
    # Not ==, by which True is 1.
    return canonicalise(old) == canonicalise(new)


def _show(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return repr(value)
