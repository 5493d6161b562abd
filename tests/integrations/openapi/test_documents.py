from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.schemas import create_validator
from agent_factory.integrations.openapi import compile_operations, list_operations
from tests.integrations.openapi.documents import PETS, create_document

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(schema: Any, value: object) -> bool:
    return not create_validator(schema, "schema")(value, 5)


def test_operations_are_listed_with_names_that_tools_can_have() -> None:
    assert [
        (item.name, item.method, item.path, item.summary) for item in list_operations(PETS)
    ] == [
        ("listPets", "GET", "/pets", "List the pets"),
        ("pets_create", "POST", "/pets", ""),
        ("get_pets_id", "GET", "/pets/{id}", "One pet"),
        ("replacePet", "PUT", "/pets/{id}", ""),
        ("deletePet", "DELETE", "/pets/{id}", ""),
    ]


def test_names_that_fall_together_get_a_number() -> None:
    document = create_document()
    document["paths"]["/a"] = {"get": {"operationId": "do it"}, "post": {"operationId": "do.it"}}
    assert [item.name for item in list_operations(document)] == ["do_it", "do_it_2", "do_it_3"]


def test_the_effect_comes_from_the_method() -> None:
    effects = {item.name: item.effect for item in compile_operations(PETS)}
    assert effects == {
        "listPets": "read",
        "pets_create": "once",
        "get_pets_id": "read",
        "replacePet": "idempotent",
        "deletePet": "idempotent",
    }


def test_operations_are_chosen_by_their_id_or_name() -> None:
    chosen = compile_operations(PETS, ["pets.create", "get_pets_id", "pets_create"])
    assert [item.name for item in chosen] == ["pets_create", "get_pets_id"]
    with pytest.raises(ConfigurationError, match="did you mean 'listPets'"):
        compile_operations(PETS, ["listPet"])


def test_parameters_of_path_and_operation_become_one_schema() -> None:
    (operation,) = compile_operations(PETS, ["listPets"])
    assert operation.description == "List the pets\n\nNewest first."
    assert operation.schema == {
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "exclusiveMinimum": 0, "description": "How many"},
            "tag": {"type": "array", "items": {"type": "string"}},
            "X-Trace": {"type": "string"},
        },
        "required": [],
        "additionalProperties": False,
    }


def test_a_body_is_an_argument_with_everything_that_it_refers_to() -> None:
    (operation,) = compile_operations(PETS, ["pets.create"])
    assert (operation.body_argument, operation.body_type) == ("body", "application/json")
    pet = operation.schema["$defs"]["Pet"]
    assert sorted(operation.schema["$defs"]) == ["Owner", "Pet"]
    assert "id" not in pet["properties"]
    assert pet["required"] == ["name"]
    assert pet["properties"]["name"] == {"type": "string"}
    for value, fits in [
        ({"name": "Tom"}, True),
        ({"name": "Tom", "nick": None, "owner": None}, True),
        ({"name": "Tom", "friends": [{"name": "Tim", "friends": []}]}, True),
        ({"name": "Tom", "friends": [{}]}, False),
        ({"name": "Tom", "owner": {"pet": {}}}, False),
        ({"name": "Tom", "nick": "c"}, False),
        ({}, False),
    ]:
        assert check(operation.schema, {"body": value}) is fits
    assert not check(operation.schema, {"limit": 1})


def test_a_kind_of_json_is_json_too() -> None:
    (operation,) = compile_operations(PETS, ["replacePet"])
    assert operation.body_type == "application/merge-patch+json"
    assert operation.schema["required"] == ["id", "body"]


def test_arguments_of_the_same_name_stay_apart() -> None:
    document = create_document(
        "/a/{id}",
        "post",
        parameters=[
            {"name": "id", "in": "path", "required": True},
            {"name": "id", "in": "query"},
            {"name": "body", "in": "query"},
            {"name": "filter[name]", "in": "query"},
        ],
        requestBody={"content": {"application/json": {}}},
    )
    (operation,) = compile_operations(document)
    assert list(operation.schema["properties"]) == [
        "id",
        "id_query",
        "body",
        "filter_name",
        "body_body",
    ]


def test_what_stands_beside_a_reference_counts_in_3_1_only() -> None:
    schema = {"$ref": "#/components/schemas/A", "maxLength": 1}
    for version, fits in [("3.1.0", False), ("3.0.3", True)]:
        document = create_document(
            openapi=version,
            parameters=[{"name": "a", "in": "query", "schema": schema}],
            components={"schemas": {"A": {"type": "string"}}},
        )
        (operation,) = compile_operations(document)
        assert check(operation.schema, {"a": "long"}) is fits


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "must be an object at its top"),
        ({}, "'openapi' must name the version"),
        ({"swagger": "2.0"}, "convert it to OpenAPI"),
        ({"openapi": "4.0.0"}, "'openapi' must name the version"),
        ({"openapi": 3.1}, "'openapi' must name the version"),
        ({"openapi": "3.1.0", "paths": []}, "paths: must be an object"),
        ({"openapi": "3.1.0", "paths": {"a": {}}}, "must begin with '/'"),
        ({"openapi": "3.1.0", "paths": {5: {}}}, "must begin with '/'"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": 5}}}, "GET /a: must be an object"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": 5}}}}, "operationId must be"),
        ({"openapi": "3.1.0", "paths": {"/a": {"$ref": "other.yaml"}}}, "nothing is fetched"),
        ({"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}, "without an end"),
        ({"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/x"}}}, "leads to nothing"),
    ],
)
def test_a_document_that_is_none_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        list_operations(document)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"parameters": {}}, "GET /things: parameters: must be a list"),
    ({"parameters": [{"in": "query"}]}, "must have the texts 'name' and 'in'"),
    ({"parameters": [{"name": "a", "in": "body"}]}, "must be path, query or header"),
    ({"parameters": [{"name": "a", "in": "cookie", "required": True}]}, "cookies are never sent"),
    (
        {"parameters": [{"name": "a", "in": "path", "required": True}]},
        "in the path and those declared",
    ),
    ({"parameters": [{"name": "a", "in": "path"}]}, "'required: true'"),
    ({"parameters": [{"name": "a", "in": "query", "style": "matrix"}]}, "style 'matrix' cannot"),
    (
        {"parameters": [{"name": "a", "in": "query", "content": {"a/b": {}}}]},
        "application/json alone",
    ),
    ({"parameters": [{"name": "a", "in": "query", "schema": 5}]}, "a schema: must be an object"),
    (
        {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": "http://evil.example/"}}]},
        "nothing is fetched",
    ),
    (
        {"parameters": [{"name": "a", "in": "query", "schema": {"$id": "x"}}]},
        "schemas with '\\$id'",
    ),
    (
        {"parameters": [{"name": "a", "in": "query", "schema": {"enum": [b"x"]}}]},
        "nothing that JSON can hold",
    ),
    (
        {"parameters": [{"name": f"a{i}", "in": "query"} for i in range(300)]},
        "more than 200 parameters",
    ),
    (
        {"parameters": [{"name": "Host", "in": "header", "required": True}]},
        "set by the client itself",
    ),
]


