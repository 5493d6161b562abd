"""How a run is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.run import run_blueprint
from agent_factory.cli.views import JsonView, TerminalView, View
from agent_factory.core import Model, ModelConnectionError, ToolRegistry
from agent_factory.core.testing import ScriptedModel, create_tool_call

if TYPE_CHECKING:
    from pathlib import Path

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: bare
version: 0.1.0
agent:
  instructions: Answer.
"""


def run(file: Path, model: Model, view: View) -> None:
    run_blueprint(file, "x", tools=ToolRegistry(), create_model=lambda _: model, view=view)


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    file = tmp_path / "bare.yaml"
    file.write_text(BLUEPRINT, encoding="utf-8")
    return file


def test_control_characters_of_a_model_do_not_reach_the_progress(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel([create_tool_call("\x1b[2Jwipe", {}), "done"])

    run(blueprint, model, TerminalView())

    assert "\x1b" not in capfd.readouterr().err


def test_markup_of_a_model_is_shown_as_it_is(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel([create_tool_call("x", {"a": "[bold]b[/nope]"}), "done"])

    run(blueprint, model, TerminalView())

    assert "[bold]b[/nope]" in capfd.readouterr().err


def test_the_answer_reaches_a_pipe_byte_for_byte(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel(["naïve \x07 answer"])

    run(blueprint, model, TerminalView())

    assert capfd.readouterr().out == "naïve \x07 answer\n"


def test_a_lone_surrogate_in_an_answer_is_replaced_and_not_a_crash(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel(["a\ud800b"])

    run(blueprint, model, JsonView())

    last = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert last["output"] == "a?b"


def test_a_failed_tool_is_marked(blueprint: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = ScriptedModel([create_tool_call("nothing", {}), "done"])

    run(blueprint, model, TerminalView())

    assert "✗ nothing Error: there is no tool named 'nothing'" in capfd.readouterr().err


def test_a_model_error_leaves_the_run_as_it_is(blueprint: Path) -> None:
    model = ScriptedModel([ModelConnectionError("refused", model="scripted")])

    with pytest.raises(ModelConnectionError, match="refused"):
        run(blueprint, model, TerminalView())


def test_the_error_itself_is_shown_also_when_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    TerminalView(quiet=True).show_error(ModelConnectionError("no [answer]", model="m"))

    assert capfd.readouterr().err == "error: no [answer]\n"


def test_an_interruption_is_said_in_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    JsonView().show_interrupted()

    assert json.loads(capfd.readouterr().out) == {"type": "interrupted"}


def test_no_colour_where_nobody_looks(
    blueprint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run(blueprint, ScriptedModel(["done"]), TerminalView())

    assert "\x1b[" not in capfd.readouterr().err
