from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks import (
    LOCK_SCHEMA,
    DependencyPart,
    Lock,
    ModelPart,
    Parts,
    ToolPart,
    ToolsetPart,
    compute_digest,
    create_dependency_parts,
    create_lock,
    write_lock,
)
from agent_factory.core.permissions import Permissions
from agent_factory.core.prices import Price
from tests.core.locks.sample import DIGEST, create_parts


def test_lock_of_the_sample_is_this() -> None:
    # Written down, so that another machine or another version of Python is found out.
    assert create_lock(create_parts()).digest == (
        "sha256:4119c5182b22cd1c4390a3300921cbc14f8954109e80c2e9e73056aadae8a0ac"
    )


def test_lock_has_a_digest_for_each_prompt() -> None:
    written = json.loads(write_lock(create_lock(create_parts())))

    assert written["prompts"] == {
        "agents/main/instructions": compute_digest("Answer."),
        "style": compute_digest("Be brief.\nBe kind.\n"),
    }


def test_lock_has_the_whole_manifest_for_people_to_review() -> None:
    written = json.loads(write_lock(create_lock(create_parts())))

    assert written["permissions"]["manifest"] == {
        "models": ["openai:gpt-5-mini"],
        "tools": ["github/*", "http_fetch"],
        "hosts": ["example.com"],
        "private_hosts": [],
        "secrets": ["TOKEN"],
        "files": {"read": ["docs"], "write": []},
        "commands": [],
        "spend": 500_000,
        "timeout": 60,
    }


def test_lock_has_prices_as_whole_numbers_with_their_day() -> None:
    written = json.loads(write_lock(create_lock(create_parts())))

    assert written["models"]["default"]["price"] == {
        "as_of": "2026-07-24",
        "cached_input": 25_000,
        "currency": "USD",
        "input": 250_000,
        "output": 2_000_000,
        "per_request": 0,
    }


def test_lock_tells_tools_options_and_specs_apart() -> None:
    tool = create_parts().tools["fetch"]
    written = json.loads(write_lock(create_lock(create_parts())))

    assert written["tools"]["fetch"] == {
        "distribution": "acme-tools 1.0.0",
        "options": compute_digest({"timeout": 5}),
        "spec": compute_digest(tool.spec),
        "use": "http_fetch",
    }
    assert written["toolsets"]["github"]["tools"] == {"search": compute_digest(tool.spec)}


def test_what_is_not_known_is_not_in_the_lock() -> None:
    parts = create_parts(
        tools={"fetch": ToolPart("http_fetch")},
        toolsets={"github": ToolsetPart()},
        models={"default": ModelPart("mine")},
    )
    written = json.loads(write_lock(create_lock(parts)))

    assert written["tools"]["fetch"] == {"options": compute_digest({}), "use": "http_fetch"}
    assert written["toolsets"]["github"] == {"config": compute_digest({})}
    assert written["models"]["default"] == {"settings": compute_digest({}), "use": "mine"}


def test_file_is_sorted_ascii_with_a_value_a_line() -> None:
    parts = create_parts(
        permissions=Permissions(read=("B\u00fccher\u202e", "a")), prompts={"\U0001f600": "x"}
    )
    text = write_lock(create_lock(parts))

    assert text.isascii()
    assert text.endswith("\n}\n")
    assert '          "B\\u00fccher\\u202e",\n          "a"\n' in text
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert json.loads(text)["schema"] == LOCK_SCHEMA


def test_smallest_blueprint_has_a_small_lock() -> None:
    written = json.loads(write_lock(create_lock(Parts("a", "0.1.0"))))

    assert list(written) == ["blueprint", "digest", "permissions", "schema"]


def test_order_of_names_means_nothing() -> None:
    prompts = {"b": "2", "a": "1"}
    limits = {"timeout": 60, "max_requests": 10.0}

    one = create_lock(create_parts(prompts=prompts, limits=limits))
    two = create_lock(
        create_parts(prompts=dict(reversed(prompts.items())), limits=dict(reversed(limits.items())))
    )

    assert write_lock(one) == write_lock(two)


def test_order_and_repetition_in_the_manifest_mean_nothing() -> None:
    one = create_parts(permissions=Permissions(hosts=("a.com", "b.com"), timeout=5))
    two = create_parts(permissions=Permissions(hosts=("b.com", "a.com", "b.com"), timeout=5.0))

    assert write_lock(create_lock(one)) == write_lock(create_lock(two))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_a_prompt_mean_nothing(end: str) -> None:
    one = create_parts(prompts={"style": "Be brief.\nBe kind.\n"})
    two = create_parts(prompts={"style": f"Be brief.{end}Be kind.{end}"})

    assert create_lock(one).digest == create_lock(two).digest
    assert two.prompts["style"] == "Be brief.\nBe kind.\n"


