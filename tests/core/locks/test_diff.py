from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from agent_factory.core.locks import (
    BlueprintDiff,
    Change,
    DependencyPart,
    ModelPart,
    ToolPart,
    compare,
)
from agent_factory.core.prices import Price
from tests.core.locks.sample import DIGEST, OTHER_DIGEST, create_parts

PARTS = create_parts()
TOOL = PARTS.tools["fetch"]
TOOLSET = PARTS.toolsets["github"]
MODEL = PARTS.models["default"]
SPEC: dict[str, Any] = {
    "name": "fetch",
    "description": "Get a page.",
    "parameters": {"type": "object", "properties": {"url": {"type": "string"}}},
}


def get_changes(**changes: Any) -> tuple[Change, ...]:
    """Return the changes between the sample and one in which something differs."""
    return compare(PARTS, create_parts(**changes)).changes


def change_dependency(**changes: Any) -> dict[str, Any]:
    changed = replace(PARTS.dependencies["summary"], **changes)
    return {"dependencies": {**PARTS.dependencies, "summary": changed}}


def test_same_blueprint_has_no_changes() -> None:
    found = compare(PARTS, create_parts(version="1.2.1"))

    assert found == BlueprintDiff("1.2.0", "1.2.1")
    assert found.required_bump is None
    assert found.check_version() is None


@pytest.mark.parametrize(
    ("changes", "place", "level", "said"),
    [
        ({"name": "other"}, ("blueprint", "name", "changed"), "major", "is called 'other' instead of 'research'"),
        ({"entry": "b"}, ("blueprint", "entry", "changed"), "major", "a run begins with 'b' instead of 'main'"),
        ({"metadata": {}}, ("metadata", "description", "removed"), "patch", "is gone"),
        ({"agents": {**PARTS.agents, "b": {}}}, ("agents", "b", "added"), "minor", "agent 'b' is new"),
        ({"agents": {}}, ("agents", "main", "removed"), "major", "agent 'main' is gone"),
        ({"agents": {"main": {}}}, ("agents", "main", "changed"), "minor", "agent 'main' has changed"),
        ({"prompts": {**PARTS.prompts, "x": "y"}}, ("prompts", "x", "added"), "patch", "prompt 'x' is new"),
        ({"tools": {"fetch": TOOL, "x": ToolPart("x")}}, ("tools", "x", "added"), "minor", "tool 'x' is new"),
        ({"tools": {}}, ("tools", "fetch", "removed"), "major", "tool 'fetch' is gone"),
        ({"tools": {"fetch": replace(TOOL, use="y")}}, ("tools", "fetch", "changed"), "minor", "is 'y' instead of 'http_fetch'"),
        ({"tools": {"fetch": replace(TOOL, options={})}}, ("tools", "fetch", "changed"), "minor", "the options"),
        ({"tools": {"fetch": replace(TOOL, distribution="acme-tools 1.1.0")}}, ("tools", "fetch", "changed"), "patch", "comes from 'acme-tools 1.1.0' instead of 'acme-tools 1.0.0'"),
        ({"tools": {"fetch": replace(TOOL, distribution="evil 1.0.0")}}, ("tools", "fetch", "changed"), "minor", "comes from 'evil 1.0.0'"),
        ({"tools": {"fetch": replace(TOOL, distribution="")}}, ("tools", "fetch", "changed"), "minor", "comes from what comes along"),
        ({"tools": {"fetch": replace(TOOL, spec=None)}}, ("tools", "fetch", "changed"), "minor", "cannot be compared"),
        ({"tools": {"fetch": replace(TOOL, spec={**SPEC, "description": "x"})}}, ("tools", "fetch", "changed"), "patch", "in other words"),
        ({"tools": {"fetch": replace(TOOL, spec={**SPEC, "parameters": {}})}}, ("tools", "fetch", "changed"), "minor", "the arguments of tool 'fetch' have changed"),
        ({"tools": {"fetch": replace(TOOL, spec={**SPEC, "name": "get"})}}, ("tools", "fetch", "changed"), "minor", "told to models in another way"),
        ({"toolsets": {}}, ("toolsets", "github", "removed"), "major", "toolset 'github' is gone"),
        ({"toolsets": {"github": replace(TOOLSET, config={})}}, ("toolsets", "github", "changed"), "minor", "configured in another way"),
        ({"toolsets": {"github": replace(TOOLSET, tools={})}}, ("toolsets", "github/search", "removed"), "major", "tool 'search' of toolset 'github' is gone"),
        ({"toolsets": {"github": replace(TOOLSET, tools={"search": SPEC, "x": SPEC})}}, ("toolsets", "github/x", "added"), "minor", "is new"),
        ({"toolsets": {"github": replace(TOOLSET, tools=None)}}, ("toolsets", "github", "changed"), "minor", "cannot be compared"),
        ({"models": {}}, ("models", "default", "removed"), "minor", "it was 'openai:gpt-5-mini'"),
        ({"models": {"default": MODEL, "x": ModelPart("y")}}, ("models", "x", "added"), "minor", "model 'x' is new: 'y'"),
        ({"models": {"default": replace(MODEL, use="z")}}, ("models", "default", "changed"), "minor", "is 'z' instead of"),
        ({"models": {"default": replace(MODEL, settings={})}}, ("models", "default", "changed"), "minor", "the settings of model"),
        ({"models": {"default": replace(MODEL, price=Price(1, 1, 1))}}, ("models", "default", "changed"), "patch", "the price of model 'default' has changed"),
        ({"models": {"default": replace(MODEL, as_of=date(2026, 8, 1))}}, ("models", "default", "changed"), "patch", "looked up on 2026-08-01 instead of 2026-07-24, and is the same"),
        ({"guardrails": {}}, ("guardrails", "secrets", "removed"), "major", "guardrail 'secrets' is gone"),
        ({"guardrails": {**PARTS.guardrails, "x": 1}}, ("guardrails", "x", "added"), "minor", "guardrail 'x' is new"),
        ({"guardrails": {"secrets": {}}}, ("guardrails", "secrets", "changed"), "major", "cannot be judged, so it counts as major"),
        ({"memory": {}}, ("memory", "default", "removed"), "minor", "memory 'default' is gone"),
        ({"limits": {"max_requests": 11, "timeout": 60}}, ("limits", "max_requests", "changed"), "minor", "is 11 instead of 10"),
        ({"limits": {"timeout": 60}}, ("limits", "max_requests", "removed"), "minor", "is gone; it was 10"),
        ({"workflows": {}}, ("workflows", "main", "removed"), "major", "workflow 'main' is gone"),
        ({"evals": {}}, ("evals", "basic", "removed"), "patch", "eval 'basic' is gone"),
        (change_dependency(version="1.0.1"), ("dependencies", "summary", "changed"), "patch", "is of version 1.0.1 instead of 1.0.0"),
        (change_dependency(version="1.1.0"), ("dependencies", "summary", "changed"), "minor", "is of version 1.1.0"),
        (change_dependency(version="2.0.0"), ("dependencies", "summary", "changed"), "major", "is of version 2.0.0"),
        (change_dependency(digest=OTHER_DIGEST), ("dependencies", "summary", "changed"), "patch", "was locked anew"),
        (change_dependency(digest=OTHER_DIGEST, meaning=OTHER_DIGEST), ("dependencies", "summary", "changed"), "major", "is another one, though its version is 1.0.0 as before"),
        (change_dependency(path="x"), ("dependencies", "summary", "changed"), "patch", "is at 'x'"),
        (change_dependency(requires=""), ("dependencies", "summary", "changed"), "patch", "may be 'any' instead of '^1.0'"),
        (change_dependency(version="1.0.0+b"), ("dependencies", "summary", "changed"), "patch", "was built anew"),
        ({"dependencies": {"summary": PARTS.dependencies["summary"]}}, ("dependencies", "summary/words", "removed"), "patch", "is gone"),
        ({"dependencies": {**PARTS.dependencies, "x": DependencyPart("x", "1.0.0", DIGEST)}}, ("dependencies", "x", "added"), "minor", "is new, in version 1.0.0"),
        ({"inputs": None}, ("inputs", "inputs", "removed"), "major", "a text takes the place of data"),
    ],
)  # fmt: skip
def test_each_change_has_its_level(
    changes: dict[str, Any], place: tuple[str, str, str], level: str, said: str
) -> None:
    [change] = get_changes(**changes)

    assert (change.part, change.name, change.kind) == place
    assert change.level == level
    assert said in change.summary
    assert not change.asks_consent