@pytest.mark.parametrize(("operation", "reason"), REFUSED)
def test_an_operation_that_cannot_be_used_is_refused(
    operation: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        compile_operations(create_document(**operation))


@pytest.mark.parametrize(
    "path", ["/a/../b", "/a/%2e%2e/b", "/a?b", "/a#b", "/a b", "/a\\b", "/{a}", "/a%zz"]
)
def test_a_path_that_cannot_be_called_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError):
        compile_operations(create_document(path))


def test_only_json_can_be_sent() -> None:
    document = create_document(
        method="post", requestBody={"required": True, "content": {"text/csv": {}}}
    )
    with pytest.raises(ConfigurationError, match="it takes text/csv"):
        compile_operations(document)


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"$ref": "#/components/schemas/A"}},
        {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
        {"A": {"anyOf": [{"type": "string"}, {"not": {"$ref": "#/components/schemas/A"}}]}},
        {
            "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
            "B": {"if": {"$ref": "#/components/schemas/A"}},
        },
    ],
)
def test_a_schema_that_leads_to_itself_without_an_end_is_refused(schemas: dict[str, Any]) -> None:
    document = create_document(
        parameters=[{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}],
        components={"schemas": schemas},
    )
    with pytest.raises(ConfigurationError, match="refers to itself"):
        compile_operations(document)


def test_a_schema_that_looks_at_a_value_without_number_is_refused() -> None:
    schemas: dict[str, Any] = {
        f"S{i}": {"allOf": [{"$ref": f"#/components/schemas/S{i + 1}"}] * 2} for i in range(60)
    }
    schemas["S60"] = {"type": "string"}
    document = create_document(
        parameters=[{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/S0"}}],
        components={"schemas": schemas},
    )
    with pytest.raises(ConfigurationError, match="more than 10000 times"):
        compile_operations(document)


def test_a_long_row_of_references_is_no_deep_schema() -> None:
    schemas: dict[str, Any] = {
        f"S{i}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/S{i + 1}"}},
        }
        for i in range(500)
    }
    schemas["S500"] = {"type": "string"}
    document = create_document(
        parameters=[{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/S0"}}],
        components={"schemas": schemas},
    )
    (operation,) = compile_operations(document)
    assert len(operation.schema["$defs"]) == 501


def test_a_schema_that_is_too_deep_or_too_large_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"items": deep}
    endless: dict[str, Any] = {}
    endless["items"] = endless
    wide: dict[str, Any] = {"type": "string"}
    for _ in range(40):  # as aliases of YAML make it: small to write, and without end to read
        wide = {"properties": {"a": wide, "b": wide}}
    for schema in (deep, endless, wide, {"enum": [["x"] * 200] * 200}):
        document = create_document(parameters=[{"name": "a", "in": "query", "schema": schema}])
        with pytest.raises(ConfigurationError, match=r"at most|more than"):
            compile_operations(document)


def test_two_operations_with_one_id_cannot_be_chosen() -> None:
    document = create_document()
    document["paths"]["/other"] = document["paths"]["/things"]
    with pytest.raises(ConfigurationError, match="2 operations"):
        compile_operations(document, ["do_it"])


def test_too_many_operations_are_too_many_tools() -> None:
    document = create_document()
    document["paths"] = {f"/a{i}": {"get": {}} for i in range(300)}
    with pytest.raises(ConfigurationError, match="300 operations are too many"):
        compile_operations(document)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            [
                "$ref",
                "in",
                "name",
                "schema",
                "type",
                "properties",
                "items",
                "content",
                "parameters",
                "requestBody",
                "application/json",
                "allOf",
                "enum",
                "required",
                "nullable",
                "get",
                "post",
            ]
        ),
        inner
        | st.sampled_from(["#/paths", "#/paths/~1a", "query", "path", "object", "#/paths/~1a/get"]),
        max_size=4,
    ),
    max_leaves=20,
)


@quick
@given(plain, st.sampled_from(["3.0.0", "3.1.0"]))
def test_any_document_is_compiled_or_refused(item: object, version: str) -> None:
    document = {"openapi": version, "paths": {"/a": item, "/b": {"post": item}}}
    try:
        compile_operations(document)
    except ConfigurationError as error:
        assert len(error.message) < 1000  # noqa: PT017 - it may also be compiled
