"""How the values of single keywords of JSON Schema compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from agent_factory.core.locks.canonical import canonicalise

__all__ = [
    "ANNOTATIONS",
    "DEFINITIONS",
    "SchemaChange",
    "SchemaEffect",
    "compare_keywords",
    "create_change",
    "is_same",
]

SchemaEffect: TypeAlias = Literal[
    "stricter", "looser", "added", "removed", "default", "words", "unknown"
]
"""What a change does: refuses what was admitted; admits what was refused; describes an optional property that was open before;
describes a property no more; changes a default; changes words for people; or cannot be judged."""

Path: TypeAlias = tuple[str, ...]
Schema: TypeAlias = Mapping[str, Any]

ANNOTATIONS = frozenset(
    ("$comment", "deprecated", "description", "examples", "readOnly", "title", "writeOnly")
)
"""Keywords that are words for people."""

DEFINITIONS = frozenset(("$defs", "definitions"))
"""Keywords that hold schemas to refer to."""

_TYPES = frozenset(("null", "boolean", "object", "array", "string", "integer", "fraction"))
_LOWER = {"minItems": 0, "minLength": 0, "minProperties": 0}
_UPPER = ("maxItems", "maxLength", "maxProperties")
_RANGE = frozenset(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"))
# What is compared elsewhere, for it holds schemas.
_NESTED = frozenset(("$ref", "additionalProperties", "allOf", "anyOf", "items", "properties"))
_JUDGED = frozenset((*_LOWER, *_UPPER, *_RANGE, "const", "default", "enum", "required", "type"))


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One thing that has changed in a schema.

    Attributes:
        path: Where in the schema, such as ``properties.city``; empty for the whole of it.
        effect: What the change does.
        message: What has changed; for people.
    """

    path: str
    effect: SchemaEffect
    message: str


def create_change(path: Path, effect: SchemaEffect, message: str) -> SchemaChange:
    """Return a change at the end of a path."""
    return SchemaChange(".".join(path), effect, message)


def is_same(old: object, new: object) -> bool:
    """Return whether two values are the same JSON, where 1 is 1.0 and not true."""
    return canonicalise(old) == canonicalise(new)


def compare_keywords(
    old: Schema, new: Schema, path: Path, means_same: Callable[[object, object], bool]
) -> Iterator[SchemaChange]:
    """Return what has changed in the keywords that hold no schemas, and in those that nothing is known about.

    Args:
        old: The schema before.
        new: The schema after.
        path: Where it is.
        means_same: Whether two values are the same, and so is what they refer to.
    """
    keys = {*old, *new} - DEFINITIONS - _NESTED
    if any(not is_same(_wrap(old, key), _wrap(new, key)) for key in keys & ANNOTATIONS):
        yield create_change(path, "words", "what is told of it has changed")
    if not is_same(_wrap(old, "default"), _wrap(new, "default")):
        said = f"the default is now {_show(new, 'default')} instead of {_show(old, 'default')}"
        yield create_change(path, "default", said)
    yield from _compare_types(old, new, path)
    yield from _compare_choices(old, new, path)
    yield from _compare_ranges(old, new, path)
    yield from _compare_sizes(old, new, path)
    yield from _compare_required(old, new, path)
    for key in sorted(keys - _JUDGED - ANNOTATIONS):
        if not means_same(_wrap(old, key), _wrap(new, key)):
            yield _judge_other(key, old, new, path)


def _compare_types(old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
    had, has = _read_types(old.get("type")), _read_types(new.get("type"))
    if had is None or has is None:
        if not is_same(old.get("type"), new.get("type")):
            yield create_change((*path, "type"), "unknown", "it is no type that is known")
        return
    said = f"the type is {_show(new, 'type')} instead of {_show(old, 'type')}"
    if had - has:
        yield create_change((*path, "type"), "stricter", said)
    if has - had:
        yield create_change((*path, "type"), "looser", said)


def _read_types(value: object) -> frozenset[str] | None:
    """Return the types that are admitted; None where one of them is not known."""
    if value is None:
        return _TYPES
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)):
        return None
    types: set[str] = set()
    for name in names:
        if name == "number":
            types |= {"integer", "fraction"}
        elif isinstance(name, str) and name in _TYPES and name != "fraction":
            types.add(name)
        else:
            return None
    return frozenset(types)