@pytest.mark.parametrize(
    ("schema", "inputs", "outputs"),
    [
        ({"required": ["topic", "b"]}, "major", "minor"),
        ({"required": []}, "minor", "major"),
        ({"additionalProperties": False}, "major", "minor"),
        ({"properties": {"topic": {"type": "string"}, "b": {"type": "string"}}}, "minor", "minor"),
        ({"properties": {}}, "major", "major"),
        ({"properties": {"topic": {"type": ["string", "null"]}}}, "minor", "major"),
        ({"properties": {"topic": {"type": "string", "maxLength": 9}}}, "major", "minor"),
        ({"properties": {"topic": {"type": "string", "title": "T"}}}, "patch", "patch"),
        ({"properties": {"topic": {"type": "string", "default": "x"}}}, "minor", "patch"),
        ({"not": {"type": "null"}}, "major", "major"),
    ],
)
def test_schemas_are_judged_from_where_their_users_stand(
    schema: dict[str, Any], inputs: str, outputs: str
) -> None:
    assert isinstance(PARTS.inputs, dict) is False
    old = create_parts(outputs=PARTS.inputs)
    changed = {**dict(old.inputs), **schema}  # type: ignore[arg-type]

    [taken] = compare(old, create_parts(inputs=changed, outputs=PARTS.inputs)).changes
    [returned] = compare(old, create_parts(outputs=changed)).changes

    assert (taken.level, returned.level) == (inputs, outputs)


