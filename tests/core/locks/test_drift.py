from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from agent_factory.core.locks import (
    DependencyPart,
    Drift,
    ModelPart,
    ToolPart,
    ToolsetPart,
    check_lock,
    create_lock,
)
from agent_factory.core.permissions import Permissions
from agent_factory.core.prices import Price
from tests.core.locks.sample import DIGEST, OTHER_DIGEST, create_parts

PARTS = create_parts()
LOCK = create_lock(PARTS)


def check(**changes: Any) -> tuple[Drift, ...]:
    """Return the drifts of a blueprint in which something has changed since it was locked."""
    return check_lock(LOCK, create_lock(create_parts(**changes)))


def test_blueprint_that_has_not_changed_has_no_drift() -> None:
    assert check() == ()


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        (
            {"name": "other"},
            ("blueprint", "name", "changed"),
            "the name of the blueprint is 'other', but 'research' is locked",
        ),
        (
            {"version": "1.3.0"},
            ("blueprint", "version", "changed"),
            "the version of the blueprint is '1.3.0', but '1.2.0' is locked",
        ),
        (
            {"entry": "b"},
            ("blueprint", "entry", "changed"),
            "the entry of the blueprint is 'b', but 'main' is locked",
        ),
        (
            {"inputs": None},
            ("schemas", "inputs", "removed"),
            "schema 'inputs' is in the lock, but not in the blueprint any more",
        ),
        (
            {"outputs": True},
            ("schemas", "outputs", "changed"),
            "schema 'outputs' has changed since it was locked",
        ),
        (
            {"prompts": {**PARTS.prompts, "style": "Be rude."}},
            ("prompts", "style", "changed"),
            "prompt 'style' has changed since it was locked",
        ),
        (
            {"prompts": {**PARTS.prompts, "new": "x"}},
            ("prompts", "new", "added"),
            "prompt 'new' is not in the lock",
        ),
        ({"agents": {"main": {}}}, ("agents", "main", "changed"), "agent 'main' has changed"),
        (
            {"guardrails": {}},
            ("guardrails", "secrets", "removed"),
            "guardrail 'secrets' is in the lock",
        ),
        (
            {"memory": {"default": 1}},
            ("memory", "default", "changed"),
            "memory 'default' has changed",
        ),
        ({"workflows": {}}, ("workflows", "main", "removed"), "workflow 'main' is in the lock"),
        ({"evals": {"basic": 4}}, ("evals", "basic", "changed"), "eval 'basic' has changed"),
        (
            {"limits": {"max_requests": 2_000, "timeout": 60}},
            ("limits", "max_requests", "changed"),
            "limit 'max_requests' is 2,000, but 10 is locked",
        ),
    ],
)
def test_each_part_that_drifts_is_named(
    changes: dict[str, Any], place: tuple[str, str, str], said: str
) -> None:
    [drift] = check(**changes)

    assert (drift.part, drift.name, drift.kind) == place
    assert drift.message.startswith(said)


def test_true_and_one_are_not_the_same_limit() -> None:
    locked = create_lock(create_parts(limits={"a": 1}))

    [drift] = check_lock(locked, create_lock(create_parts(limits={"a": True})))

    assert drift.message == "limit 'a' is True, but 1 is locked"


def test_permissions_are_told_with_what_was_and_what_is() -> None:
    [hosts, read, spend, timeout] = check(
        permissions=replace(
            PARTS.permissions, hosts=("evil.example",), read=(), spend=1, timeout=None
        )
    )

    assert hosts.to_dict() == {
        "part": "permissions",
        "name": "hosts",
        "kind": "changed",
        "message": "permissions.hosts has changed since it was locked: 'evil.example' was not locked, 'example.com' was locked",
        "field": "",
        "old": ["example.com"],
        "new": ["evil.example"],
    }
    assert (read.name, read.old, read.new) == ("files.read", ["docs"], [])
    assert spend.message == "permissions.spend is 1 millionths, but 500000 millionths is locked"
    assert timeout.message == "permissions.timeout is no bound, but 60 seconds is locked"


def test_price_is_told_with_what_was_and_what_is() -> None:
    model = replace(
        PARTS.models["default"], price=Price(300_000, 2_000_000, 25_000), as_of=date(2026, 11, 1)
    )

    [drift] = check(models={"default": model})

    assert (drift.part, drift.name, drift.field, drift.kind) == (
        "models",
        "default",
        "price",
        "changed",
    )
    assert "(2026-07-24, now 2026-11-01): input is 300,000 instead of 250,000" in drift.message
    assert (drift.old["input"], drift.new["input"]) == (250_000, 300_000)


