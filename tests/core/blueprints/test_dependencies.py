from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.blueprints import parse_blueprint
from agent_factory.core.blueprints.dependencies import load_dependency
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.messages import ToolMessage
from agent_factory.core.permissions import Grant
from agent_factory.core.testing import create_tool_call
from tests.core.blueprints.making import (
    HEAD,
    PERMITTED,
    create_adapters,
    create_assembly,
    find_messages,
)

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.blueprints import ModelSettings
    from agent_factory.core.models import Model

USER = PERMITTED + "agent:\n  instructions: A\n  tools: [{blueprint: clerk}]\n"
CLERK = "agent: {instructions: C, model: other}\npermissions: {models: [other]%s}\n"


def write(folder: Path, name: str, text: str) -> None:
    """Write another blueprint."""
    (folder / name).write_text(HEAD.replace("helper", "clerk") + text, encoding="utf-8")


def test_agent_of_another_blueprint_is_a_tool(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    adapters = create_adapters(
        {"default": [create_tool_call("clerk", {"prompt": "Hi."}), "done"], "other": ["hello"]}
    )
    made = create_assembly(
        USER + "dependencies: {clerk: {path: clerk.yaml, version: ^0.1}}\n", adapters, tmp_path
    )

    result = made.agents["helper"].run_sync("Go.", deps=None)

    told = result.messages[-2]
    assert isinstance(told, ToolMessage)
    assert told.content == "hello"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ", tools: [now]",
            "it asks for 'now', which permissions.tools of this blueprint does not name",
        ),
        (", hosts: [x.example.net]", "it asks for 'x.example.net', which permissions.hosts"),
        (", secrets: [OTHER]", "it asks for 'OTHER', which permissions.secrets"),
        (", files: {read: [docs]}", "it asks for 'docs', which permissions.files.read"),
        (", spend: 1 USD", "it asks for 1 USD, which permissions.spend"),
    ],
)
def test_dependency_gets_no_more_than_who_uses_it(more: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % more)

    [told] = find_messages(USER + "dependencies: {clerk: clerk.yaml}\n", folder=tmp_path)

    assert said in told


def test_version_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")

    [told] = find_messages(
        USER + "dependencies: {clerk: {path: clerk.yaml, version: ^2.0}}\n", folder=tmp_path
    )

    assert told.endswith("clerk.yaml has version 0.1.0, which '^2.0' does not allow")


def test_circle_of_dependencies_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "")
    write(tmp_path, "clerk.yaml", CLERK % "" + "dependencies: {again: clerk.yaml}\n")

    told = find_messages(USER + "dependencies: {clerk: clerk.yaml}\n", folder=tmp_path)

    assert any("the dependencies lead back here in a circle" in item for item in told)


