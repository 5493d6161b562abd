from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from agent_factory.core import BlueprintError, ToolRegistry
from agent_factory.core.blueprints import (
    Adapters,
    Blueprint,
    assemble,
    check_blueprint,
    load_blueprint,
    parse_blueprint,
)
from agent_factory.core.testing import ScriptedModel
from agent_factory.integrations.tools import create_builtin_entries
from agent_factory.integrations.toolsets import BlueprintToolsets
from tests.docs.markdown import ROOT, Block, find_pages, read_blocks

YAML = [block for page in find_pages() for block in read_blocks(page) if block.language == "yaml"]
BLUEPRINTS = [block for block in YAML if "agent-factory/blueprint@" in block.text]
KEYS = {field.alias or name for name, field in Blueprint.model_fields.items()}
# Workflows of GitHub and the like have other keys.
PARTS = [
    block
    for block in YAML
    if block not in BLUEPRINTS and set(re.findall(r"^(\w+):", block.text, flags=re.M)) <= KEYS
]
HEAD = "schema: agent-factory/blueprint@1\nname: part\nversion: 0.1.0\n"
AGENT = "agent: {instructions: Answer.}\n"


def create_adapters() -> Adapters:
    return Adapters(
        ToolRegistry(create_builtin_entries()),
        create_model=lambda use, settings: ScriptedModel([], name=use),
        toolsets=BlueprintToolsets(),
    )


def prepare(block: Block, folder: Path) -> Path:
    """Write a blueprint of a page, and what it names beside it that the page writes too."""
    for other in read_blocks(block.page):
        if "file" in other.options:
            (folder / other.options["file"]).write_text(other.text, encoding="utf-8")
        for name in re.findall(r"folder: ([\w/]+)", other.text):
            (folder / name).mkdir(exist_ok=True)
    file = folder / "blueprint.yaml"
    file.write_text(block.text, encoding="utf-8")
    return file


@pytest.mark.parametrize("block", BLUEPRINTS, ids=str)
def test_blueprint_in_the_documentation_makes_an_agent_unless_it_is_shown_as_wrong(
    block: Block, tmp_path: Path
) -> None:
    file = prepare(block, tmp_path)

    if "invalid" in block.options:
        with pytest.raises(BlueprintError):
            check_blueprint(load_blueprint(file), create_adapters())
    elif "check" in block.options:
        # What it would start is not on this machine.
        check_blueprint(load_blueprint(file), create_adapters())
    else:
        assemble(load_blueprint(file), create_adapters())


@pytest.mark.parametrize("block", PARTS, ids=str)
def test_part_of_a_blueprint_in_the_documentation_fits_the_schema(
    block: Block, tmp_path: Path
) -> None:
    whole = HEAD + ("" if re.search(r"^(agents?|workflows):", block.text, re.M) else AGENT)

    parse_blueprint((whole + block.text).encode(), name=str(block), folder=tmp_path)


def test_parts_of_blueprints_are_found() -> None:
    keys = {key for block in PARTS for key in yaml.safe_load(block.text)}

    assert {"evals", "guardrails", "memory", "models", "permissions"} <= keys


def test_there_are_blueprints_in_the_documentation() -> None:
    assert len(BLUEPRINTS) >= 15


@pytest.mark.parametrize(
    "file",
    sorted(
        [*(ROOT / "blueprints").glob("*.yaml"), *(ROOT / "blueprints").glob("*/blueprint.yaml")]
    ),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_blueprint_of_the_repository_makes_an_agent(file: Path) -> None:
    assemble(load_blueprint(file), create_adapters())