def test_same_price_in_a_later_table_is_no_drift() -> None:
    assert (
        check(models={"default": replace(PARTS.models["default"], as_of=date(2026, 11, 1))}) == ()
    )


def test_price_that_is_not_known_any_more_is_drift() -> None:
    model = ModelPart("openai:gpt-5-mini", {"temperature": 0.5})

    [drift] = check(models={"default": model})
    [back] = check_lock(create_lock(create_parts(models={"default": model})), LOCK)

    assert (drift.kind, back.kind) == ("removed", "added")


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"use": "x"}, "use", "tool 'fetch': its use is 'x', but 'http_fetch' is locked"),
        ({"options": {}}, "options", "tool 'fetch': its options have changed since it was locked"),
        (
            {"spec": {}},
            "spec",
            "tool 'fetch': what it tells the model of itself has changed since it was locked",
        ),
        (
            {"distribution": "acme-tools 2.0.0"},
            "distribution",
            "tool 'fetch': its package is 'acme-tools 2.0.0', but 'acme-tools 1.0.0' is locked",
        ),
        (
            {"distribution": ""},
            "distribution",
            "tool 'fetch': its package is none, but 'acme-tools 1.0.0' is locked",
        ),
    ],
)
def test_what_of_a_tool_drifts_is_told(changes: dict[str, Any], field: str, said: str) -> None:
    [drift] = check(tools={"fetch": replace(PARTS.tools["fetch"], **changes)})

    assert (drift.field, drift.message) == (field, said)


def test_tools_of_a_server_are_compared_one_by_one() -> None:
    tools = {"search": {"name": "search"}, "delete": {"name": "delete"}}

    drifts = check(toolsets={"github": replace(PARTS.toolsets["github"], tools=tools)})

    assert [(drift.name, drift.kind) for drift in drifts] == [
        ("github/delete", "added"),
        ("github/search", "changed"),
    ]


def test_what_nobody_looked_at_is_no_drift() -> None:
    assert (
        check(
            tools={"fetch": replace(PARTS.tools["fetch"], spec=None)},
            toolsets={"github": replace(PARTS.toolsets["github"], tools=None)},
        )
        == ()
    )


def test_what_nobody_locked_is_drift_as_soon_as_it_is_known() -> None:
    unknown = create_lock(
        create_parts(
            tools={"fetch": replace(PARTS.tools["fetch"], spec=None)},
            toolsets={"github": replace(PARTS.toolsets["github"], tools=None)},
        )
    )

    assert [(drift.part, drift.kind) for drift in check_lock(unknown, LOCK)] == [
        ("tools", "added"),
        ("toolsets", "added"),
    ]


def test_dependency_is_told_with_its_versions() -> None:
    changed = DependencyPart("../summary", "1.1.0", OTHER_DIGEST, "^1.0")

    [digest, version] = check(dependencies={**PARTS.dependencies, "summary": changed})

    assert digest.message == "dependency 'summary': its content has changed since it was locked"
    assert version.message == "dependency 'summary': its version is '1.1.0', but '1.0.0' is locked"


def test_toolset_and_model_drift_in_their_settings() -> None:
    drifts = check(
        models={"default": replace(PARTS.models["default"], settings={}, use="x")},
        toolsets={"github": ToolsetPart({}, PARTS.toolsets["github"].tools)},
    )

    assert [(drift.name, drift.field) for drift in drifts] == [
        ("default", "settings"),
        ("default", "use"),
        ("github", "config"),
    ]


def test_lock_with_another_meaning_drifts_even_if_its_parts_fit() -> None:
    [drift] = check_lock(replace(LOCK, meaning=DIGEST), LOCK)

    assert (drift.part, drift.name) == ("blueprint", "digest")


def test_drift_is_json() -> None:
    drifts = check(
        tools={},
        models={"default": ModelPart("x"), "other": ModelPart("y")},
        toolsets={},
        dependencies={},
        permissions=Permissions(),
        prompts={},
        limits={},
    )

    assert json.loads(json.dumps([drift.to_dict() for drift in drifts]))
    assert all(drift.message for drift in drifts)


def test_several_drifts_are_all_named() -> None:
    drifts = check(prompts={}, tools={"other": ToolPart("x")})

    assert [(drift.part, drift.name, drift.kind) for drift in drifts] == [
        ("prompts", "agents/main/instructions", "removed"),
        ("prompts", "style", "removed"),
        ("tools", "fetch", "removed"),
        ("tools", "other", "added"),
    ]
