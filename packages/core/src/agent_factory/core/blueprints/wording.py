"""The words for what is wrong with a value of a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.advice import (
    LIST,
    MAPPING,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    cut,
    hint,
    write_value,
)
from agent_factory.core.suggestions import describe_choices, find_close_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.blueprints.document import Path
    from agent_factory.core.blueprints.expectations import Expectations

__all__ = [
    "KINDS",
    "describe_bounds",
    "describe_finding",
    "describe_kinds",
    "describe_missing",
    "describe_range",
    "describe_unknown_key",
    "name_kind",
    "name_place",
]


KINDS: dict[str, str] = {
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), TEXT),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), NUMBER),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), TRUTH),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), LIST),
    **dict.fromkeys(("iterable_type",), LIST),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), MAPPING),
    **dict.fromkeys(("mapping_type", "dataclass_type"), MAPPING),
    "none_required": "nothing",
}
"""What is expected, by pydantic's type of the error that says that a value is of another kind."""

_TYPES = {"string": TEXT, "object": MAPPING}
_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,63}$": "lower-case letters, digits and '-', a letter first, at most 64 of them",
    r"^[A-Za-z][A-Za-z0-9_-]{0,63}$": "letters, digits, '_' and '-', a letter first, at most 64 of them",
}
_PREDICATE = re.compile(r"(must|has|have|is|needs?|cannot|may|does|gives?|goes|holds?)\b")
_SHOWN = 60
_MAX_CHOICES = 6


def name_place(path: Path) -> str:
    """Return what a place is called in a message.

    Args:
        path: The keys and indexes that lead to it from the root of the file.
    """
    return ".".join(cut(str(part), 40) for part in path) or "the file"


