from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_factory.core import BlueprintError, ToolRegistry
from agent_factory.core.blueprints import create_agent, load_blueprint
from agent_factory.core.testing import ScriptedModel
from agent_factory.integrations.tools import create_builtin_entries
from tests.docs.markdown import ROOT, Block, find_pages, read_blocks

BLUEPRINTS = [
    block
    for page in find_pages()
    for block in read_blocks(page)
    if block.language == "yaml" and "agent-factory/blueprint@" in block.text
]


def create(file: Path) -> None:
    create_agent(
        load_blueprint(file),
        tools=ToolRegistry(create_builtin_entries()),
        create_model=lambda name: ScriptedModel([], name=name),
    )


@pytest.mark.parametrize("block", BLUEPRINTS, ids=str)
def test_blueprint_in_the_documentation_makes_an_agent_unless_it_is_shown_as_wrong(
    block: Block, tmp_path: Path
) -> None:
    file = tmp_path / "blueprint.yaml"
    file.write_text(block.text, encoding="utf-8")
    for folder in re.findall(r"folder: (\S+)", block.text):
        (tmp_path / folder).mkdir(exist_ok=True)

    if "invalid" in block.options:
        with pytest.raises(BlueprintError):
            create(file)
    else:
        create(file)


def test_there_are_blueprints_in_the_documentation() -> None:
    assert len(BLUEPRINTS) >= 5


@pytest.mark.parametrize(
    "file", sorted((ROOT / "blueprints").glob("*.yaml")), ids=lambda path: path.name
)
def test_blueprint_of_the_repository_makes_an_agent(file: Path) -> None:
    create(file)
