"""What a lock may hold: the keys of its parts, and what stands under them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks.canonical import DIGEST, compute_digest
from agent_factory.core.locks.manifests import manifest_from_dict, manifest_to_dict
from agent_factory.core.locks.parts import BLUEPRINT_NAME, MAX_NAME_CHARS, check_dependency_path
from agent_factory.core.locks.ranges import parse_range
from agent_factory.core.locks.versions import parse_version
from agent_factory.core.suggestions import describe_choices

__all__ = ["LOCK_SCHEMA", "SECTIONS", "Fault", "find_faults"]

LOCK_SCHEMA = "agent-factory/lock@1"
"""The value of ``schema`` in every lock of this version."""

_Kind: TypeAlias = Literal[
    "blueprint",
    "day",
    "digest",
    "digests",
    "name",
    "path",
    "price",
    "range",
    "schema",
    "text",
    "version",
    "whole",
]

SECTIONS: Mapping[str, str] = {
    "agents": "agent",
    "dependencies": "dependency",
    "evals": "eval",
    "guardrails": "guardrail",
    "limits": "limit",
    "memory": "memory",
    "models": "model",
    "prompts": "prompt",
    "schemas": "schema",
    "tools": "tool",
    "toolsets": "toolset",
    "workflows": "workflow",
}
"""The parts of a lock that hold one entry for each name, and what one entry is called."""

# A '?' at the end of a key says that it may be left out.
_ENTRIES: Mapping[str, Mapping[str, _Kind]] = {
    "dependencies": {
        "digest": "digest",
        "path": "path",
        "requires?": "range",
        "version": "version",
    },
    "models": {"price?": "price", "settings": "digest", "use": "text"},
    "tools": {"distribution?": "text", "options": "digest", "spec?": "digest", "use": "text"},
    "toolsets": {"config": "digest", "tools?": "digests"},
}
_BLUEPRINT: Mapping[str, _Kind] = {
    "digest": "digest",
    "entry": "text",
    "name": "blueprint",
    "version": "version",
}
_PRICE: Mapping[str, _Kind] = {
    "as_of": "day",
    "cached_input": "whole",
    "currency": "text",
    "input": "whole",
    "output": "whole",
    "per_request": "whole",
}
_TOP = ("blueprint", "digest", "permissions", "schema", *SECTIONS)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that may not stand in a lock.

    Attributes:
        path: The keys that lead to it.
        message: What is wrong.
        at_key: Whether the key is wrong, and not what stands under it.
    """

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False


def find_faults(data: object) -> Iterator[Fault]:
    """Return what is wrong with a lock, as data. Whether its digest fits is not looked at.

    Args:
        data: Plain data.
    """
    if not isinstance(data, Mapping):
        yield Fault((), "a lock is an object with keys")
        return
    if data.get("schema", LOCK_SCHEMA) != LOCK_SCHEMA:
        # Whatever else stands there follows other rules.
        shown = _show(data["schema"])
        yield Fault(("schema",), f"schema must be {LOCK_SCHEMA!r}, not {shown}")
        return
    yield from _check_keys((), data, _TOP, ("blueprint", "digest", "permissions", "schema"))
    if "digest" in data:
        yield from _check_value(("digest",), "digest", data["digest"])
    if "blueprint" in data:
        yield from _check_entry(("blueprint",), data["blueprint"], _BLUEPRINT)
    if "permissions" in data:
        yield from _check_permissions(data["permissions"])
    for section in SECTIONS:
        if section in data:
            yield from _check_section(section, data[section])


def _check_section(section: str, items: object) -> Iterator[Fault]:
    if not isinstance(items, Mapping):
        yield Fault((section,), f"{section} must be an object of names")
        return
    for name, entry in items.items():
        path = (section, name)
        if not name.strip() or len(name) > MAX_NAME_CHARS:
            yield Fault(path, f"a name has 1 to {MAX_NAME_CHARS} characters", at_key=True)
        elif section == "schemas" and name not in ("inputs", "outputs"):
            hint = describe_choices(name, ("inputs", "outputs"))
            yield Fault(path, f"unknown key {name!r}: {hint}", at_key=True)
        elif section == "limits":
            if isinstance(entry, (Mapping, list, tuple)):
                yield Fault(path, "a limit is one value")
        elif section in _ENTRIES:
            yield from _check_entry(path, entry, _ENTRIES[section])
        else:
            yield from _check_value(path, "digest", entry)


