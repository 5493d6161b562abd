"""What a blueprint is refused, as the user of the command line sees it; and why money ends a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.core import tool
from agent_factory.core.permissions import Denial
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.cli.calling import call, read_records
from tests.cli.clerks import create_clerk

HOSTILE = "evil.example\x1b[2J\n! all is well"


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every blueprint be an agent with a tool that is refused something."""
    found: list[Any] = []

    @tool
    def reach() -> str:
        """Reaches out."""
        raise found[0].assembly.grant.deny("hosts", HOSTILE)

    model = ScriptedModel([create_tool_call("reach", {}), "It is refused."])
    found.append(create_clerk(model, [reach]))
    monkeypatch.setattr("agent_factory.cli.assembly.assemble", lambda *_, **__: found[0])


def test_refusal_is_one_line_that_steers_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)

    result = call("run", "clerk.yaml", "Go.")

    assert result.exit_code == ExitCode.OK
    (line,) = [item for item in result.stderr.splitlines() if item.startswith("! refused")]
    assert line.startswith("! refused hosts: 'evil.example\ufffd[2J ! all is well': permissions.")
    assert "\x1b" not in result.stderr


def test_refusal_is_a_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)

    records = read_records(call("run", "clerk.yaml", "--json", "Go."))

    (denied,) = [item for item in records if item["type"] == "denied"]
    assert denied == {
        "type": "denied",
        "kind": "hosts",
        "target": HOSTILE,
        "reason": "permissions.hosts of the blueprint does not name it",
    }


def test_refusal_is_shown_in_a_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)

    assert "! refused hosts: " in call("chat", "clerk.yaml", stdin="Go.\n").stderr


def test_refusal_is_not_shown_where_quiet_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)

    assert call("run", "clerk.yaml", "--quiet", "Go.").stderr == ""


def test_refusal_stands_in_the_timeline_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    call("run", "clerk.yaml", "Go.")

    lines = call("runs", "show", "last").stdout.splitlines()
    records = read_records(call("runs", "show", "last", "--json"))

    labels = [line.split()[2] for line in lines[1:]]
    assert labels.index("refused") < labels.index("finished")
    assert [item["target"] for item in records if item["type"] == "denied"] == [HOSTILE]


def test_nobody_hears_of_refusals_outside_of_a_run() -> None:
    clerk = create_clerk(ScriptedModel([]))
    heard: list[Denial] = []

    with clerk.denials.told_to(heard.append):
        clerk.assembly.grant.deny("hosts", "a")
    clerk.assembly.grant.deny("hosts", "b")

    assert [item.target for item in heard] == ["a"]


def write(folder: Path, permissions: str) -> Path:
    file = folder / "priced.yaml"
    file.write_text(
        "schema: agent-factory/blueprint@1\nname: priced\nversion: 0.1.0\n"
        "agents: {one: {model: openai:gpt-5.4-mini, instructions: Work.}, two: {model: openai:zork, instructions: Work.}}\n"
        "entry: two\n"
        f"permissions: {{models: [openai:gpt-5.4-mini, openai:zork], {permissions}}}\n"
        "evals: {all: {cases: [{name: a, input: x, expect: [{contains: y}]}]}}\n",
        "utf-8",
    )
    return file


def test_model_without_a_price_says_how_to_set_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    file = write(tmp_path, "spend: 1 USD")

    run = call("run", file, "Go.")
    tried = call("eval", file, "--json")

    advice = "agent-factory config set prices.openai:zork INPUT/OUTPUT"
    assert run.exit_code == ExitCode.FAILED
    assert advice in run.stderr
    assert "RunOptions" not in run.stderr
    error = json.loads(tried.stdout)["cases"][0]["attempts"][0]["error"]
    assert error["code"] == "budget_exceeded"
    assert advice in error["message"]


def test_blueprint_that_may_spend_nothing_says_what_to_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    file = write(tmp_path, "tools: []")

    result = call("run", file, "Go.", "--model", "openai:gpt-5.4-mini")

    assert result.exit_code == ExitCode.FAILED
    assert "0.00 USD may be spent (permissions.spend of the blueprint)" in result.stderr
    assert "raise permissions.spend" in result.stderr