def name_kind(value: object) -> str:
    """Return what a value is called in a message: what kind it is, or itself if it is short.

    Args:
        value: Plain data.
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return cut(repr(value[: _SHOWN + 1]), _SHOWN)
    return cut(repr(value), _SHOWN)


def describe_unknown_key(key: str, known: Sequence[str] | None) -> str:
    """Return what is wrong with a key that there is not.

    Args:
        key: The key.
        known: The keys that there are; None if that is not known.
    """
    said = "" if known is None else f": {describe_choices(key, known)}"
    return f"unknown key {cut(key, _SHOWN)!r}{said}"


def describe_missing(path: Path, parent: str, expectations: Expectations) -> str:
    """Return what is wrong where a key is missing.

    Args:
        path: Where the key would be, from the root of the model.
        parent: What the place of the mapping is called.
        expectations: What the model expects.
    """
    key = path[-1]
    if isinstance(key, int):
        return f"{parent} needs an item more: it has {key}"
    where = "at the top level" if parent == "the file" else f"below {parent!r}"
    example = expectations.find_keyword(path, "const")
    if example is None:
        example = next(iter(expectations.find_keyword(path, "examples") or ()), None)
    shown = "..." if example is None or isinstance(example, (dict, list)) else write_value(example)
    return f"the key {key!r} is missing: add '{key}: {shown}' {where}"


def describe_kinds(
    place: str, items: Sequence[Any], value: object, keys: Sequence[str] | None
) -> str:
    """Return what is wrong with a value that is of none of several kinds.

    Args:
        place: What its place is called.
        items: Pydantic's errors, one or more for each kind.
        value: The value.
        keys: The keys that it may have as a mapping; None if that is not known.
    """
    wanted: dict[str, None] = {}
    for item in items:
        if item["type"] in ("literal_error", "enum"):
            wanted[f"one of {item['ctx']['expected']}"] = None
        elif item["type"] in KINDS:
            wanted[KINDS[item["type"]]] = None
    return _join_kinds(place, wanted, value, keys, name_kind(value))


def _join_kinds(
    place: str,
    wanted: dict[str, None],
    value: object,
    keys: Sequence[str] | None,
    shown: str,
) -> str:
    # Whole numbers are numbers.
    if NUMBER in wanted:
        wanted.pop(WHOLE, None)
    names = [name for name in wanted if name != MAPPING]
    if MAPPING in wanted:
        some = ", ".join(repr(key) for key in (keys or ())[:4])
        names.append(f"a mapping with keys such as {some}" if some and names else MAPPING)
    said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"{place} must be {said}, not {shown}{hint(wanted, value)}"


def describe_finding(
    place: str,
    kind: str,
    item: Any,
    value: object,
    path: Path,
    expectations: Expectations,
    *,
    written: str | None = None,
) -> str:
    """Return what one of pydantic's errors says.

    Args:
        place: What the place of the value is called.
        kind: Pydantic's type of the error.
        item: Pydantic's error.
        value: The value, as the file has it.
        path: Where the value is, from the root of the model.
        expectations: What the model expects.
        written: The value letter by letter, where it is not what the program made of it (``1.10``).
    """
    context = item.get("ctx") or {}
    if kind in KINDS:
        if KINDS[kind] == LIST and isinstance(value, list):
            return f"{place}: {item['msg']}"
        wanted = dict.fromkeys((KINDS[kind],))
        # A text may stand for a mapping; pydantic, which sees only what became of it, does not say so.
        kinds = {_TYPES.get(str(branch.get("type"))) for branch in expectations.find(path)}
        if KINDS[kind] == MAPPING and TEXT in kinds:
            wanted = dict.fromkeys((TEXT, MAPPING))
        keys = expectations.find_keys(path)
        return _join_kinds(place, wanted, value, keys, written or name_kind(value))
    if kind in ("literal_error", "enum"):
        return _describe_choice(place, value, str(context.get("expected", "")))
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        return _describe_choice(place, tag, str(context["expected_tags"]))
    if kind == "union_tag_not_found":
        return _describe_no_tag(place, value, context, expectations.find_keys(path))
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        return f"{place} must be {_describe_range(context, path, expectations)}, not {name_kind(value)}"
    if kind in ("string_too_short", "string_too_long", "too_short", "too_long"):
        return _describe_length(place, kind, context, value)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return f"{place} must be {_describe_pattern(pattern, path, expectations)}, not {name_kind(value)}"
    if kind in ("value_error", "assertion_error") and "error" in context:
        said = str(context["error"])
    else:
        said = str(item["msg"])
    if _PREDICATE.match(said):
        return f"{place} {said}"
    return f"{place}: {said[:1].lower()}{said[1:]}"


def _describe_choice(place: str, value: object, expected: str) -> str:
    names = re.findall(r"'((?:[^'\\]|\\.)*)'", expected)
    if len(names) <= 1:
        return f"{place} must be {expected}, not {name_kind(value)}"
    close = find_close_name(value, names) if isinstance(value, str) else None
    if close is not None and len(names) > _MAX_CHOICES:
        return f"{place} cannot be {name_kind(value)}: did you mean {close!r}?"
    meant = f": did you mean {close!r}?" if close is not None else ""
    return f"{place} must be one of {expected}, not {name_kind(value)}{meant}"


def _describe_no_tag(place: str, value: object, context: Any, keys: Sequence[str] | None) -> str:
    if not isinstance(value, dict):
        return f"{place} must be {MAPPING}, not {name_kind(value)}{hint((MAPPING,), value)}"
    discriminator = str(context.get("discriminator", ""))
    if discriminator.startswith("'"):
        return f"the key {discriminator} is missing: it says which kind {place} is"
    unknown = [key for key in value if keys and key not in keys]
    if unknown:
        return f"{place}: {describe_unknown_key(unknown[0], keys)}"
    shown = ", ".join(repr(key) for key in keys or ())
    return f"{place} must have one of the keys {shown}" if shown else f"{place} is of no known kind"


def _describe_range(context: Any, path: Path, expectations: Expectations) -> str:
    bounds: dict[str, Any] = {
        "ge": expectations.find_keyword(path, "minimum"),
        "gt": expectations.find_keyword(path, "exclusiveMinimum"),
        "le": expectations.find_keyword(path, "maximum"),
        "lt": expectations.find_keyword(path, "exclusiveMaximum"),
        **{key: context[key] for key in ("ge", "gt", "le", "lt") if key in context},
    }
    return describe_range(bounds["ge"], bounds["gt"], bounds["le"], bounds["lt"])


def describe_range(ge: Any, gt: Any, le: Any, lt: Any) -> str:
    """Return the words for a range of numbers; each bound is None where there is none.

    Args:
        ge: The least value.
        gt: What every value is above.
        le: The greatest value.
        lt: What every value is below.
    """
    if ge is not None and le is not None:
        return f"from {_say_number(ge)} to {_say_number(le)}"
    bounds = (("at least", ge), ("above", gt), ("at most", le), ("below", lt))
    return " and ".join(
        f"{words} {_say_number(bound)}" for words, bound in bounds if bound is not None
    )


def describe_bounds(schema: dict[str, Any]) -> str:
    """Return the words for the bounds of a value, such as ``from 1 to 1,000``; empty if there are none.

    Args:
        schema: The schema of the value.
    """
    numbers = describe_range(
        schema.get("minimum"),
        schema.get("exclusiveMinimum"),
        schema.get("maximum"),
        schema.get("exclusiveMaximum"),
    )
    if numbers:
        return numbers
    for least, most, unit in (
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "keys"),
    ):
        low, high = schema.get(least), schema.get(most)
        if high is not None and not (low == high == 1):
            return f"at most {high:,} {unit}"
    return ""


def _say_number(number: Any) -> str:
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return f"{number:,}" if isinstance(number, (int, float)) else str(number)


def _describe_length(place: str, kind: str, context: Any, value: object) -> str:
    unit = "character" if kind.startswith("string") else "item"
    has = context.get("actual_length")
    if has is None and isinstance(value, (str, list, dict)):
        has = len(value)
    if kind.endswith("short"):
        least = context["min_length"]
        if least == 1:
            return f"{place} must not be empty"
        bound = f"at least {least:,}"
    else:
        least = context["max_length"]
        bound = f"at most {least:,}"
    end = "" if has is None else f", not {has:,}"
    return f"{place} must have {bound} {unit}{'' if least == 1 else 's'}{end}"


def _describe_pattern(pattern: str, path: Path, expectations: Expectations) -> str:
    words = expectations.find_keyword(path, "patternErrorMessage") or _PATTERNS.get(pattern)
    if words:
        return str(words).removeprefix("must be ")
    if path[-1:] == ("version",):
        return "three numbers such as '0.1.0'"
    examples = expectations.find_keyword(path, "examples")
    if examples:
        return f"written like {examples[0]!r}"
    return f"text that fits the pattern {pattern}"
