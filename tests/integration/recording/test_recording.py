from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.templates import create_from_template, list_templates
from agent_factory.core.testing.cassettes.files import read_file
from blueprints.record import Answers, record_cassettes
from tests.blueprints.evaluating import CHOSEN, FOLDERS, ROOT, copy_blueprint, create_adapters

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

WRITTEN = sorted((ROOT / "blueprints/templates").glob("*.yaml"))


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("home")
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))


def read_cassettes(folder: Path) -> dict[str, list[str]]:
    """Return what the cassettes of a blueprint hold, in an order that does not depend on which request came first."""
    return {
        file.name: sorted(
            json.dumps([item.kind, item.request, item.answer], sort_keys=True)
            for item in read_file(file).recordings
        )
        for file in folder.glob("cassettes/*.json")
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_cassettes_of_a_blueprint_are_what_its_answers_give(folder: Path, tmp_path: Path) -> None:
    file = copy_blueprint(folder / "blueprint.yaml", tmp_path)
    before = read_cassettes(file.parent)

    assert record_cassettes(file, Answers(folder / "cassettes/answers.yaml")) == []

    assert read_cassettes(file.parent) == before


@pytest.mark.parametrize("written", WRITTEN, ids=lambda file: file.stem)
def test_cassettes_of_a_template_are_what_its_answers_give(written: Path, tmp_path: Path) -> None:
    create_from_template(tmp_path / "shop", written.stem, create_adapters())
    before = read_cassettes(tmp_path / "shop")

    assert record_cassettes(tmp_path / "shop/blueprint.yaml", Answers(written)) == []

    assert read_cassettes(tmp_path / "shop") == before


def test_every_template_with_a_cassette_has_answers() -> None:
    recorded = {
        item.name
        for item in list_templates()
        if any(path.startswith("cassettes/") for path in item.read_files())
    }

    assert {file.stem for file in WRITTEN} == recorded


def test_a_request_that_nobody_wrote_an_answer_to_ends_the_recording(tmp_path: Path) -> None:
    file = copy_blueprint(ROOT / "blueprints/extract-invoice/blueprint.yaml", tmp_path)
    answers = tmp_path / "answers.yaml"
    answers.write_text("- asked: something else\n  answers: [Nothing.]\n", "utf-8")

    with pytest.raises(Exception, match="has no answer number 1"):
        record_cassettes(file, Answers(answers))