def test_meaning_is_that_of_what_the_blueprint_says() -> None:
    parts = create_parts()
    tool, toolset, model = parts.tools["fetch"], parts.toolsets["github"], parts.models["default"]
    elsewhere = create_parts(
        name="other",
        version="2.0.0",
        metadata={},
        tools={"fetch": replace(tool, spec=None, distribution="")},
        toolsets={"github": replace(toolset, tools=None)},
        models={"default": replace(model, price=None, currency="", as_of=None)},
    )

    assert create_lock(elsewhere).meaning == create_lock(parts).meaning
    assert create_lock(elsewhere).digest != create_lock(parts).digest


def test_entry_and_permissions_belong_to_the_meaning() -> None:
    meanings = {
        create_lock(parts).meaning
        for parts in (
            create_parts(),
            create_parts(entry="other"),
            create_parts(permissions=Permissions()),
            create_parts(inputs=None),
        )
    }

    assert len(meanings) == 4


def test_dependency_brings_along_those_that_it_has() -> None:
    inner = create_lock(Parts("words", "0.1.0"))
    middle = create_lock(
        Parts("summary", "1.0.0", dependencies=create_dependency_parts("words", "../words", inner))
    )

    found = create_dependency_parts("summary", "../summary", middle, requires="^1")

    assert found == {
        "summary": DependencyPart("../summary", "1.0.0", middle.digest, "^1", middle.meaning),
        "summary/words": DependencyPart("../words", "0.1.0", inner.digest),
    }


def test_change_of_an_inner_dependency_reaches_the_outermost_lock() -> None:
    digests = set()
    for text in ("one", "two"):
        inner = create_lock(Parts("words", "0.1.0", prompts={"a": text}))
        found = create_dependency_parts("words", "../words", inner)
        middle = create_lock(Parts("summary", "1.0.0", dependencies=found))
        found = create_dependency_parts("summary", "../summary", middle)
        digests.add(create_lock(Parts("outer", "1.0.0", dependencies=found)).digest)

    assert len(digests) == 2


def test_lock_and_parts_cannot_be_changed() -> None:
    options = {"deep": [1]}
    tool = ToolPart("x", options=options)
    options["deep"].append(2)
    parts = create_parts(tools={"x": tool})
    lock = create_lock(parts)

    assert tool.options == {"deep": (1,)}
    with pytest.raises(FrozenInstanceError):
        lock.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        lock.sections["tools"]["y"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        parts.tools["y"] = tool  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "No"}, "Parts.name must be lower-case letters"),
        ({"version": "1"}, "is no version"),
        ({"prompts": {"": "x"}}, "a name in Parts.prompts must be a text of 1 to 200 characters"),
        ({"prompts": {"x" * 201: "x"}}, "must be a text of 1 to 200 characters"),
        ({"prompts": {"\U0001f600" * 150: "x"}}, "a name in Parts.prompts is too long"),
        ({"prompts": {"a": 1}}, "Parts.prompts['a'] must be a str, not int"),
        ({"prompts": {"a": "\ud800"}}, "half of a surrogate pair"),
        ({"tools": {"a": {}}}, "Parts.tools['a'] must be a ToolPart, not dict"),
        ({"agents": {"a": float("nan")}}, "Parts.agents.a is nan"),
        ({"agents": ()}, "Parts.agents must be a mapping of names"),
        ({"limits": {"a": [1]}}, "Parts.limits['a'] must be one value, not several"),
        ({"permissions": {}}, "Parts.permissions must be Permissions"),
    ],
)
def test_parts_that_are_none_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_parts(**changes)

    assert said in caught.value.message


@pytest.mark.parametrize("path", ["", "/srv/x", "C:\\x", "c:/x", "a\\b"])
def test_path_of_a_dependency_is_relative(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"DependencyPart\.path|must be relative"):
        DependencyPart(path, "1.0.0", DIGEST)


def test_price_goes_with_its_currency_and_its_day() -> None:
    price = Price(1, 1, 1)

    with pytest.raises(ConfigurationError, match="currency"):
        ModelPart("x", {}, price)
    with pytest.raises(ConfigurationError, match="as_of"):
        ModelPart("x", {}, price, "USD")
    with pytest.raises(ConfigurationError, match="but no price"):
        ModelPart("x", {}, None, "USD", date(2026, 1, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": {"a": "\0"}},
        {"prompts": {"a\0": "x"}},
        {"permissions": Permissions(tools=("a\0",))},
    ],
)
def test_nul_in_what_is_written_out_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="has the character NUL in it"):
        create_lock(create_parts(**changes))


def test_lock_that_could_not_be_written_cannot_be_made() -> None:
    with pytest.raises(ConfigurationError, match="a lock has no part 'prompt'"):
        Lock("a", "1.0.0", "", DIGEST, Permissions(), {"prompt": {}})
    with pytest.raises(ConfigurationError, match=r"prompts\.a: must be 'sha256:'"):
        Lock("a", "1.0.0", "", DIGEST, Permissions(), {"prompts": {"a": "text"}})