def _compare_choices(old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
    if not all(isinstance(schema.get("enum", ()), (list, tuple)) for schema in (old, new)):
        if not is_same(_wrap(old, "enum"), _wrap(new, "enum")):
            yield create_change((*path, "enum"), "unknown", "it is no list of choices")
        return
    had, has = _read_choices(old), _read_choices(new)
    if had == has:
        return
    place = (*path, "enum")
    if had is None or has is None:
        said = (
            "there is now a list of choices"
            if had is None
            else "there is no list of choices any more"
        )
        yield create_change(place, "stricter" if had is None else "looser", said)
        return
    if had - has:
        yield create_change(place, "stricter", f"not to be chosen any more: {_list(had - has)}")
    if has - had:
        yield create_change(place, "looser", f"can be chosen now: {_list(has - had)}")


def _read_choices(schema: Schema) -> frozenset[bytes] | None:
    choices = schema.get("enum")
    found = None if choices is None else frozenset(canonicalise(item) for item in choices)
    if "const" in schema:
        constant = frozenset((canonicalise(schema["const"]),))
        return constant if found is None else constant & found
    return found


def _list(choices: frozenset[bytes]) -> str:
    shown = [item.decode()[:60] for item in sorted(choices)[:10]]
    return ", ".join(shown) + (", ..." if len(choices) > len(shown) else "")


def _compare_ranges(old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
    if all(is_same(_wrap(old, key), _wrap(new, key)) for key in _RANGE):
        return
    if not all(_is_number(schema[key]) for schema in (old, new) for key in _RANGE if key in schema):
        yield create_change(path, "unknown", "a bound is no number")
        return
    for name, sign in (("minimum", 1), ("maximum", -1)):
        before, after = _read_bound(old, name, sign), _read_bound(new, name, sign)
        if before != after:
            stricter = before is None or (after is not None and after > before)
            said = f"the {name} is now {_show_bound(after, sign)} instead of {_show_bound(before, sign)}"
            yield create_change((*path, name), "stricter" if stricter else "looser", said)


def _read_bound(schema: Schema, name: str, sign: int) -> tuple[Fraction, bool] | None:
    """Return the tightest bound, the greater the stricter, and whether the value itself is left out."""
    exclusive = f"exclusive{name.capitalize()}"
    bounds = [
        (sign * Fraction(schema[key]), key == exclusive)
        for key in (name, exclusive)
        if key in schema
    ]
    return max(bounds, default=None)


def _show_bound(bound: tuple[Fraction, bool] | None, sign: int) -> str:
    if bound is None:
        return "none"
    value = sign * bound[0]
    shown = str(value.numerator) if value.denominator == 1 else repr(float(value))
    return f"{shown}, itself left out" if bound[1] else shown


def _compare_sizes(old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
    for key in (*_LOWER, *_UPPER):
        before, after = old.get(key, _LOWER.get(key)), new.get(key, _LOWER.get(key))
        if is_same(before, after):
            continue
        if not all(item is None or _is_number(item) for item in (before, after)):
            yield create_change((*path, key), "unknown", "it is no number")
            continue
        if key in _LOWER:
            stricter = after > before
        else:
            stricter = before is None or (after is not None and after < before)
        said = f"it is now {_show(new, key)} instead of {_show(old, key)}"
        yield create_change((*path, key), "stricter" if stricter else "looser", said)


def _compare_required(old: Schema, new: Schema, path: Path) -> Iterator[SchemaChange]:
    before, after = old.get("required", ()), new.get("required", ())
    if not all(
        isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
        for names in (before, after)
    ):
        if not is_same(before, after):
            yield create_change((*path, "required"), "unknown", "it is no list of names")
        return
    for name in sorted(set(after) - set(before)):
        yield create_change((*path, "required"), "stricter", f"{name!r} is required now")
    for name in sorted(set(before) - set(after)):
        yield create_change((*path, "required"), "looser", f"{name!r} is not required any more")


def _judge_other(key: str, old: Schema, new: Schema, path: Path) -> SchemaChange:
    place = (*path, key)
    said = f"it is now {_show(new, key)} instead of {_show(old, key)}"
    if key == "multipleOf" and all(
        _is_number(s[key]) and s[key] > 0 for s in (old, new) if key in s
    ):
        before, after = Fraction(old.get(key, 0)), Fraction(new.get(key, 0))
        if not before or (after and (after / before).denominator == 1):
            return create_change(place, "stricter", said)
        if not after or (before / after).denominator == 1:
            return create_change(place, "looser", said)
    if key == "uniqueItems" and all(isinstance(s.get(key, False), bool) for s in (old, new)):
        if old.get(key, False) == new.get(key, False):
            return create_change(place, "words", "it is written in another way")
        return create_change(place, "stricter" if new.get(key, False) else "looser", said)
    if key in ("pattern", "format") and (key not in old or key not in new):
        return create_change(place, "stricter" if key in new else "looser", said)
    return create_change(
        place, "unknown", f"{key!r} has changed, and whether that breaks anything cannot be judged"
    )


def _wrap(schema: Schema, key: str) -> tuple[Any, ...]:
    """Return what stands under a key, so that null differs from nothing."""
    return (schema[key],) if key in schema else ()


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _show(schema: Schema, key: str) -> str:
    if key not in schema:
        return "none"
    shown = canonicalise(schema[key]).decode()
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