def test_mistake_in_a_dependency_is_told_in_its_own_file(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", "agent: {instruction: C}\n")

    told = find_messages(USER + "dependencies: {clerk: clerk.yaml}\n", folder=tmp_path)

    assert any("clerk.yaml:4:9: unknown key 'instruction'" in item for item in told)


def test_dependency_outside_of_the_folder_needs_permission(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    below = tmp_path / "below"
    below.mkdir()
    text = USER + "dependencies: {clerk: ../clerk.yaml}\n"

    [told] = find_messages(text, folder=below)

    assert "not permitted (files.read): '../clerk.yaml'" in told


def test_dependency_behind_a_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "real.yaml", CLERK % "")
    (tmp_path / "clerk.yaml").symlink_to(tmp_path / "real.yaml")

    [told] = find_messages(USER + "dependencies: {clerk: clerk.yaml}\n", folder=tmp_path)

    assert "links are not followed" in told


def test_dependency_that_asks_for_more_when_it_is_read_again_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    adapters = create_adapters()

    def change(use: str, settings: ModelSettings) -> Model:
        write(tmp_path, "clerk.yaml", CLERK % ", hosts: [evil.example.net]")
        return adapters.create_model(use, settings)

    # The one that uses it makes its model once everything is checked, and before the dependency is read again.
    text = PERMITTED + "entry: helper\nagents:\n  first: {instructions: F}\n"
    text += "  helper:\n    instructions: A\n    tools: [{blueprint: clerk}]\n"
    text += "dependencies: {clerk: clerk.yaml}\n"

    [told] = find_messages(text, replace(adapters, create_model=change), tmp_path)

    assert "it asks for 'evil.example.net', which permissions.hosts" in told


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (CLERK % ", secrets: [OTHER]", "it asks for 'OTHER'"),
        (CLERK % ", files: {read: [/etc]}", "it asks for '/etc'"),
        (CLERK % ", spend: 1 USD", "it asks for 1 USD"),
        ("agents: {a: {instructions: A}, b: {instructions: B}}\n", "what it runs is no agent"),
    ],
)
def test_every_reading_of_a_dependency_is_checked(later: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    text = HEAD + USER + "dependencies: {clerk: clerk.yaml}\n"
    file = parse_blueprint(text.encode(), name="a.yaml", folder=tmp_path)
    grant = Grant(file.blueprint.permissions.create_permissions(), tmp_path)
    assert load_dependency(file, "clerk", grant).blueprint.name == "clerk"
    write(tmp_path, "clerk.yaml", later)

    with pytest.raises(ConfigurationError, match=f"'clerk' cannot be used: {said}"):
        load_dependency(file, "clerk", grant)


def test_version_is_checked_at_every_reading(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    text = HEAD + USER + "dependencies: {clerk: {path: clerk.yaml, version: ^2.0}}\n"
    file = parse_blueprint(text.encode(), name="a.yaml", folder=tmp_path)
    grant = Grant(file.blueprint.permissions.create_permissions(), tmp_path)

    with pytest.raises(ConfigurationError, match="does not allow"):
        load_dependency(file, "clerk", grant)


def test_toolset_and_dependency_share_no_name(tmp_path: Path) -> None:
    write(tmp_path, "set.yaml", CLERK % "")
    text = PERMITTED + "agent: {instructions: A}\ndependencies: {set: set.yaml}\n"
    text += "toolsets: {set: {mcp: {command: [server]}}}\n"

    told = find_messages(text, folder=tmp_path)

    assert any("a toolset is named 'set' too" in item for item in told)


def test_dependency_in_a_folder_behind_a_link_is_refused(tmp_path: Path) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    outside.mkdir()
    write(outside, "clerk.yaml", CLERK % "")
    (base / "inner").symlink_to(outside)

    [told] = find_messages(USER + "dependencies: {clerk: inner/clerk.yaml}\n", folder=base)

    assert "links are not followed" in told


def test_dependency_outside_of_the_folder_can_be_permitted(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    below = tmp_path / "below"
    below.mkdir()
    text = USER.replace("permissions:\n", "permissions:\n  files: {read: [../clerk.yaml]}\n")

    made = create_assembly(text + "dependencies: {clerk: ../clerk.yaml}\n", folder=below)

    assert list(made.agents) == ["helper"]


def test_pipe_is_no_dependency(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clerk.yaml")

    [told] = find_messages(USER + "dependencies: {clerk: clerk.yaml}\n", folder=tmp_path)

    assert "no regular file" in told


def test_content_of_a_file_outside_is_in_no_message(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "private.yaml").write_text("password: [hunter2\n")
    (base / "clerk.yaml").symlink_to(tmp_path / "private.yaml")

    for path in ("clerk.yaml", "../private.yaml", str(tmp_path / "private.yaml")):
        with pytest.raises(BlueprintError) as caught:
            create_assembly(USER + f"dependencies: {{clerk: {path}}}\n", folder=base)
        assert "hunter2" not in f"{caught.value} {caught.value.details}"


def test_files_that_use_each_other_in_every_way_come_to_an_end(tmp_path: Path) -> None:
    for number in range(7):
        used = f"{{path: clerk{number + 1}.yaml}}"
        several = ", ".join(f"d{index}: {used}" for index in range(20))
        write(
            tmp_path,
            f"clerk{number}.yaml",
            CLERK % "" + (f"dependencies: {{{several}}}\n" if number < 6 else ""),
        )

    told = find_messages(USER + "dependencies: {clerk: clerk0.yaml}\n", folder=tmp_path)

    assert any("the dependencies are more than 100 with their own" in item for item in told)
    assert len(told) < 20


def test_absolute_path_of_a_dependency_can_be_permitted(tmp_path: Path) -> None:
    write(tmp_path, "clerk.yaml", CLERK % "")
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "clerk.yaml")
    text = USER.replace(
        "permissions:\n", f"permissions:\n  files: {{read: [{tmp_path}/link.yaml]}}\n"
    )

    made = create_assembly(text + f"dependencies: {{clerk: {tmp_path}/link.yaml}}\n", folder=below)

    assert list(made.agents) == ["helper"]
