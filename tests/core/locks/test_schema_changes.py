from __future__ import annotations

import copy
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agent_factory.core.locks import compare_schemas

OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}


def with_key(key: str, value: Any) -> dict[str, Any]:
    return {**OBJECT, key: value}


def get_effects(old: Any, new: Any) -> list[str]:
    """Return what the changes do, each once."""
    return sorted({change.effect for change in compare_schemas(old, new)})


STRICTER: list[tuple[Any, Any]] = [
    ({}, {"type": "string"}),
    (True, {"type": "string"}),
    (True, False),
    ({"type": "number"}, {"type": "integer"}),
    ({"type": ["string", "null"]}, {"type": "string"}),
    ({"enum": [1, 2]}, {"enum": [1]}),
    ({}, {"enum": [1]}),
    ({"enum": [1, 2]}, {"const": 1}),
    ({}, {"const": None}),
    ({"minimum": 1}, {"minimum": 2}),
    ({"minimum": 1}, {"exclusiveMinimum": 1}),
    ({"maximum": 2.5}, {"maximum": 2}),
    ({}, {"maximum": 0}),
    ({"minLength": 1}, {"minLength": 2}),
    ({}, {"minLength": 1}),
    ({"maxLength": 2}, {"maxLength": 1}),
    ({}, {"maxItems": 0}),
    ({}, {"uniqueItems": True}),
    ({}, {"pattern": "a"}),
    ({}, {"format": "date"}),
    ({}, {"multipleOf": 2}),
    ({"multipleOf": 2}, {"multipleOf": 4}),
    (OBJECT, with_key("required", ["a"])),
    (OBJECT, with_key("additionalProperties", False)),
    (OBJECT, with_key("additionalProperties", {"type": "string"})),
    ({"items": {"type": "number"}}, {"items": {"type": "integer"}}),
    ({"type": "array"}, {"type": "array", "items": {"type": "integer"}}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}]}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string"}),
    ({"allOf": [{"type": "string"}]}, {"allOf": [{"type": "string"}, {"minLength": 1}]}),
    (
        {"anyOf": [{"minLength": 1}, {"type": "null"}]},
        {"anyOf": [{"minLength": 2}, {"type": "null"}]},
    ),
    (
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "number"}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "integer"}}},
    ),
    ({"type": "number"}, {"$ref": "#/$defs/A", "$defs": {"A": {"type": "integer"}}}),
    (
        {"properties": {"a": {"properties": {"b": {"type": "number"}}}}},
        {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}},
    ),
]


