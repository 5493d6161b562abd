"""Whether a JSON Schema admits more, or less, than it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_factory.core.locks.canonical import canonicalise
from agent_factory.core.locks.schema_keywords import (
    ANNOTATIONS,
    DEFINITIONS,
    Path,
    Schema,
    SchemaChange,
    SchemaEffect,
    compare_keywords,
    create_change,
    is_same,
)

__all__ = ["SchemaChange", "SchemaEffect", "compare_schemas"]

_MAX_STEPS = 10_000
_MAX_CHANGES = 100
_MAX_DEPTH = 40


def compare_schemas(old: Schema | bool, new: Schema | bool) -> tuple[SchemaChange, ...]:
    """Return what has changed between two schemas (2020-12).

    It errs on the side of care: each keyword is looked at by itself, so a change may be called stricter or looser
    that makes no difference beside the others, and what is not understood is called unknown. No change is called
    harmless that is not, but for one: a property that a schema did not name, though it admitted it, was promised to
    nobody. To name it as an optional one is ``added``, whatever it must hold.

    Args:
        old: The schema before.
        new: The schema after.

    Returns:
        At most 101 changes, the last of which says so if there are more; empty only if both are the same.
    """
    if is_same(old, new):
        return ()
    found: dict[SchemaChange, None] = {}
    for change in _Comparison(old, new).compare(old, new, ()):
        found[change] = None
        if len(found) >= _MAX_CHANGES:
            said = f"there are {_MAX_CHANGES} changes or more, so the rest was not looked at"
            found[SchemaChange("", "unknown", said)] = None
            break
    # Such as definitions that nothing refers to.
    return tuple(found) or (SchemaChange("", "words", "it is written in another way"),)


class _Comparison:
    def __init__(self, old: object, new: object) -> None:
        self._old = old
        self._new = new
        self._steps = 0
        self._followed: set[tuple[str, str]] = set()
        # Whether the same words mean the same on both sides, even if they refer to something.
        self._is_trusted = all(
            is_same(_get(old, name), _get(new, name)) for name in DEFINITIONS
        ) and all(
            reference.startswith(("#/$defs/", "#/definitions/"))
            for root in (old, new)
            for reference in _find_references(root)
        )

    def compare(self, old: object, new: object, path: Path) -> Iterator[SchemaChange]:
        self._steps += 1
        if self._steps > _MAX_STEPS or len(path) > _MAX_DEPTH:
            yield create_change(path, "unknown", "the schema is too large to be compared")
            return
        if self._is_same(old, new):
            return
        old, new = {} if old is True else old, {} if new is True else new
        if old is False or new is False:
            if old is not new:
                effect: SchemaEffect = "looser" if old is False else "stricter"
                said = "is admitted now" if old is False else "is admitted no more"
                yield create_change(path, effect, f"a value {said}")
        elif not isinstance(old, Mapping) or not isinstance(new, Mapping):
            yield create_change(path, "unknown", "it is no schema")
        else:
            yield from self._compare_references(old, new, path)

    def _compare_references(self, old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
        # A schema is the same as a choice of one: so 'string' can become 'string or null'.
        if "anyOf" in new and "anyOf" not in old and _is_only(new, "anyOf"):
            old = _as_choice(old)
        elif "anyOf" in old and "anyOf" not in new and _is_only(old, "anyOf"):
            new = _as_choice(new)
        had, has = old.get("$ref"), new.get("$ref")
        if had is None and has is None:
            yield from self._compare_plain(old, new, path)
            return
        before, after = _resolve(self._old, had), _resolve(self._new, has)
        if had is not None and has is not None and before is not None and after is not None:
            yield from self._follow((str(had), str(has)), before, after, path)
            yield from self._compare_plain(_without(old, "$ref"), _without(new, "$ref"), path)
        elif had is None and after is not None and _is_only(new, "$ref"):
            # A definition may lead to itself on one side alone, so where it stands counts too.
            place = ".".join(path)
            yield from self._follow((f"@{place}", str(has)), old, after, path)
        elif has is None and before is not None and _is_only(old, "$ref"):
            place = ".".join(path)
            yield from self._follow((str(had), f"@{place}"), before, new, path)
        else:
            yield create_change(path, "unknown", "it refers to what cannot be judged")

    def _follow(
        self, key: tuple[str, str], old: object, new: object, path: Path
    ) -> Iterator[SchemaChange]:
        if key not in self._followed:
            self._followed.add(key)
            yield from self.compare(old, new, path)

    def _compare_plain(self, old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
        keys = {*old, *new}
        yield from compare_keywords(old, new, path, self._is_same)
        if {"properties", "additionalProperties"} & keys:
            yield from self._compare_properties(old, new, path)
        if "items" in keys:
            place = (*path, "items")
            yield from self.compare(old.get("items", True), new.get("items", True), place)
        for key in ("anyOf", "allOf"):
            if key in keys:
                yield from self._compare_lists(key, old.get(key), new.get(key), (*path, key))

    def _compare_properties(self, old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
        had, has = old.get("properties", {}), new.get("properties", {})
        if not isinstance(had, Mapping) or not isinstance(has, Mapping):
            if not self._is_same(had, has):
                yield create_change(path, "unknown", "'properties' is no object")
            return
        rest, rest_after = (item.get("additionalProperties", True) for item in (old, new))
        # Then what a property must be is not told by these two keywords alone.
        mixed = any(
            key in item
            for item in (old, new)
            for key in ("patternProperties", "unevaluatedProperties")
        )
        for name in sorted({*had, *has}):
            place = (*path, "properties", name)
            if name in had and name in has:
                yield from self.compare(had[name], has[name], place)
            elif mixed:
                said = "the property is new, or gone, beside patterns, which cannot be judged"
                yield create_change(place, "unknown", said)
            elif name in had:
                yield create_change(place, "removed", "the property is described no more")
            elif rest is False:
                yield create_change(place, "looser", "the property is new")
            elif _is_only(rest) and has[name] is not False:
                yield create_change(place, "added", "the property is new")
            else:
                yield from self.compare(rest, has[name], place)
        place = (*path, "additionalProperties")
        if mixed and not self._is_same(rest, rest_after):
            said = "it has changed beside patterns, which cannot be judged"
            yield create_change(place, "unknown", said)
        else:
            yield from self.compare(rest, rest_after, place)

    def _compare_lists(
        self, key: str, old: object, new: object, path: Path
    ) -> Iterator[SchemaChange]:
        if old is None or new is None:
            effect: SchemaEffect = "stricter" if old is None else "looser"
            yield create_change(
                path, effect, f"there is {key!r} {'now' if old is None else 'no more'}"
            )
            return
        if not isinstance(old, (list, tuple)) or not isinstance(new, (list, tuple)):
            if not is_same(old, new):
                yield create_change(path, "unknown", f"{key!r} is no list")
            return
        before = {canonicalise(item): item for item in old}
        after = {canonicalise(item): item for item in new}
        for text, item in before.items():
            if text in after:
                yield from self.compare(item, after[text], path)
        less = [item for text, item in before.items() if text not in after]
        more = [item for text, item in after.items() if text not in before]
        if len(less) == len(more) == 1:
            yield from self.compare(less[0], more[0], path)
        elif less and more:
            yield create_change(path, "unknown", "several of its schemas have changed")
        elif less or more:
            wider = bool(more) if key == "anyOf" else bool(less)
            said = "a schema was added" if more else "a schema was taken away"
            yield create_change(path, "looser" if wider else "stricter", said)

    def _is_same(self, old: object, new: object) -> bool:
        """Return whether two schemas are the same, together with what they refer to."""
        return is_same(old, new) and (self._is_trusted or next(_find_references(old), None) is None)


def _resolve(root: object, reference: object) -> object:
    """Return what a reference within a schema leads to, or None."""
    if not isinstance(reference, str) or (reference != "#" and not reference.startswith("#/")):
        return None
    found = root
    for name in reference.split("/")[1:]:
        key = name.replace("~1", "/").replace("~0", "~")
        if "%" in key or not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def _find_references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, item in schema.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(item, str):
                yield item
            else:
                yield from _find_references(item)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            yield from _find_references(item)


def _is_only(schema: object, *keys: str) -> bool:
    """Return whether a schema demands nothing besides what stands under some keys."""
    if isinstance(schema, Mapping):
        return not set(schema) - ANNOTATIONS - DEFINITIONS - {"default", *keys}
    return schema is True


def _as_choice(schema: Schema) -> dict[str, Any]:
    told = ANNOTATIONS | DEFINITIONS | {"default"}
    kept = {key: item for key, item in schema.items() if key in told}
    return {**kept, "anyOf": [{key: item for key, item in schema.items() if key not in told}]}


def _without(schema: Schema, key: str) -> dict[str, Any]:
    return {name: item for name, item in schema.items() if name != key}


def _get(schema: object, key: str) -> object:
    return schema.get(key) if isinstance(schema, Mapping) else None
