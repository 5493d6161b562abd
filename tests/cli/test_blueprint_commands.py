"""`agent-factory init`, `validate`, `lock`, `diff` and `graph`, as their user calls them."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from agent_factory.cli.exit_codes import ExitCode
from tests.cli.calling import call, read_records


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    assert call("init", tmp_path / "shop").exit_code == ExitCode.OK
    return tmp_path / "shop" / "blueprint.yaml"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_new_blueprint_is_valid_locked_and_passes_its_suite(blueprint: Path) -> None:
    assert call("validate", "--locked", blueprint).exit_code == ExitCode.OK
    assert call("lock", "--check", blueprint).exit_code == ExitCode.OK
    assert call("eval", blueprint).exit_code == ExitCode.OK


def test_init_says_what_it_made_and_what_to_do_next(tmp_path: Path) -> None:
    result = call("init", tmp_path / "shop")

    assert f"made {tmp_path / 'shop' / 'blueprint.yaml'}" in result.stdout
    assert f"agent-factory eval {tmp_path / 'shop' / 'blueprint.yaml'}" in result.stdout


def test_init_overwrites_nothing(blueprint: Path) -> None:
    before = blueprint.read_bytes()

    result = call("init", blueprint.parent)

    assert result.exit_code == ExitCode.USAGE
    assert "is there already, and not empty" in result.stderr
    assert blueprint.read_bytes() == before


def test_init_without_a_folder_says_what_to_pass() -> None:
    result = call("init")

    assert result.exit_code == ExitCode.USAGE
    assert "agent-factory init my-agent" in result.stderr


def test_unknown_template_is_refused_with_those_there_are(tmp_path: Path) -> None:
    result = call("init", tmp_path / "shop", "--template", "dcs")

    assert result.exit_code == ExitCode.USAGE
    assert "did you mean 'docs'?" in result.stderr
    assert not (tmp_path / "shop").exists()


def test_every_template_that_is_listed_makes_a_valid_blueprint(tmp_path: Path) -> None:
    for record in read_records(call("init", "--list", "--json")):
        folder = tmp_path / record["name"]
        assert call("init", folder, "--template", record["name"]).exit_code == ExitCode.OK
        result = call("validate", "--locked", folder / "blueprint.yaml")
        assert result.exit_code == ExitCode.OK, result.stderr


def test_every_problem_of_every_file_is_told_at_once(blueprint: Path, tmp_path: Path) -> None:
    change(blueprint, "model: default", "model: defalt")
    change(blueprint, "limits:", "limts:")

    result = call("validate", blueprint, tmp_path / "none.yaml")

    assert result.exit_code == ExitCode.BLUEPRINT
    assert "unknown key 'limts': did you mean 'limits'?" in result.stderr
    assert "none.yaml:1:1: " in result.stderr
    assert "there is no such file" in result.stderr


def test_validate_prints_one_line_of_json_for_each_file(blueprint: Path, tmp_path: Path) -> None:
    result = call("validate", "--json", blueprint, tmp_path / "none.yaml")

    good, bad = read_records(result)
    assert result.exit_code == ExitCode.BLUEPRINT
    assert (good["ok"], good["problems"]) == (True, [])
    assert bad["ok"] is False
    assert "there is no such file" in bad["problems"][0]["message"]
    assert result.stderr == ""


def test_validate_locked_tells_what_drifted(blueprint: Path) -> None:
    prompt = blueprint.parent / "prompts" / "instructions.md"
    prompt.write_text("Answer in verse.", "utf-8")

    result = call("validate", "--locked", blueprint)

    assert result.exit_code == ExitCode.CHECK
    assert "is not as its lock says" in result.stderr
    assert "instructions" in result.stderr
    assert f"agent-factory lock {blueprint}" in result.stderr


def test_validate_locked_without_a_lock_says_how_to_make_one(blueprint: Path) -> None:
    blueprint.with_suffix(".lock").unlink()

    result = call("validate", "--locked", blueprint)

    assert result.exit_code == ExitCode.BLUEPRINT
    assert f"make one with agent-factory lock {blueprint}" in result.stderr


def test_damaged_lock_is_refused(blueprint: Path) -> None:
    blueprint.with_suffix(".lock").write_text("{", "utf-8")

    result = call("validate", "--locked", blueprint)

    assert result.exit_code == ExitCode.BLUEPRINT
    assert "Traceback" not in result.stderr


def test_lock_check_writes_nothing_and_fails_where_the_lock_would_change(blueprint: Path) -> None:
    lock = blueprint.with_suffix(".lock")
    before = lock.read_bytes()
    change(blueprint, "version: 0.1.0", "version: 0.2.0")

    result = call("lock", "--check", blueprint)

    assert result.exit_code == ExitCode.CHECK
    assert "would change" in result.stdout
    assert lock.read_bytes() == before


def test_lock_is_the_same_each_time(blueprint: Path) -> None:
    before = blueprint.with_suffix(".lock").read_bytes()
    blueprint.with_suffix(".lock").unlink()

    assert call("lock", blueprint).exit_code == ExitCode.OK

    assert blueprint.with_suffix(".lock").read_bytes() == before


def test_lock_that_cannot_be_written_is_an_error_and_no_defect(blueprint: Path) -> None:
    blueprint.with_suffix(".lock").unlink()
    blueprint.with_suffix(".lock").mkdir()

    result = call("lock", blueprint)

    assert result.exit_code == ExitCode.FAILED
    assert "blueprint.lock cannot be written" in result.stderr


def copy(blueprint: Path) -> Path:
    other = blueprint.with_name("other.yaml")
    other.write_bytes(blueprint.read_bytes())
    return other


def test_equal_blueprints_have_no_difference(blueprint: Path) -> None:
    result = call("diff", blueprint, copy(blueprint))

    assert result.exit_code == ExitCode.OK
    assert result.stdout == "There is no difference.\n"


def test_change_that_calls_for_another_version_fails_the_check(blueprint: Path) -> None:
    other = copy(blueprint)
    change(other, "read: [docs]", "read: [docs, prompts]")

    result = call("diff", blueprint, other)

    assert result.exit_code == ExitCode.CHECK
    assert "(asks for consent)" in result.stdout
    assert "0.1.0 -> 0.1.0" in result.stdout


def test_diff_in_json_says_which_version_is_called_for(blueprint: Path) -> None:
    other = copy(blueprint)
    change(other, "read: [docs]", "read: [docs, prompts]")
    change(other, "version: 0.1.0", "version: 1.0.0")

    result = call("diff", "--json", blueprint, other)

    (record,) = read_records(result)
    assert result.exit_code == ExitCode.OK
    assert record["type"] == "diff"
    assert record["required_bump"] in ("minor", "major")


def test_agents_are_drawn_as_mermaid(blueprint: Path) -> None:
    assert call("graph", blueprint).stdout.startswith("flowchart ")


def test_picture_is_svg_where_its_file_ends_so(blueprint: Path, tmp_path: Path) -> None:
    assert call("graph", blueprint, "-o", tmp_path / "a.svg").exit_code == ExitCode.OK

    root = Xml.parse(tmp_path / "a.svg").getroot()  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_unknown_agent_is_not_drawn(blueprint: Path) -> None:
    result = call("graph", blueprint, "--name", "shp")

    assert result.exit_code == ExitCode.USAGE
    assert "'shop'" in result.stderr


def test_picture_that_cannot_be_written_is_an_error_and_no_defect(
    blueprint: Path, tmp_path: Path
) -> None:
    result = call("graph", blueprint, "-o", tmp_path / "none" / "a.svg", "--json")

    assert result.exit_code == ExitCode.FAILED
    (record,) = read_records(result)
    assert record["code"] == "output"


def test_output_through_a_link_leaves_the_link(blueprint: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.svg"
    link = tmp_path / "link.svg"
    link.symlink_to(target)

    assert call("graph", blueprint, "-o", link).exit_code == ExitCode.OK

    assert link.is_symlink()
    assert target.read_text("utf-8").startswith("<svg")


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="it needs a device")
def test_device_gets_the_output_and_is_not_replaced(blueprint: Path) -> None:
    assert call("graph", blueprint, "-o", os.devnull).exit_code == ExitCode.OK

    assert Path(os.devnull).is_char_device()


def test_workflow_is_run_drawn_and_no_partner_for_a_chat(tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(
        "schema: agent-factory/blueprint@1\nname: flow\nversion: 0.1.0\nentry: main\n"
        "agents:\n  one: {model: extractive, instructions: Quote.}\n"
        "workflows:\n  main:\n    steps:\n"
        "      - {name: sum, tool: calculate, arguments: {expression: 6*7}}\n"
        '    output: {sum: "{{steps.sum}}"}\n'
        "permissions: {models: [extractive], tools: [calculate]}\n",
        "utf-8",
    )

    run = call("run", file, "go")
    shown = call("runs", "show", "last").stdout.splitlines()
    chat = call("chat", file, stdin="Hello\n")

    assert run.exit_code == ExitCode.OK, run.stderr
    assert "42" in run.stdout
    assert shown[1].endswith("started         main: go")
    assert "finished" in shown[-1]
    assert "flowchart" in call("graph", file).stdout
    assert chat.exit_code == ExitCode.USAGE
    assert f"agent-factory run {file}" in chat.stderr


def test_lock_tells_at_its_place_what_cannot_be_made(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "schema: agent-factory/blueprint@1\nname: a\nversion: 0.1.0\n"
        "permissions: {models: [default], tools: [run_command], commands: [bash], files: {read: ['.']}}\n"
        "agent:\n  instructions: A\n  tools:\n    - {use: run_command, with: {commands: [bash], folder: '.'}}\n",
        encoding="utf-8",
    )

    result = call("lock", str(file))

    assert result.exit_code == ExitCode.BLUEPRINT
    assert f"{file}:8:" in result.stderr


def test_run_can_insist_on_the_lock(blueprint: Path) -> None:
    question = "What does shipping cost?"
    assert call("run", blueprint, question, "--locked").exit_code == ExitCode.OK
    change(blueprint, "0.10 USD", "5.00 USD")

    refused = call("run", blueprint, question, "--locked")

    assert refused.exit_code == ExitCode.CHECK
    assert "is not as its lock says: permissions.spend" in refused.stderr
    assert call("run", blueprint, question).exit_code == ExitCode.OK