def _check_permissions(data: object) -> Iterator[Fault]:
    path = ("permissions",)
    if not isinstance(data, Mapping):
        yield Fault(path, "permissions must be an object")
        return
    yield from _check_keys(path, data, ("digest", "manifest"), ("digest", "manifest"))
    if "manifest" not in data:
        return
    try:
        if not isinstance(data["manifest"], Mapping):
            raise ConfigurationError("manifest must be an object")
        manifest = manifest_to_dict(manifest_from_dict(data["manifest"]))
        digest = compute_digest(manifest)
    except ConfigurationError as error:
        yield Fault((*path, "manifest"), error.message)
        return
    if "digest" in data:
        yield from _check_value((*path, "digest"), "digest", data["digest"])
        if data["digest"] != digest:
            said = "the manifest was changed by hand or by a merge: this is not its digest"
            yield Fault((*path, "digest"), said)


def _check_entry(
    path: tuple[str | int, ...], data: object, kinds: Mapping[str, _Kind]
) -> Iterator[Fault]:
    if not isinstance(data, Mapping):
        yield Fault(path, f"must be an object, not {_show(data)}")
        return
    names = [key.rstrip("?") for key in kinds]
    yield from _check_keys(path, data, names, [key for key in kinds if key[-1] != "?"])
    for key, kind in kinds.items():
        name = key.rstrip("?")
        if name in data:
            yield from _check_value((*path, name), kind, data[name])


def _check_keys(
    path: tuple[str | int, ...],
    data: Mapping[str, Any],
    known: tuple[str, ...] | list[str],
    needed: tuple[str, ...] | list[str],
) -> Iterator[Fault]:
    for key in data:
        if key not in known:
            hint = describe_choices(key, known)
            yield Fault((*path, key), f"unknown key {key!r}: {hint}", at_key=True)
    for key in needed:
        if key not in data:
            yield Fault(path, f"the key {key!r} is missing")


def _check_value(path: tuple[str | int, ...], kind: _Kind, value: object) -> Iterator[Fault]:
    if kind == "price":
        yield from _check_entry(path, value, _PRICE)
    elif kind == "digests":
        if not isinstance(value, Mapping):
            yield Fault(path, "must be an object of names")
            return
        for name, item in value.items():
            yield from _check_value((*path, name), "digest", item)
    elif kind == "whole":
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            yield Fault(path, f"must be a whole number of at least 0, not {_show(value)}")
    elif not isinstance(value, str) or (not value and path[-1] != "entry"):
        yield Fault(path, f"must be a text, not {_show(value)}")
    elif kind == "digest":
        if not DIGEST.fullmatch(value):
            yield Fault(path, f"must be 'sha256:' and 64 hexadecimal digits, not {_show(value)}")
    elif kind == "blueprint":
        if not BLUEPRINT_NAME.fullmatch(value):
            yield Fault(path, f"must be lower-case letters, digits and '-', not {_show(value)}")
    else:
        try:
            _parse(kind, value)
        except ConfigurationError as error:
            yield Fault(path, error.message)
        except ValueError:
            yield Fault(path, f"must be a day such as '2026-11-25', not {_show(value)}")


def _parse(kind: str, value: str) -> None:
    if kind == "version":
        parse_version(value)
    elif kind == "range":
        parse_range(value)
    elif kind == "path":
        check_dependency_path(value)
    elif kind == "day" and date.fromisoformat(value).isoformat() != value:
        raise ValueError(value)


def _show(value: object) -> str:
    if isinstance(value, (Mapping, list, tuple)):
        return "an object" if isinstance(value, Mapping) else "a list"
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
