from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any, get_args

import pytest

from agent_factory.core.blueprints import Blueprint, check_blueprint, parse_blueprint
from agent_factory.core.blueprints.parts import collect_parts
from agent_factory.core.blueprints.schema.base import Section
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.locks.lock import Lock, create_lock
from tests.core.blueprints.full import FULL, create_full_adapters, parse_data, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The name of a file means nothing beside its content.
NAMES_OF_FILES = {
    ("evals_file",),
    ("prompts", "long", "file"),
    ("agents", "clerk", "instructions", "file"),
}
# What other parts depend on, so that there is no other valid value.
UNSURE = ("permissions", "outputs", "evals", "workflows")
BOUND = (
    "agents",
    "blueprint",
    "entry",
    "file",
    "name",
    "path",
    "permissions",
    "toolset",
    "type",
    "use",
    0,
)
# What takes the place of a value where anything else would not be valid.
OTHERS: dict[Any, list[Any]] = {
    "0.50 USD": ["0.60 USD"],
    "0.20 USD": ["0.25 USD"],
    "0.30 USD": ["0.25 USD"],
    "low": ["high"],
    "read": ["once"],
    "ok": ["error"],
    "tool": ["native"],
    "header": ["query"],
    "limit_length": ["require_json_schema"],
    "guardrail": ["limit_exceeded"],
    "lead": ["flow"],
    "fast": ["spare", "other"],
    "other": ["default", "fast"],
    "spare": ["other"],
    "look": ["again", "get"],
    "again": ["look"],
    "1.2.3": ["1.2.4"],
    "^1.0": ["^1.1"],
    "https://example.com/full": ["https://example.com/other"],
    "https://api.example.com/mcp": ["https://api.example.com/other"],
    "Write about {{input.topic}}.": ["On {{input.topic}}."],
    "echo": ["now"],
    "docs": ["out"],
    "detect_secrets": ["detect_personal_data"],
    "output": ["input"],
    "kind": ["long"],
    "recent": ["brief"],
    "clerk": ["heir"],
}


def digest(data: object, folder: Path) -> tuple[Lock, Any]:
    """Return what a lock says of a blueprint that has no mistake, and what people are told of it."""
    file = parse_data(data, folder)
    adapters = create_full_adapters()
    check_blueprint(file, adapters)
    parts = collect_parts(file, adapters, installed=True)
    return create_lock(parts), dict(parts.metadata)


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the place of everything in plain data."""
    for key, item in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, key)
        yield from list_paths(item, (*path, key))


def list_changes(value: Any) -> Iterator[Any]:
    """Return what may take the place of a value."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, value * 0.9, value - 1)
    elif isinstance(value, str):
        yield from (*OTHERS.get(value, ()), f"{value}x", f"{value} x")


def change(path: tuple[Any, ...], value: Any = None, *, remove: bool = False) -> Any:
    """Return the blueprint with another value at a place, or without it."""
    data = deepcopy(FULL)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if remove:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return data


def list_models(annotation: Any, found: set[type[Section]]) -> set[type[Section]]:
    """Return the models that a type has in it."""
    is_model = isinstance(annotation, type) and issubclass(annotation, Section)
    if is_model and annotation not in found:
        found.add(annotation)
        for field in annotation.model_fields.values():
            list_models(field.annotation, found)
    for argument in get_args(annotation):
        list_models(argument, found)
    return found


def list_given(value: Any, found: set[tuple[type[Section], str]]) -> set[tuple[type[Section], str]]:
    """Return the fields that are given in a blueprint."""
    if isinstance(value, Section):
        for name in value.model_fields_set:
            found.add((type(value), name))
            list_given(getattr(value, name), found)
    elif isinstance(value, dict):
        for item in value.values():
            list_given(item, found)
    elif isinstance(value, tuple):
        for item in value:
            list_given(item, found)
    return found


