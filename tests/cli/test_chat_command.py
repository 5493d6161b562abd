"""`agent-factory chat` without a terminal: with lines of text, and with lines of JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.core import ModelConnectionError, tool
from agent_factory.core.messages import ToolMessage
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.cli.calling import call, read_records
from tests.cli.clerks import create_clerk
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from pathlib import Path


class ClosingModel(ScriptedModel):
    """A model that tells when it is closed."""

    closed: list[str]

    async def aclose(self) -> None:
        """Close it."""
        self.closed.append("closed")


def use(
    monkeypatch: pytest.MonkeyPatch, *answers: object, closed: list[str] | None = None
) -> ScriptedModel:
    """Let every blueprint be an agent whose model gives these answers."""
    model = ClosingModel(answers)  # type: ignore[arg-type]
    model.closed = [] if closed is None else closed

    @tool(needs_approval=True)
    def wipe() -> str:
        """Wipes."""
        raise AssertionError("it ran")

    blueprint = create_clerk(model, [create_test_tool("look"), wipe])
    monkeypatch.setattr("agent_factory.cli.assembly.assemble", lambda *_, **__: blueprint)
    return model


def test_every_line_is_a_turn_that_knows_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = use(monkeypatch, "One.", "Two.")

    result = call("chat", "clerk.yaml", stdin="first\n\nsecond\n")

    assert result.exit_code == ExitCode.OK
    assert result.stdout == "One.\nTwo.\n"
    said = [message.text for message in model.requests[1].messages if message.role != "tool"]
    assert said == ["Work.", "first", "One.", "second"]


def test_events_are_printed_as_lines_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "One.", "Two.")

    result = call("chat", "clerk.yaml", "--json", stdin="first\nsecond\n")

    records = read_records(result)
    assert records[0] == {"type": "blueprint", "name": "clerk", "version": "1.0.0"}
    ended = [item["output"] for item in records if item["type"] == "run_finished"]
    assert ended == ["One.", "Two."]
    assert result.stderr == ""


def test_conversation_goes_on_after_a_turn_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ModelConnectionError("refused", model="m")
    model = use(monkeypatch, error, "Two.")

    result = call("chat", "clerk.yaml", "--json", stdin="first\nsecond\n")

    assert result.exit_code == ExitCode.FAILED
    types = [item["type"] for item in read_records(result)]
    assert types.index("error") < types.index("run_finished")
    assert [message.text for message in model.requests[-1].messages] == ["Work.", "second"]  # type: ignore[union-attr]


def test_line_that_is_no_utf8_is_refused_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "One.")

    result = call("chat", "clerk.yaml", "--json", stdin=b"first\n\xff\n")

    assert result.exit_code == ExitCode.USAGE
    assert "line 2 of standard input is not UTF-8" in read_records(result)[-1]["message"]


def test_call_that_needs_approval_is_denied_where_nobody_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = use(monkeypatch, create_tool_call("wipe", {}), "Done.")

    call("chat", "clerk.yaml", stdin="wipe\n")

    (told,) = [item for item in model.requests[-1].messages if isinstance(item, ToolMessage)]
    assert "there is no terminal to ask at" in told.content


def test_every_turn_is_recorded_as_a_part_of_one_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, "One.", "Two.")

    call("chat", "clerk.yaml", stdin="first\nsecond\n")

    records = read_records(call("runs", "list", "--json"))
    assert len(records) == 2
    assert len({item["session"] for item in records}) == 1
    assert records[0]["session"]


def test_blueprint_is_closed_once_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    use(monkeypatch, "One.", "Two.", closed=closed)

    call("chat", "clerk.yaml", stdin="first\nsecond\n")

    assert closed == ["closed"]


def test_commands_show_and_forget_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, create_tool_call("look", {"text": "a"}), "One.")

    shown = call("chat", "clerk.yaml", stdin="first\n/history\n/clear\n/history\n").stdout

    assert "you    first" in shown
    assert 'agent  calls look {"text": "a"}' in shown
    assert shown.endswith("The conversation is forgotten.\nNothing was said yet.\n")


def test_commands_are_listed_and_a_misspelt_one_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch)

    shown = call("chat", "clerk.yaml", stdin="/help\n/tools\n/hlp\n/exit\nnever said\n").stdout

    assert "/save FILE" in shown
    assert "look" in shown
    assert "There is no command '/hlp': did you mean '/help'?" in shown


def test_conversation_is_saved_to_a_new_file_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, create_tool_call("look", {"text": "```"}), "One.")
    file = tmp_path / "said.md"

    shown = call("chat", "clerk.yaml", stdin=f"first\n/save {file}\n/save {file}\n/save\n").stdout

    text = file.read_text()
    assert "## You\n\nfirst\n" in text
    assert "## Agent\n\nOne.\n" in text
    assert '````json\n{"text": "```"}\n````' in text
    assert f"{file} is there already" in shown
    assert "Name the file: /save FILE" in shown
    assert file.stat().st_mode & 0o777 == 0o600


def test_place_that_cannot_be_written_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch)
    place = os.fspath(tmp_path / "none" / "said.md")

    result = call("chat", "clerk.yaml", stdin=f"/save {place}\n/save \0\n")

    assert result.exit_code == ExitCode.OK
    assert result.stdout.count("cannot be written: ") == 2
