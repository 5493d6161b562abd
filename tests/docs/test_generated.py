"""Compares what is generated from the schema of blueprints with the schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema_rs import Draft7Validator

from agent_factory.core.blueprints.document import read_document
from tests.docs.markdown import ROOT, Block, find_pages, read_blocks
from tests.docs.processes import create_environment

PAGE = "docs/blueprint-reference.md"
SCHEMA = "schemas/blueprint-v1.schema.json"
WHOLE = [
    block
    for page in find_pages()
    for block in read_blocks(page)
    if block.language == "yaml" and "agent-factory/blueprint@" in block.text
]
VALID = [block for block in WHOLE if "invalid" not in block.options]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    done = subprocess.run(
        [sys.executable, "-W", "error", "docs/generate.py", str(folder)],
        cwd=ROOT,
        env=create_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("path", [PAGE, SCHEMA])
def test_generated_file_is_as_the_schema_of_blueprints_says(path: str, generated: Path) -> None:
    made = (generated / path).read_text(encoding="utf-8")

    assert (ROOT / path).read_text(
        encoding="utf-8"
    ) == made, f"{path} is stale: python docs/generate.py"


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    return Draft7Validator(json.loads((ROOT / SCHEMA).read_text(encoding="utf-8")))


@pytest.mark.parametrize("block", VALID, ids=str)
def test_published_schema_accepts_the_blueprints_of_the_documentation(
    block: Block, validator: Draft7Validator
) -> None:
    value = read_document(block.text.encode(), "blueprint.yaml").value

    assert [error.message for error in validator.iter_errors(value)] == []


def test_published_schema_refuses_a_misspelt_key(validator: Draft7Validator) -> None:
    value = {
        "schema": "agent-factory/blueprint@1",
        "name": "a",
        "version": "0.1.0",
        "agent": {"instruction": "Answer."},
    }

    assert not validator.is_valid(value)
