"""`agent-factory eval`, `record` and `replay`, as their user calls them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from agent_factory.cli.exit_codes import ExitCode
from tests.cli.calling import call, read_records

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: garden
version: 0.1.0
agent:
  model: extractive
  instructions: Answer from the documents.
  tools:
    - {use: search_documents, with: {folder: docs}}
permissions:
  models: [extractive]
  tools: [search_documents]
  files: {read: [docs]}
evals:
  good:
    cassette: cassettes/good.json
    cases:
      - {name: watering, input: "When are tomatoes watered?", expect: [{contains: six}]}
  bad:
    cases:
      - {name: 'no "such" thing', input: "When are tomatoes watered?", expect: [{contains: nowhere}]}
"""


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "garden.md").write_text(
        "# Garden\n\nTomatoes are watered at six in the morning.\n", encoding="utf-8"
    )
    file = tmp_path / "garden.yaml"
    file.write_text(BLUEPRINT, encoding="utf-8")
    return file


def record_good(blueprint: Path) -> Path:
    result = call("record", blueprint, "--suite", "good")
    assert result.exit_code == ExitCode.OK, result.stderr
    return blueprint.parent / "cassettes" / "good.json"


def test_suite_that_passes_ends_with_0(blueprint: Path) -> None:
    result = call("eval", blueprint, "--suite", "good", "--live")

    assert result.exit_code == ExitCode.OK
    assert result.stdout.startswith("good: pass, 1 of 1 attempt passed\n")


def test_suite_that_misses_its_gate_ends_with_4_and_says_why(blueprint: Path) -> None:
    result = call("eval", blueprint, "--suite", "bad")

    assert result.exit_code == ExitCode.CHECK
    assert "the answer lacks 'nowhere'" in result.stdout


def test_unknown_suite_is_refused_with_those_there_are(blueprint: Path) -> None:
    result = call("eval", blueprint, "--suite", "god")

    assert result.exit_code == ExitCode.USAGE
    assert "did you mean 'good'?" in result.stderr


def test_blueprint_without_suites_says_where_to_add_some(blueprint: Path) -> None:
    blueprint.write_text(BLUEPRINT.partition("evals:")[0], "utf-8")

    result = call("eval", blueprint)

    assert result.exit_code == ExitCode.USAGE
    assert "add some under 'evals'" in result.stderr


def test_each_case_is_tried_as_often_as_is_asked_for(blueprint: Path) -> None:
    result = call("eval", blueprint, "--suite", "good", "--repetitions", 3, "--json")

    (record,) = read_records(result)
    assert record["type"] == "eval"
    assert record["summary"]["attempts"] == 3


def test_missing_cassette_says_how_to_record_it(blueprint: Path) -> None:
    result = call("eval", blueprint, "--suite", "good")

    assert result.exit_code == ExitCode.USAGE
    assert f"record it with agent-factory record {blueprint} --suite good" in result.stderr


def test_recorded_suite_is_replayed(blueprint: Path) -> None:
    cassette = record_good(blueprint)
    before = cassette.read_bytes()

    assert call("eval", blueprint, "--suite", "good").exit_code == ExitCode.OK
    assert call("replay", blueprint, "--suite", "good").exit_code == ExitCode.OK
    assert cassette.read_bytes() == before


def test_stale_cassette_ends_with_4_shows_what_differs_and_what_to_do(blueprint: Path) -> None:
    record_good(blueprint)
    blueprint.write_text(
        blueprint.read_text("utf-8").replace("Answer from", "Answer kindly from"), "utf-8"
    )

    result = call("eval", blueprint, "--suite", "good")

    assert result.exit_code == ExitCode.CHECK
    assert '+   "text": "Answer kindly from the documents."' in result.stderr
    assert f"record it again with agent-factory record {blueprint} --suite good" in result.stderr
    assert "pytest --cassettes" not in result.stdout + result.stderr


def test_answers_that_nothing_asks_for_any_more_end_with_4(blueprint: Path) -> None:
    cassette = record_good(blueprint)
    data = json.loads(cassette.read_text("utf-8"))
    extra = json.loads(json.dumps(data["recordings"][0]))
    data["recordings"].append(extra)
    cassette.write_text(json.dumps(data), "utf-8")

    result = call("replay", blueprint, "--suite", "good")

    assert result.exit_code == ExitCode.CHECK
    assert "good: pass" in result.stdout
    assert "has answers that nothing asked for any more" in result.stderr


def test_damaged_cassette_is_refused(blueprint: Path) -> None:
    record_good(blueprint).write_text("{", "utf-8")

    result = call("eval", blueprint, "--suite", "good", "--json")

    (record,) = read_records(result)
    assert result.exit_code == ExitCode.USAGE
    assert "is damaged" in record["message"]
    assert "agent-factory record" in record["message"]


def test_folder_in_place_of_a_cassette_is_refused(blueprint: Path, tmp_path: Path) -> None:
    for command in ("record", "replay"):
        result = call(command, blueprint, "--suite", "good", "--cassette", tmp_path)

        assert result.exit_code == ExitCode.USAGE
        assert "is a folder" in result.stderr


