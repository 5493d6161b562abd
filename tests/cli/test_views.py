"""How a run is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.assembly import assemble_with
from agent_factory.cli.ending import show_error
from agent_factory.cli.invocation import Invocation
from agent_factory.cli.run import run_blueprint
from agent_factory.cli.views import JsonView, TerminalView, View
from agent_factory.core import Model, ModelConnectionError, ToolRegistry
from agent_factory.core.blueprints import Adapters
from agent_factory.core.testing import ScriptedModel, create_tool_call

if TYPE_CHECKING:
    from pathlib import Path

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: bare
version: 0.1.0
agent:
  instructions: Answer.
permissions:
  models: [default]
"""


def run(file: Path, model: Model, view: View) -> None:
    adapters = Adapters(ToolRegistry(), lambda _use, _settings: model)
    run_blueprint(assemble_with(file, adapters), "x", view=view)


def create_view(*, no_color: bool = False) -> TerminalView:
    return TerminalView(Invocation(no_color=no_color))


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    file = tmp_path / "bare.yaml"
    file.write_text(BLUEPRINT, encoding="utf-8")
    return file


def test_control_characters_of_a_model_do_not_reach_the_progress(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel([create_tool_call("\x1b[2Jwipe", {}), "done"])

    run(blueprint, model, create_view())

    assert "\x1b" not in capfd.readouterr().err


def test_markup_of_a_model_is_shown_as_it_is(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel([create_tool_call("x", {"a": "[bold]b[/nope]"}), "done"])

    run(blueprint, model, create_view())

    assert "[bold]b[/nope]" in capfd.readouterr().err


def test_the_answer_reaches_a_pipe_byte_for_byte(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel(["naïve \x07 answer"])

    run(blueprint, model, create_view())

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

    run(blueprint, model, create_view())

    assert "✗ nothing Error: there is no tool named 'nothing'" in capfd.readouterr().err


def test_a_model_error_leaves_the_run_as_it_is(blueprint: Path) -> None:
    model = ScriptedModel([ModelConnectionError("refused", model="scripted")])

    with pytest.raises(ModelConnectionError, match="refused"):
        run(blueprint, model, create_view())


def test_the_error_itself_is_shown_also_when_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    error = ModelConnectionError("no [answer]\x1b[2J", model="m")
    show_error(error.to_dict(), Invocation(quiet=True), str(error))

    assert capfd.readouterr().err == "error: no [answer]\ufffd[2J\n"


def test_answer_that_is_no_text_is_printed_as_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "typed.yaml"
    file.write_text(
        BLUEPRINT.replace(
            "  instructions: Answer.", "  instructions: Answer.\n  output: {type: object}"
        )
    )
    for streaming in (False, True):
        view = TerminalView(Invocation(quiet=True), streaming=streaming)
        run(file, ScriptedModel(['{"total": 42, "word": "naïve"}']), view)

    whole, streamed = (
        '{\n  "total": 42,\n  "word": "naïve"\n}\n',
        '{"total": 42, "word": "naïve"}\n',
    )
    assert capfd.readouterr().out == whole + streamed


def test_text_is_shown_as_it_arrives_and_once(
    blueprint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    view = TerminalView(Invocation(quiet=True), streaming=True)

    run(blueprint, ScriptedModel(["It is done."]), view)

    assert capfd.readouterr().out == "It is done.\n"


def test_no_colour_where_a_terminal_could_be_forced_but_an_option_forbids_it(
    blueprint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    run(blueprint, ScriptedModel(["done"]), create_view(no_color=True))
    plain = capfd.readouterr().err
    run(blueprint, ScriptedModel(["done"]), create_view())

    assert "\x1b[" not in plain
    assert "\x1b[" in capfd.readouterr().err


def test_no_colour_where_nobody_looks(
    blueprint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run(blueprint, ScriptedModel(["done"]), create_view())

    assert "\x1b[" not in capfd.readouterr().err
