from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

import agent_factory.core.blueprints.schema as sections
from agent_factory.core.blueprints.document import read_document
from agent_factory.core.blueprints.editor import (
    create_json_schema,
    iterate_schemas,
    write_reference,
)
from agent_factory.core.blueprints.schema.blueprint import Blueprint
from tests.core.blueprints.hostile import BLUEPRINT

if TYPE_CHECKING:
    from pydantic import BaseModel

SCHEMA = create_json_schema(["read_file", "calculate"])
CHECKER = jsonschema_rs.Draft7Validator(SCHEMA)


def read(text: str) -> Any:
    """Return a blueprint as plain data."""
    document = read_document(text.encode(), "a.yaml")
    assert document.problems == []
    return document.value


def test_schema_is_of_draft_07_and_names_no_host_of_ours() -> None:
    jsonschema_rs.meta.validate(SCHEMA)

    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"] == "urn:agent-factory:blueprint@1"


def test_schema_is_the_same_each_time() -> None:
    assert json.dumps(create_json_schema(["calculate", "read_file"])) == json.dumps(SCHEMA)


def test_schema_has_only_what_draft_07_knows() -> None:
    later = {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "title"}

    for schema in iterate_schemas(SCHEMA):
        assert not later & {key for key, value in schema.items() if not isinstance(value, dict)}
        for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema)):
            assert reference.removeprefix("#/definitions/") in SCHEMA["definitions"]


def test_every_section_refuses_unknown_keys() -> None:
    assert SCHEMA["additionalProperties"] is False
    for name, section in SCHEMA["definitions"].items():
        assert section["additionalProperties"] is False, name


def test_every_key_is_described() -> None:
    for name, section in {"Blueprint": SCHEMA, **SCHEMA["definitions"]}.items():
        for key, value in section["properties"].items():
            target = SCHEMA["definitions"].get(value.get("$ref", "").rpartition("/")[2], {})
            assert value.get("description") or target.get("description"), f"{name}.{key}"


def test_key_explains_itself_in_markdown() -> None:
    limits = SCHEMA["definitions"]["LimitsSection"]["properties"]

    assert limits["max_requests"]["markdownDescription"].endswith(
        "\n\nFrom 1 to 1,000.\n\nDefault: `20`."
    )


def test_tools_are_offered_where_a_tool_is_named() -> None:
    use = SCHEMA["definitions"]["ToolUseSection"]["properties"]["use"]
    items = SCHEMA["definitions"]["AgentSection"]["properties"]["tools"]["items"]

    assert use["examples"] == ["calculate", "read_file"]
    assert items["anyOf"][1] == {"type": "string", "examples": ["calculate", "read_file"]}


def test_blueprint_that_is_right_fits_the_schema() -> None:
    Blueprint.model_validate(read(BLUEPRINT))

    assert [error.message for error in CHECKER.iter_errors(read(BLUEPRINT))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: ask-docs", "nmae: ask-docs"),
        ("name: ask-docs", "name: Ask"),
        ("blueprint@1", "blueprint@2"),
        ("max_requests: 3", "max_requests: 0"),
        ("approval: true", "approval: yes"),
        ("use: calculate", "use: calculate\n    toolset: x"),
        ("  search:", "  a b:"),
        ("temperature: 0.5", "temperature: warm"),
    ],
)
def test_blueprint_that_is_wrong_does_not_fit_the_schema(old: str, new: str) -> None:
    assert not CHECKER.is_valid(read(BLUEPRINT.replace(old, new, 1)))


def has_one_of_keys(section: dict[str, Any]) -> bool:
    """Return whether a section says only that one of some keys is given."""
    choices = section.get("oneOf", [])
    return bool(choices) and all(set(choice) == {"required"} for choice in choices)


@pytest.mark.parametrize(
    "name", sorted(name for name, item in SCHEMA["definitions"].items() if has_one_of_keys(item))
)
def test_section_that_needs_one_of_some_keys_is_known_to_the_model(name: str) -> None:
    model: type[BaseModel] = getattr(sections, name)

    with pytest.raises(ValidationError) as caught:
        model.model_validate({})

    [error] = caught.value.errors()
    assert error["type"] == "one_of"
    for choice in SCHEMA["definitions"][name]["oneOf"]:
        assert repr(choice["required"][0]) in error["msg"]


def test_reference_has_every_key_of_every_section() -> None:
    page = write_reference(SCHEMA)

    for section in (SCHEMA, *SCHEMA["definitions"].values()):
        for key in section["properties"]:
            assert f"\n| `{key}` | " in page


def test_links_of_the_reference_lead_to_its_headings() -> None:
    page = write_reference(SCHEMA)
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", item.lower()).replace(" ", "-") for item in headings]

    assert len(set(anchors)) == len(anchors)
    links = re.findall(r"\]\(#([^)]+)\)", page)
    assert links
    assert set(links) <= set(anchors)


def test_tables_of_the_reference_are_whole() -> None:
    page = write_reference(SCHEMA)

    for line in page.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5, line


def test_reference_says_type_default_range_and_example() -> None:
    page = write_reference(create_json_schema())

    assert "| `max_requests` | whole number | 20 | Model calls. From 1 to 1,000. |" in page
    assert "| `version` | text | required | " in page
    assert "Exactly one of `text`, `prompt` and `file` is given." in page
    assert "Example: `0.1.0`." in page