def test_suite_without_a_cassette_is_neither_recorded_nor_replayed(blueprint: Path) -> None:
    for command in ("record", "replay"):
        result = call(command, blueprint)

        assert result.exit_code == ExitCode.USAGE
        assert "the suite 'bad' has no cassette" in result.stderr
        assert result.stdout == ""  # nothing was run before it was found out


def test_one_cassette_does_not_serve_several_suites(blueprint: Path, tmp_path: Path) -> None:
    result = call("eval", blueprint, "--cassette", tmp_path / "a.json")

    assert result.exit_code == ExitCode.USAGE
    assert "name one with --suite" in result.stderr


@pytest.mark.parametrize("option", [["--live"], ["--model", "extractive"], ["-n", "2"]])
def test_cassette_and_asking_the_models_do_not_go_together(
    blueprint: Path, tmp_path: Path, option: list[str]
) -> None:
    result = call("eval", blueprint, "--suite", "good", "--cassette", tmp_path / "a", *option)

    assert result.exit_code == ExitCode.USAGE
    assert "--cassette answers in place of the models" in result.stderr


def test_failed_runs_do_not_replace_a_good_cassette(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cassette = record_good(blueprint)
    before = cassette.read_bytes()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")

    result = call("record", blueprint, "--suite", "good", "--model", "openai:none")

    assert result.exit_code == ExitCode.FAILED
    assert "nothing was written" in result.stderr
    assert cassette.read_bytes() == before


def test_run_is_recorded_and_replayed(blueprint: Path, tmp_path: Path) -> None:
    cassette = tmp_path / "one.json"
    question = "When are tomatoes watered?"
    recorded = call("record", blueprint, question, "--cassette", cassette)

    replayed = call("replay", blueprint, question, "--cassette", cassette)
    other = call("replay", blueprint, "Why?", "--cassette", cassette)

    assert recorded.exit_code == replayed.exit_code == ExitCode.OK
    assert recorded.stdout == replayed.stdout
    assert other.exit_code == ExitCode.CHECK
    assert '+   "text": "Why?"' in other.stderr


@pytest.mark.parametrize("command", ["record", "replay"])
def test_run_without_a_place_for_its_cassette_is_refused(blueprint: Path, command: str) -> None:
    result = call(command, blueprint, "Why?")

    assert result.exit_code == ExitCode.USAGE
    assert "pass --cassette FILE" in result.stderr


def test_input_and_suite_do_not_go_together(blueprint: Path, tmp_path: Path) -> None:
    for command in ("record", "replay"):
        result = call(
            command, blueprint, "Why?", "--suite", "good", "--cassette", tmp_path / "a.json"
        )

        assert result.exit_code == ExitCode.USAGE
        assert "do not go together" in result.stderr


def test_reports_have_every_suite(blueprint: Path, tmp_path: Path) -> None:
    record_good(blueprint)
    junit, output = tmp_path / "junit.xml", tmp_path / "report.json"

    result = call("eval", blueprint, "--junit", junit, "--output", output)

    root = Xml.parse(junit).getroot()  # noqa: S314 - our own
    assert result.exit_code == ExitCode.CHECK
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert [suite.get("name") for suite in root] == ["good", "bad"]
    assert root[1].find("testcase").get("name") == 'no "such" thing'  # type: ignore[union-attr]
    reports = json.loads(output.read_text("utf-8"))["reports"]
    assert [report["verdict"] for report in reports] == ["pass", "fail"]


def test_reports_have_what_was_done_before_a_suite_that_cannot_begin(
    blueprint: Path, tmp_path: Path
) -> None:
    text = blueprint.read_text("utf-8").replace("  bad:\n", "  bad:\n    cassette: none.json\n")
    blueprint.write_text(text, "utf-8")
    record_good(blueprint)
    output = tmp_path / "report.json"

    result = call("eval", blueprint, "--output", output)

    assert result.exit_code == ExitCode.USAGE
    assert len(json.loads(output.read_text("utf-8"))["reports"]) == 1


def test_report_that_cannot_be_written_is_told_before_anything_runs(
    blueprint: Path, tmp_path: Path
) -> None:
    for place in (tmp_path, tmp_path / "none" / "report.xml"):
        result = call("eval", blueprint, "--junit", place)

        assert result.exit_code == ExitCode.USAGE
        assert result.stdout == ""


def test_stopped_suite_leaves_its_reports(
    blueprint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_work: object) -> None:
        _work.close()  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr("agent_factory.cli.evals.run_blocking", stop)
    output = tmp_path / "report.json"

    result = call("eval", blueprint, "--live", "--output", output)

    (report,) = json.loads(output.read_text("utf-8"))["reports"]
    assert result.exit_code == ExitCode.INTERRUPTED
    assert report["complete"] is False
    assert "not complete" in result.stdout
    assert "interrupted" in result.stderr


def test_seed_of_the_command_line_goes_before_that_of_the_suite(tmp_path: Path) -> None:
    call("init", tmp_path / "shop")

    result = call("eval", tmp_path / "shop" / "blueprint.yaml", "--seed", 7, "--json")

    assert {record["seed"] for record in read_records(result) if record["type"] == "eval"} == {7}
