"""`agent-factory runs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.cli.runs.records import RecordHeader
from agent_factory.cli.runs.store import RunStore
from agent_factory.core import Agent, RunOptions
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.cli.calling import call, read_records
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "state/agent-factory/runs"


def record(folder: Path, agent: Agent[Any, Any] | None = None, prompt: str = "Where?") -> str:
    store = RunStore(folder, number=9, days=9)
    run_id = create_run_id()
    header = RecordHeader(run_id, "ask", "1.0.0", "d" * 64, "ask.yaml")
    with store.create_recorder(header, str) as recorder:
        options = RunOptions(observers=(recorder.observe,), run_id=run_id)
        (agent or create_test_agent(["done"])).run_sync(prompt, options=options)
    return run_id


def test_list_shows_the_latest_first(folder: Path) -> None:
    ids = [record(folder) for _ in range(3)]

    records = read_records(call("runs", "list", "--json"))

    assert [item["run_id"] for item in records] == sorted(ids, reverse=True)
    assert {item["outcome"] for item in records} == {"finished"}


def test_list_is_bounded_and_says_so(folder: Path) -> None:
    for _ in range(3):
        record(folder)

    result = call("runs", "list", "--limit", "1")

    assert len(result.stdout.splitlines()) == 2
    assert "2 earlier runs are not listed" in result.stderr


def test_list_of_nothing_says_where_it_looked(folder: Path) -> None:
    result = call("runs", "list")

    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert f"there are no recorded runs in {folder}" in result.stderr


def test_what_is_damaged_or_foreign_is_named_and_the_rest_is_listed(folder: Path) -> None:
    good = record(folder)
    bad = create_run_id()
    (folder / f"{bad}.jsonl").write_text("nothing")
    (folder / "notes.txt").touch()

    result = call("runs", "list")

    assert good[:8] in result.stdout
    assert f"{bad}.jsonl is damaged: its first line is no header" in result.stderr
    assert "notes.txt" in result.stderr
    assert "Traceback" not in result.stderr


def test_beginning_that_is_listed_shows_the_run(folder: Path) -> None:
    ids = [record(folder) for _ in range(4)]
    listed = [line.split()[0] for line in call("runs", "list").stdout.splitlines()[1:]]

    for run_id, beginning in zip(sorted(ids, reverse=True), listed, strict=True):
        assert f"run {run_id}" in call("runs", "show", beginning).stdout


def test_timeline_has_runs_within_a_run_indented_below_it(folder: Path) -> None:
    helper = Agent(name="helper", model=ScriptedModel(["42"]), description="helps")
    agent = create_test_agent(
        [create_tool_call("helper", {"prompt": "six by seven"}), "It is 42."],
        tools=[helper.as_tool()],
    )
    record(folder, agent)

    lines = call("runs", "show", "last").stdout.splitlines()

    margins = {
        line.split("s  ", 1)[1].index("started")
        for line in lines
        if " started  " in line and "tool" not in line
    }
    assert margins == {0, 4}
    assert "finished" in lines[-1]


def test_arguments_are_shortened_unless_all_is_wanted(folder: Path) -> None:
    text = "word " * 100 + "end"
    agent = create_test_agent(
        [create_tool_call("look", {"text": text}), "done"], tools=[create_test_tool("look")]
    )
    record(folder, agent)

    assert f'{text}"' not in call("runs", "show", "last").stdout
    assert f'{text}"' in call("runs", "show", "last", "--full").stdout


def test_control_characters_of_a_run_do_not_reach_the_terminal(folder: Path) -> None:
    record(folder, create_test_agent(["\x1b[2Jdone"]), prompt="\x1b]0;title\x07")

    for option in ("--quiet", "--full"):
        assert "\x1b" not in call("runs", "show", "last", option).stdout


def test_run_is_shown_as_lines_of_json_too(folder: Path) -> None:
    run_id = record(folder)

    records = read_records(call("runs", "show", run_id, "--json"))

    assert [records[0]["type"], records[1]["type"]] == ["record", "run_started"]
    assert records[-1]["type"] == "run_finished"


def test_run_that_breaks_off_says_so(folder: Path) -> None:
    run_id = record(folder)
    file = folder / f"{run_id}.jsonl"
    file.write_bytes(file.read_bytes()[:-20])

    result = call("runs", "show", "last")

    assert result.exit_code == ExitCode.OK
    assert "the record breaks off here" in result.stderr
    assert call("runs", "list", "--json").stdout.count('"unfinished"') == 1


def test_run_with_a_damaged_line_is_shown_up_to_there(folder: Path) -> None:
    run_id = record(folder)
    file = folder / f"{run_id}.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:3], "nothing\n", *lines[3:]]))

    result = call("runs", "show", "last")

    assert result.exit_code == ExitCode.FAILED
    assert "started" in result.stdout
    assert f"{file}: after the header, line 3: this is no JSON" in result.stderr


def test_runs_are_removed_by_their_beginning(folder: Path) -> None:
    first, second = record(folder), record(folder)

    assert call("runs", "delete", first).stdout == "1 recorded run removed\n"
    assert [file.stem for file in folder.iterdir()] == [second]
    assert read_records(call("runs", "delete", "--all", "--json")) == [
        {"type": "removed", "runs": 1}
    ]


@pytest.mark.parametrize("arguments", [[], ["last", "--all"]])
def test_removing_needs_either_names_or_all(arguments: list[str], folder: Path) -> None:
    record(folder)

    result = call("runs", "delete", *arguments)

    assert result.exit_code == ExitCode.USAGE
    assert len(list(folder.iterdir())) == 1


def test_one_wrong_name_removes_nothing(folder: Path) -> None:
    record(folder)

    assert call("runs", "delete", "last", "ffff").exit_code == ExitCode.USAGE
    assert len(list(folder.iterdir())) == 1


def test_runs_that_are_not_to_be_kept_are_removed(folder: Path) -> None:
    for _ in range(3):
        record(folder)
    call("config", "set", "runs.keep.number", "1")

    assert call("runs", "prune").stdout == "2 recorded runs removed\n"