@pytest.mark.parametrize(("loose", "strict"), STRICTER)
def test_schema_that_admits_less_is_stricter_and_the_other_way_round_looser(
    loose: Any, strict: Any
) -> None:
    assert get_effects(loose, strict) == ["stricter"]
    assert get_effects(strict, loose) == ["looser"]


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        (OBJECT, OBJECT, []),
        ({"enum": [1, 2]}, {"enum": [2, 3]}, ["looser", "stricter"]),
        ({"type": "string"}, {"type": "integer"}, ["looser", "stricter"]),
        ({"type": "string"}, {"type": "string", "title": "T"}, ["words"]),
        ({"description": "a"}, {"description": "b"}, ["words"]),
        ({"type": ["string", "null"]}, {"type": ["null", "string"]}, ["words"]),
        ({"const": 1}, {"enum": [1]}, ["words"]),
        ({"minLength": 0}, {}, ["words"]),
        ({}, {"$defs": {"A": {"type": "string"}}}, ["words"]),
        ({"type": "string"}, {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}, ["words"]),
        ({"default": 1}, {"default": 2}, ["default"]),
        ({}, {"default": None}, ["default"]),
        (
            OBJECT,
            {"type": "object", "properties": {**OBJECT["properties"], "b": {"type": "string"}}},
            ["added"],
        ),
        ({"type": "object", "properties": {**OBJECT["properties"], "b": {}}}, OBJECT, ["removed"]),
        (
            with_key("additionalProperties", False),
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {}},
                "additionalProperties": False,
            },
            ["looser"],
        ),
        (
            OBJECT,
            {"type": "object", "properties": {**OBJECT["properties"], "b": False}},
            ["stricter"],
        ),
        ({"pattern": "a"}, {"pattern": "b"}, ["unknown"]),
        ({"format": "date"}, {"format": "time"}, ["unknown"]),
        ({"multipleOf": 4}, {"multipleOf": 6}, ["unknown"]),
        ({"not": {"type": "string"}}, {"not": {"type": "null"}}, ["unknown"]),
        (
            {"oneOf": [{"type": "string"}]},
            {"oneOf": [{"type": "string"}, {"type": "null"}]},
            ["unknown"],
        ),
        ({}, {"if": {"type": "string"}, "then": {"minLength": 1}}, ["unknown"]),
        ({}, {"patternProperties": {"^x": {"type": "string"}}}, ["unknown"]),
        ({"prefixItems": [{}]}, {"prefixItems": [{"type": "string"}]}, ["unknown"]),
        ({}, {"somethingNew": 1}, ["unknown"]),
        ({"minimum": "a"}, {"minimum": "b"}, ["unknown"]),
        ({"exclusiveMinimum": True}, {"exclusiveMinimum": 1}, ["unknown"]),
        ({"enum": 1}, {"enum": 2}, ["unknown"]),
        ({"type": "text"}, {"type": "string"}, ["unknown"]),
        ({"$ref": "https://example.com/a"}, {"$ref": "https://example.com/b"}, ["unknown"]),
        ({"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}, ["unknown"]),
        (
            {"properties": {"a": {}}, "patternProperties": {"^b": {}}},
            {"properties": {"a": {}, "b": {}}, "patternProperties": {"^b": {}}},
            ["unknown"],
        ),
        (
            {"not": {"$ref": "#/$defs/A"}, "$defs": {"A": {"type": "string"}}},
            {"not": {"$ref": "#/$defs/A"}, "$defs": {"A": {}}},
            ["unknown"],
        ),
        (
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {"minLength": 1}}},
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {"minLength": 2}}},
            ["stricter"],
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {}}},
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {}}},
            ["looser"],
        ),
    ],
)
def test_what_other_changes_do(old: Any, new: Any, effects: list[str]) -> None:
    assert get_effects(old, new) == effects


def test_schema_that_refers_to_itself_is_compared() -> None:
    old = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "value": {"type": "number"},
                    "next": {"$ref": "#/$defs/Node"},
                },
            }
        },
    }
    new = copy.deepcopy(old)
    new["$defs"]["Node"]["properties"]["value"]["type"] = "integer"  # type: ignore[index]

    [change] = compare_schemas(old, new)

    assert (change.path, change.effect) == ("properties.value.type", "stricter")


def test_reference_that_leads_nowhere_but_to_itself_ends() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}

    assert get_effects(schema, {**schema, "title": "T"}) == ["words"]
    assert compare_schemas(schema, {"type": "string"})
    assert compare_schemas({"items": {"type": "string"}}, schema)


def test_place_and_words_of_a_change_are_told() -> None:
    old = {"properties": {"a": {"items": {"enum": ["x", "y"]}}}}
    new = {"properties": {"a": {"items": {"enum": ["x"]}}}}

    [change] = compare_schemas(old, new)

    assert change.path == "properties.a.items.enum"
    assert change.message == 'not to be chosen any more: "y"'


def test_number_of_changes_is_bounded() -> None:
    old = {"properties": {f"p{index}": {"type": "string"} for index in range(300)}}
    new = {"properties": {f"p{index}": {"type": "null"} for index in range(300)}}

    found = compare_schemas(old, new)

    assert len(found) == 101
    assert found[-1].effect == "unknown"


def test_schema_that_grows_without_end_is_not_compared_without_end() -> None:
    def create(end: str) -> dict[str, Any]:
        definitions: dict[str, Any] = {"D20": {"type": end}}
        for index in range(20):
            inner = {"$ref": f"#/$defs/D{index + 1}"}
            definitions[f"D{index}"] = {"properties": {"a": inner, "b": inner}}
        return {"$ref": "#/$defs/D0", "$defs": definitions}

    assert get_effects(create("string"), create("null")) == ["looser", "stricter"]


