"""`agent-factory run`, as its user calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.exceptions import ExitCode
from tests.cli import calling

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: ask
version: 0.1.0
agent:
  model: {model}
  instructions: Answer from the documents.
  tools:
    - use: search_documents
      with: {{folder: docs}}
permissions:
  models: [{model}]
  tools: [search_documents]
  files: {{read: [docs]}}
"""


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "garden.md").write_text(
        "# Garden\n\nTomatoes are watered at six in the morning.\n", encoding="utf-8"
    )
    file = tmp_path / "ask.yaml"
    file.write_text(BLUEPRINT.format(model="default"), encoding="utf-8")
    return file


def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return calling.call("run", *arguments, stdin=stdin)


def test_the_answer_is_on_standard_output_and_quotes_the_document(blueprint: Path) -> None:
    result = call(blueprint, "When are tomatoes watered?")

    assert result.exit_code == ExitCode.OK
    assert "Tomatoes are watered at six in the morning." in result.stdout
    assert "garden.md:3" in result.stdout


def test_progress_is_on_standard_error_only(blueprint: Path) -> None:
    result = call(blueprint, "When are tomatoes watered?")

    assert "→ search_documents" in result.stderr
    assert "✓ 2 model calls" in result.stderr
    assert "model calls" not in result.stdout


def test_quiet_shows_no_progress(blueprint: Path) -> None:
    assert call(blueprint, "When are tomatoes watered?", "--quiet").stderr == ""


def test_the_input_may_come_from_standard_input(blueprint: Path) -> None:
    result = call(blueprint, stdin="When are tomatoes watered?")

    assert "six in the morning" in result.stdout


def test_json_prints_one_event_a_line_and_nothing_else(blueprint: Path) -> None:
    result = call(blueprint, "--json", "When are tomatoes watered?")

    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.stderr == ""
    assert [events[0]["type"], events[1]["type"]] == ["blueprint", "run_started"]
    assert events[-1]["type"] == "run_finished"
    assert "six in the morning" in events[-1]["output"]
    assert [event["sequence"] for event in events[1:]] == list(range(len(events) - 1))


def test_a_broken_blueprint_shows_every_problem_with_its_place(blueprint: Path) -> None:
    text = BLUEPRINT.format(model="gpt").replace("folder", "foldr").replace("name: ask", "nam: ask")
    blueprint.write_text(text, encoding="utf-8")

    result = call(blueprint, "Why?")

    assert result.exit_code == ExitCode.BLUEPRINT
    assert f"{blueprint}:2:1: unknown key 'nam': did you mean 'name'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_options_of_a_tool_and_an_unknown_model_are_shown_together(
    blueprint: Path,
) -> None:
    text = BLUEPRINT.format(model="extractiv").replace("folder", "foldr")
    blueprint.write_text(text, encoding="utf-8")

    result = call(blueprint, "Why?")

    assert "unknown key 'foldr': did you mean 'folder'?" in result.stderr
    assert "no model is named 'extractiv': did you mean 'extractive'?" in result.stderr
    assert ":5:10:" in result.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = call(tmp_path / "none.yaml", "Why?")

    assert result.exit_code == ExitCode.BLUEPRINT
    assert "none.yaml:1:1: " in result.stderr
    assert "there is no such file" in result.stderr


def test_an_error_in_json_mode_is_the_last_line_of_json(tmp_path: Path) -> None:
    result = call(tmp_path / "none.yaml", "--json", "Why?")

    assert json.loads(result.stdout.splitlines()[-1])["code"] == "blueprint"


def test_an_unknown_model_option_is_a_usage_error_that_leaves_the_file_alone(
    blueprint: Path,
) -> None:
    result = call(blueprint, "Why?", "--model", "gpt")

    assert result.exit_code == ExitCode.USAGE
    assert "no model is named 'gpt'" in result.stderr
    assert "ask.yaml" not in result.stderr


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_input_is_refused(blueprint: Path, text: str) -> None:
    result = call(blueprint, text)

    assert result.exit_code == ExitCode.USAGE
    assert "the input is empty" in result.stderr


def test_input_that_is_not_utf8_is_refused_with_its_place(blueprint: Path) -> None:
    result = call(blueprint, "-", stdin=b"ab\xff")

    assert result.exit_code == ExitCode.USAGE
    assert "not UTF-8 at byte 2" in result.stderr


def test_an_openai_model_without_key_or_address_says_what_to_set(blueprint: Path) -> None:
    result = call(blueprint, "Why?", "--model", "openai:x")

    assert result.exit_code == ExitCode.USAGE
    assert "OPENAI_API_KEY" in result.stderr


def test_a_wrong_address_in_the_environment_is_named_but_not_shown(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "ftp://user:hunter2@host/v1")

    result = call(blueprint, "Why?")

    assert result.exit_code == ExitCode.USAGE
    assert "OPENAI_BASE_URL" in result.stderr
    assert "hunter2" not in result.stderr


def test_the_default_model_can_be_named_in_the_environment(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "extractive")

    assert "six in the morning" in call(blueprint, "When are tomatoes watered?").stdout


def test_a_default_that_names_itself_is_refused(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "default")

    result = call(blueprint, "Why?")

    assert result.exit_code == ExitCode.USAGE
    assert "AGENT_FACTORY_MODEL names 'default'" in result.stderr


def test_a_wrong_model_in_the_environment_is_no_mistake_in_the_blueprint(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "extractiv")

    result = call(blueprint, "Why?")

    assert result.exit_code == ExitCode.USAGE
    assert "AGENT_FACTORY_MODEL: no model is named 'extractiv'" in result.stderr
    assert "ask.yaml" not in result.stderr


def test_a_local_model_without_its_file_is_a_usage_error(blueprint: Path) -> None:
    result = call(blueprint, "Why?", "--model", "local:none.gguf")

    assert result.exit_code == ExitCode.USAGE
    assert "Traceback" not in result.stderr


def test_every_option_in_common_may_stand_before_the_command_too(blueprint: Path) -> None:
    result = calling.call("--json", "run", blueprint, "When are tomatoes watered?")

    assert calling.read_records(result)[-1]["type"] == "run_finished"


def test_model_of_the_settings_file_is_the_default(blueprint: Path) -> None:
    assert calling.call("config", "set", "model", "extractiv").exit_code == ExitCode.OK

    result = call(blueprint, "Why?")

    assert result.exit_code == ExitCode.USAGE
    assert "the setting 'model' in " in result.stderr
    assert "did you mean 'extractive'?" in result.stderr


def test_to_be_asked_about_approvals_without_a_terminal_is_refused(blueprint: Path) -> None:
    result = call(blueprint, "Why?", "--approve", "ask")

    assert result.exit_code == ExitCode.USAGE
    assert "--approve ask needs a terminal" in result.stderr


def test_run_is_recorded(blueprint: Path, home: Path) -> None:
    call(blueprint, "When are tomatoes watered?")

    (record,) = (home / "state/agent-factory/runs").iterdir()
    lines = record.read_text().splitlines()
    assert json.loads(lines[0])["blueprint"] == "ask"
    assert json.loads(lines[-1])["type"] == "run_finished"


def test_run_is_not_recorded_where_that_is_not_wanted(blueprint: Path, home: Path) -> None:
    call(blueprint, "When are tomatoes watered?", "--no-record")

    assert not (home / "state").exists()


def test_run_goes_on_where_it_cannot_be_recorded(blueprint: Path, home: Path) -> None:
    (home / "state").write_text("no folder")

    result = call(blueprint, "When are tomatoes watered?")

    assert result.exit_code == ExitCode.OK
    assert "note: the run is not recorded" in result.stderr
