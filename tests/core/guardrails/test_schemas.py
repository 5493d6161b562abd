from __future__ import annotations

import json
from typing import Any

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.schemas import require_json_schema
from tests.core.guardrails.looking import look

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "tags": {"type": "array", "items": {"enum": ["red", "blue"]}},
        "a/b~c": {"type": "integer"},
        "again": {"$ref": "#"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def test_json_that_fits_passes() -> None:
    text = '{"name": "Ann", "tags": ["red"], "again": {"name": "Bo"}}'

    assert look(require_json_schema(SCHEMA), text).decision == "allow"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", 'at the top: "name" is a required property'),
        ('{"name": "Annabel"}', "at '/name': the value is longer than 5 characters"),
        ('{"name": "A", "tags": ["red", "no"]}', "at '/tags/1': the value is not one of"),
        ('{"name": "A", "a/b~c": "x"}', "at '/a~1b~0c': the value is not of type"),
        ('{"name": "A", "again": {}}', "at '/again': \"name\" is a required property"),
        ('{"name": "A", "more": 1}', "at the top: the keys 'more' are not allowed"),
        ("Here: {}", "the text is not JSON: Expecting value at line 1, column 1"),
        ("```json\n{}\n```", "without a code fence"),
        ("", "the text is not JSON"),
        ('{"name": 1e999}', "a number is too large"),
        ('{"name": NaN}', "NaN is not a number of JSON"),
        ('{"name": "A", "name": "B"}', "the same key twice"),
        ("[" * 100_000, "too deep or large"),
        ('{"name": ' + "9" * 5000 + "}", "too deep or large"),
    ],
)
def test_other_text_is_objected_to_with_the_place_and_the_rule(text: str, told: str) -> None:
    verdict = look(require_json_schema(SCHEMA), text)

    assert verdict.decision == "retry"
    assert told in verdict.reason


def test_other_text_can_be_blocked() -> None:
    assert look(require_json_schema(SCHEMA, action="block"), "{}").decision == "block"


def test_at_most_five_problems_are_listed() -> None:
    schema = {"items": {"type": "string"}}

    reason = look(require_json_schema(schema), json.dumps(list(range(9)))).reason

    assert reason.count("not of type") == 5
    assert reason.endswith("; and more")
    reason = look(require_json_schema(schema), json.dumps(list(range(5)))).reason
    assert "and more" not in reason


def test_reason_repeats_no_value_no_secret_and_no_long_key() -> None:
    secret = "sk-proj-abcdefghij0123456789abcd"
    schema = {
        "properties": {"a": {"const": 1}, "b": {"anyOf": [{"type": "null"}, {"minLength": 999}]}},
        "patternProperties": {"^sk": {"type": "null"}, "^long": {"type": "null"}},
        "additionalProperties": False,
    }
    data = {"a": "hidden-a", "b": "hidden-b", secret: "hidden-c", "long" * 50: "hidden-d"}

    reason = look(require_json_schema(schema), json.dumps(data | {secret[3:] + "=": 1})).reason

    assert "hidden" not in reason
    assert secret not in reason
    assert "/[secret]" in reason
    assert "long" * 20 not in reason


@pytest.mark.parametrize(
    ("schema", "text", "told"),
    [
        (
            {"propertyNames": {"maxLength": 3}},
            '{"hidden": 1}',
            "a key does not fit 'propertyNames'",
        ),
        ({"unevaluatedItems": False}, '["hidden"]', "more items than are allowed"),
        ({"items": False}, '["hidden"]', "False schema does not allow the value"),
        ({"not": {"type": "string"}}, '"hidden"', "is not allowed for the value"),
        ({"oneOf": [True, True]}, '"hidden"', "valid under more than one"),
        ({"contains": {"const": 1}}, '["hidden"]', "None of the value are valid"),
        ({"uniqueItems": True}, '["hidden", "hidden"]', "non-unique"),
        ({"if": True, "then": {"minLength": 9}}, '"hidden"', "shorter than 9"),
        ({"pattern": "^x"}, '"hidden"', 'does not match "^x"'),
    ],
)
def test_no_rule_makes_the_reason_repeat_what_was_written(
    schema: dict[str, Any], text: str, told: str
) -> None:
    reason = look(require_json_schema(schema), text).reason

    assert told in reason
    assert "hidden" not in reason


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "nonsense"}, "at '/type'"),
        ({"$ref": "https://example.org/schema.json"}, "https://example.org/schema.json"),
        ({"$ref": "file:///etc/passwd"}, "file:///etc/passwd"),
        ({"pattern": "(a"}, "regex"),
        ({"pattern": "(?=a)"}, "look-around"),
    ],
)
def test_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match="the schema cannot be used") as raised:
        require_json_schema(schema)

    assert told in raised.value.message


def test_schema_changed_afterwards_changes_nothing() -> None:
    schema: dict[str, Any] = {"type": "object"}
    guardrail = require_json_schema(schema)
    schema["type"] = "array"

    assert look(guardrail, "{}").decision == "allow"


def test_half_a_character_does_not_pass_unchecked() -> None:
    assert look(require_json_schema({"maxLength": 1}), '"\\ud800abc"').decision == "retry"