def _schemas() -> st.SearchStrategy[Any]:
    numbers = st.integers(-2, 3) | st.sampled_from([0.5, 1.5])
    sizes = st.integers(0, 3)
    names = st.sampled_from(["a", "b", "c"])
    values: st.SearchStrategy[Any] = st.sampled_from(
        [None, True, False, 0, 1, 1.5, "", "a", "ab", [], [1], {}, {"a": 1}]
    )
    types = st.sampled_from(["null", "boolean", "object", "array", "string", "integer", "number"])
    plain = st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "enum": st.lists(values, min_size=1, max_size=4),
            "const": values,
            "minimum": numbers,
            "exclusiveMaximum": numbers,
            "exclusiveMinimum": numbers,
            "maximum": numbers,
            "minLength": sizes,
            "maxLength": sizes,
            "minItems": sizes,
            "maxProperties": sizes,
            "multipleOf": st.integers(1, 4),
            "uniqueItems": st.booleans(),
            "required": st.lists(names, max_size=2, unique=True),
            "pattern": st.sampled_from(["^a", "b$"]),
            "description": st.sampled_from("xy"),
        },
    )
    return st.recursive(
        st.booleans() | plain | st.just({"$ref": "#/$defs/D"}),
        lambda inner: st.builds(
            lambda one, two: {**one, **two},
            plain,
            st.fixed_dictionaries(
                {},
                optional={
                    "properties": st.dictionaries(names, inner, max_size=3),
                    "additionalProperties": inner,
                    "patternProperties": st.dictionaries(
                        st.sampled_from(["^a"]), inner, max_size=1
                    ),
                    "items": inner,
                    "prefixItems": st.lists(inner, min_size=1, max_size=2),
                    "anyOf": st.lists(inner, min_size=1, max_size=3),
                    "allOf": st.lists(inner, min_size=1, max_size=2),
                    "oneOf": st.lists(inner, min_size=1, max_size=2),
                    "not": inner,
                },
            ),
        ),
        max_leaves=5,
    )


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw two schemas that differ in a few places only, as versions do."""

    def mutate(schema: Any) -> Any:
        if isinstance(schema, bool) or not schema or draw(st.integers(0, 3)) == 0:
            return draw(_schemas())
        key = draw(st.sampled_from(sorted(schema)))
        value = schema[key]
        if key in ("items", "additionalProperties", "not"):
            return {**schema, key: mutate(value)}
        if key in ("properties", "patternProperties") and value:
            name = draw(st.sampled_from(sorted(value)))
            return {**schema, key: {**value, name: mutate(value[name])}}
        if key in ("anyOf", "allOf", "oneOf", "prefixItems"):
            place = draw(st.integers(0, len(value) - 1))
            return {**schema, key: [*value[:place], mutate(value[place]), *value[place + 1 :]]}
        other = draw(_schemas())
        rest = {name: item for name, item in schema.items() if name != key}
        return {**rest, **(other if isinstance(other, dict) else {})}

    old = draw(_schemas())
    definition = draw(st.sampled_from([{"type": "string"}, {"minLength": 1}, {"type": "array"}]))
    other = draw(st.sampled_from([definition, {"type": "integer"}, {"minLength": 2}]))
    return (
        {"allOf": [old], "$defs": {"D": definition}},
        {"allOf": [mutate(old)], "$defs": {"D": other}},
    )


INSTANCES: list[Any] = [
    None,
    True,
    False,
    *(-3, -1, 0, 0.5, 1, 1.5, 2, 3, 4, 6),
    *("", "a", "ab", "abc", "abcd", "b"),
    *([], [1], [1, 1], ["a"], [None, "a"], ["a", 1, None], [1.5, 1.5]),
    {},
    *({name: None} for name in "abcd"),
    *({name: value} for name in "abcd" for value in (1, "a", "abc", 1.5)),
    *({name: [1]} for name in "abcd"),
    *({"a": one, "b": two} for one in (1, "a") for two in (None, "b")),
    {"a": "a", "b": "b", "c": "c"},
    {"a": {"a": 1}},
    {"b": {"b": "a"}},
]


@given(_pairs())
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_no_schema_admits_or_refuses_anything_else_without_a_word(pair: tuple[Any, Any]) -> None:
    old, new = pair
    try:
        before, after = jsonschema_rs.validator_for(old), jsonschema_rs.validator_for(new)
    except (ValueError, jsonschema_rs.ValidationError):
        assume(False)
        raise
    effects = set(get_effects(old, new))

    for instance in INSTANCES:
        had, has = before.is_valid(instance), after.is_valid(instance)
        if had and not has:
            # 'added' is the one exception that is documented.
            assert effects & {"stricter", "unknown", "added"}, instance
        if has and not had:
            assert effects & {"looser", "unknown", "removed"}, instance


@given(_schemas())
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_schema_differs_not_from_itself(schema: Any) -> None:
    assert compare_schemas(schema, copy.deepcopy(schema)) == ()
