from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.exceptions import UsageError
from agent_factory.cli.locks import find_drifts
from agent_factory.cli.templates import create_from_template, list_templates
from agent_factory.core.blueprints import check_blueprint, find_problems, load_blueprint
from tests.blueprints.evaluating import create_adapters, replay
from tests.blueprints.test_blueprints import list_permissions

if TYPE_CHECKING:
    from pathlib import Path

each_template = pytest.mark.parametrize("name", [item.name for item in list_templates()])


def test_there_is_a_template_for_each_kind_of_agent() -> None:
    assert [item.name for item in list_templates()] == ["docs", "extract", "chat", "workflow"]


@each_template
def test_template_makes_a_valid_blueprint_with_the_name_of_its_folder(
    name: str, tmp_path: Path
) -> None:
    made = create_from_template(tmp_path / "Shop Desk", name, create_adapters())

    loaded = load_blueprint(tmp_path / "Shop Desk/blueprint.yaml")
    check_blueprint(loaded, create_adapters())
    assert loaded.blueprint.name == "shop-desk"
    assert all(file.is_file() for file in made.files)
    texts = [file.read_text("utf-8") for file in made.files]
    assert not [text for text in texts if "name-of-the-blueprint" in text]


@each_template
def test_template_is_locked(name: str, tmp_path: Path) -> None:
    create_from_template(tmp_path / "shop", name, create_adapters())

    assert find_drifts(tmp_path / "shop/blueprint.yaml", create_adapters(), installed=True) == ()


@each_template
def test_template_passes_its_suites_without_a_key(name: str, tmp_path: Path) -> None:
    create_from_template(tmp_path / "shop", name, create_adapters())

    reports = replay(tmp_path / "shop/blueprint.yaml")

    assert {report.verdict for report in reports.values()} == {"pass"}


@each_template
def test_template_asks_for_no_permission_that_it_does_not_need(name: str, tmp_path: Path) -> None:
    create_from_template(tmp_path / "shop", name, create_adapters())
    loaded = load_blueprint(tmp_path / "shop/blueprint.yaml")
    adapters = create_adapters()

    assert not [
        item for item, without in list_permissions(loaded) if not find_problems(without, adapters)
    ]


@each_template
def test_next_steps_name_the_blueprint(name: str, tmp_path: Path) -> None:
    made = create_from_template(tmp_path / "shop", name, create_adapters())

    steps = made.next_steps.splitlines()
    assert [line.split()[1] for line in steps[:2]] == ["validate", "eval"]
    assert all(str(tmp_path / "shop/blueprint.yaml") in line for line in steps)


def test_chat_template_is_tried_in_a_conversation(tmp_path: Path) -> None:
    made = create_from_template(tmp_path / "shop", "chat", create_adapters())

    assert made.next_steps.splitlines()[-1].split()[:2] == ["agent-factory", "chat"]


def test_tool_of_the_chat_template_that_writes_asks_for_approval(tmp_path: Path) -> None:
    create_from_template(tmp_path / "shop", "chat", create_adapters())

    tools = load_blueprint(tmp_path / "shop/blueprint.yaml").blueprint.tools
    assert {tool.use for tool in tools.values() if tool.approval} == {"write_file"}


def test_unknown_template_is_refused_with_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'workflow'"):
        create_from_template(tmp_path / "shop", "workflows", create_adapters())


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")

    with pytest.raises(UsageError, match="not empty"):
        create_from_template(tmp_path, "docs", create_adapters())

    assert [item.name for item in tmp_path.iterdir()] == ["notes.txt"]