def test_each_change_of_a_schema_is_in_the_detail_with_its_level() -> None:
    schema = {"type": "object", "properties": {"topic": {"type": "integer"}}}

    [change] = get_changes(inputs=schema)

    assert change.detail.splitlines() == [
        "minor: required: 'topic' is not required any more (looser)",
        'major: properties.topic.type: the type is "integer" instead of "string" (stricter)',
        'minor: properties.topic.type: the type is "integer" instead of "string" (looser)',
    ]
    assert "(stricter), and 2 more" in change.summary


def test_what_cannot_be_judged_is_said() -> None:
    [change] = get_changes(inputs={**dict(PARTS.inputs), "not": {}})  # type: ignore[arg-type]

    assert change.level == "major"
    assert "cannot be judged" in change.summary


def test_more_permissions_are_major_and_ask_for_consent() -> None:
    permissions = replace(PARTS.permissions, hosts=("example.com", "evil.example"), spend=600_000)
    found = compare(PARTS, create_parts(version="1.3.0", permissions=permissions))
    hosts, spend = found.changes

    assert found.asks_consent
    assert (hosts.name, hosts.level, hosts.asks_consent) == ("hosts", "major", True)
    assert hosts.summary == (
        "permissions.hosts permits more, so those who run it have to agree again: 'evil.example'"
    )
    assert hosts.detail == "+ evil.example"
    assert spend.detail == "+ 0.60 instead of 0.50"
    assert found.check_version() == (
        "version 1.3.0 is too low after 1.2.0 with a major change: make it at least 2.0.0"
    )


def test_fewer_permissions_are_minor() -> None:
    found = compare(PARTS, create_parts(permissions=replace(PARTS.permissions, read=("docs/a",))))

    assert [(change.name, change.level) for change in found.changes] == [("files.read", "minor")]
    assert not found.asks_consent


def test_other_words_for_the_same_permissions_are_patch() -> None:
    [change] = get_changes(permissions=replace(PARTS.permissions, read=("docs", "docs/a")))

    assert (change.level, change.detail) == ("patch", "")
    assert "permits the same" in change.summary


def test_changed_prompt_comes_with_its_lines() -> None:
    [change] = get_changes(prompts={**PARTS.prompts, "style": "Be brief.\nBe honest.\n"})

    assert (change.part, change.name, change.level) == ("prompts", "style", "patch")
    assert change.detail.splitlines() == [
        "--- old",
        "+++ new",
        "@@ -1,2 +1,2 @@",
        " Be brief.",
        "-Be kind.",
        "+Be honest.",
    ]


def test_what_hides_in_a_prompt_is_shown() -> None:
    style = "Be brief.\u202e\x1b[31m\nBe kind.\n"
    [change] = get_changes(prompts={**PARTS.prompts, "style": style})

    assert "+Be brief.\\u202e\\x1b[31m" in change.detail
    assert "\x1b" not in change.detail


def test_what_hides_in_the_manifest_is_shown() -> None:
    [change] = get_changes(permissions=replace(PARTS.permissions, secrets=("TOKEN", "a\x1b[2K")))

    assert "\x1b" not in change.summary + change.detail


def test_missing_line_end_is_a_change_that_shows() -> None:
    [change] = get_changes(prompts={**PARTS.prompts, "style": "Be brief.\nBe kind."})

    assert "+\\ no line end here" in change.detail


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_detail_is_bounded(count: int) -> None:
    text = "".join(f"{index} {'x' * 1_000}\n" for index in range(count))

    [change] = get_changes(prompts={**PARTS.prompts, "style": text})

    assert len(change.detail) < 100_000
    assert "more lines" in change.detail or "too many to be compared" in change.detail


def test_changed_data_comes_with_its_lines() -> None:
    [change] = get_changes(models={"default": replace(MODEL, settings={"temperature": 1})})

    assert '-  "temperature": 0.5' in change.detail
    assert '+  "temperature": 1' in change.detail


def test_highest_level_is_the_bump_that_is_required() -> None:
    patch: dict[str, Any] = {"evals": {}}
    minor: dict[str, Any] = {**patch, "memory": {}}
    major: dict[str, Any] = {**minor, "tools": {}}

    bumps = [compare(PARTS, create_parts(**item)).required_bump for item in (patch, minor, major)]

    assert bumps == ["patch", "minor", "major"]


def test_version_before_the_first_release_breaks_with_its_second_number() -> None:
    old = create_parts(version="0.3.0")

    right = compare(old, create_parts(version="0.4.0", tools={}))
    wrong = compare(old, create_parts(version="0.3.1", tools={}))

    assert right.check_version() is None
    assert "make it at least 0.4.0" in (wrong.check_version() or "")


def test_difference_is_json() -> None:
    found = compare(PARTS, create_parts(tools={}, inputs=True, prompts={}))

    data = json.loads(json.dumps(found.to_dict()))

    assert data["required_bump"] == "major"
    assert data["version_problem"].startswith("the version is still 1.2.0")
    assert data["changes"][0] == {
        "part": "inputs",
        "name": "inputs",
        "kind": "changed",
        "level": "major",
        "summary": found.changes[0].summary,
        "detail": found.changes[0].detail,
        "asks_consent": False,
    }
