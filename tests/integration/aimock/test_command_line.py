"""The whole way: the command line, a blueprint, a tool, and a server that somebody else wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from agent_factory.cli.exceptions import ExitCode
from agent_factory.cli.main import create_app
from tests.integration.aimock.server import KEY, running_aimock

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: clerk
version: 0.1.0
agent:
  instructions: Calculate with the tool.
  tools: [calculate]
permissions:
  models: [default]
  tools: [calculate]
  spend: 1 USD
"""
CALL = {"id": "call_a", "name": "calculate", "arguments": {"expression": "6*7"}}
FIXTURES: list[object] = [
    {
        "match": {"userMessage": "six", "toolName": "calculate", "hasToolResult": False},
        "response": {"toolCalls": [CALL]},
    },
    {"match": {"userMessage": "six"}, "response": {"content": "It is 42."}},
]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_aimock(FIXTURES, tmp_path_factory.mktemp("aimock")) as url:
        yield url


@pytest.fixture
def blueprint(tmp_path: Path, base_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENAI_BASE_URL", base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("AGENT_FACTORY_MODEL", raising=False)
    file = tmp_path / "clerk.yaml"
    file.write_text(BLUEPRINT, encoding="utf-8")
    return file


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(create_app(), ["run", *map(str, arguments)])


def test_a_model_behind_a_server_calls_a_tool_and_answers(blueprint: Path) -> None:
    result = call(blueprint, "What is six times seven?", "--model", "openai:gpt-5-mini")

    assert result.exit_code == ExitCode.OK, result.stderr
    assert result.stdout == "It is 42.\n"
    assert '→ calculate {"expression":"6*7"}' in result.stderr


def test_the_key_shows_nowhere_when_the_server_refuses_it(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-and-secret")

    result = call(blueprint, "What is six times seven?", "--model", "openai:gpt-5-mini")

    assert result.exit_code == ExitCode.FAILED
    assert "key" in result.stderr
    assert "secret" not in result.stdout + result.stderr


def test_a_server_with_several_models_says_which(blueprint: Path) -> None:
    result = call(blueprint, "What is six times seven?")

    assert result.exit_code == ExitCode.USAGE
    assert "models (" in result.stderr
    assert "--model openai:NAME" in result.stderr