def test_blueprint_of_these_tests_says_everything(tmp_path: Path) -> None:
    write_files(tmp_path)
    blueprint = parse_data(FULL, tmp_path).blueprint
    # A blueprint has one of agent and agents.
    expected = {
        (model, name)
        for model in list_models(Blueprint, set())
        for name in model.model_fields
        if (model, name) != (Blueprint, "agent")
    }

    assert expected - list_given(blueprint, set()) == set()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return the folder of the blueprint, and its lock."""
    folder = tmp_path_factory.mktemp("full")
    write_files(folder)
    return folder, digest(FULL, folder)


@pytest.mark.parametrize("path", list(list_paths(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_lock_tells_every_change(path: tuple[Any, ...], full: tuple[Path, Any]) -> None:
    if path in NAMES_OF_FILES or path in {("schema",)}:
        return
    folder, before = full
    value: Any = FULL
    for key in path:
        value = value[key]
    tried = 0
    for data in (
        *(change(path, other) for other in list_changes(value)),
        change(path, remove=True),
    ):
        try:
            after = digest(data, folder)
        except (BlueprintError, ConfigurationError):
            continue
        tried += 1
        assert after != before, data
    if not isinstance(value, (dict, list)) and path[0] not in UNSURE and path[-1] not in BOUND:
        assert tried, "no other value of this key is valid: give one above"


def test_result_that_is_nothing_differs_from_that_of_the_last_step(tmp_path: Path) -> None:
    write_files(tmp_path)
    nothing = change(("workflows", "flow", "output"), None)
    last = change(("workflows", "flow", "output"), remove=True)

    assert digest(nothing, tmp_path) != digest(last, tmp_path)


def test_limit_of_an_agent_is_told_though_it_is_usual(tmp_path: Path) -> None:
    write_files(tmp_path)
    usual = change(("agents", "lead", "limits", "max_requests"), 20)
    without = change(("agents", "lead", "limits", "max_requests"), remove=True)

    assert digest(usual, tmp_path) != digest(without, tmp_path)


@pytest.mark.parametrize(
    "path", ["prompts/long.md", "api.yaml", "evals.yaml", "helper/blueprint.yaml"]
)
def test_lock_tells_a_change_of_a_file_that_belongs_to_it(path: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    before = digest(FULL, tmp_path)
    file = tmp_path / path
    text = file.read_text("utf-8")
    file.write_text(
        {
            "api.yaml": text.replace("title: A", "title: B"),
            "evals.yaml": text.replace("contains: jars", "contains: lids"),
            "helper/blueprint.yaml": text.replace("Help.", "Help more."),
        }.get(path, f"{text}Quickly.\n"),
        "utf-8",
    )

    assert digest(FULL, tmp_path) != before


def test_lock_is_the_same_in_every_folder_and_with_every_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two" / "deep"
    write_files(one)
    write_files(two, "\r\n")
    before = digest(FULL, one)
    monkeypatch.chdir(two)

    assert digest(FULL, two) == before
    assert str(tmp_path) not in repr(before)
    assert os.sep + "one" not in repr(before)


def test_order_of_keys_means_nothing(tmp_path: Path) -> None:
    write_files(tmp_path)

    def turn(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turn(item) for key, item in reversed(value.items())}
        return [turn(item) for item in value] if isinstance(value, list) else value

    assert digest(turn(FULL), tmp_path) == digest(FULL, tmp_path)


def test_line_ends_of_the_blueprint_mean_nothing(tmp_path: Path) -> None:
    text = "schema: agent-factory/blueprint@1\nname: a\nversion: 0.1.0\npermissions: {models: [default]}\n"
    text += "agent:\n  instructions: |\n    Be kind.\n    Be short.\n"
    adapters = create_full_adapters()
    unix, windows = (
        create_lock(
            collect_parts(
                parse_blueprint(content.encode(), name="a.yaml", folder=tmp_path),
                adapters,
                installed=True,
            )
        )
        for content in (text, text.replace("\n", "\r\n"))
    )

    assert unix == windows
