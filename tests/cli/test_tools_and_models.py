"""`agent-factory tools`, `agent-factory models` and `agent-factory doctor`."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.cli.commands.tools import describe_options
from agent_factory.cli.exit_codes import ExitCode
from agent_factory.core.prices import PRICES
from agent_factory.core.registry import InstalledTool
from tests.cli.calling import call, read_records

if TYPE_CHECKING:
    from pathlib import Path


def test_every_built_in_tool_is_listed() -> None:
    records = read_records(call("tools", "list", "--json"))

    assert {"calculate", "read_file", "search_documents"} <= {item["name"] for item in records}
    assert {item["from"] for item in records} == {"built in"}


def test_tool_of_a_package_is_listed_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> object:
        raise AssertionError("it was imported")

    found = InstalledTool("weather", "weather-tools", "1.2.0", load)
    monkeypatch.setattr("agent_factory.cli.container.find_installed_tools", lambda: (found,))

    assert "weather-tools 1.2.0" in call("tools", "list").stdout
    result = call("tools", "show", "weather")
    assert result.exit_code == ExitCode.USAGE
    assert "cannot be imported" in result.stderr


def test_options_of_a_tool_are_shown_with_their_meaning() -> None:
    text = call("tools", "show", "read_file").stdout

    assert "max_bytes" in text
    assert "The largest file to read" in text
    assert "tools: read_file" in text


def test_misspelt_tool_is_answered_with_the_right_one() -> None:
    result = call("tools", "show", "read_fil")

    assert result.exit_code == ExitCode.USAGE
    assert "did you mean 'read_file'?" in result.stderr


def test_type_of_an_option_is_described_and_one_within_itself_ends() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "a": {"type": "array", "items": {"enum": ["x", "y"]}},
            "b": {"$ref": "#/$defs/Loop"},
        },
        "$defs": {"Loop": {"$ref": "#/$defs/Loop"}},
        "required": ["a"],
    }

    assert describe_options(schema) == [
        ("a", "list of x, y", "required", ""),
        ("b", "any", "-", ""),
    ]


def test_models_are_listed_with_their_prices() -> None:
    records = read_records(call("models", "list", "--json"))

    assert {item["name"] for item in records if item["type"] == "price"} == set(PRICES.prices)
    assert "openai:o3-mini            1.10   4.40    0.55" in call("models", "list").stdout


def test_price_of_the_settings_is_listed() -> None:
    call("config", "set", "prices.openai:mine", "0.000001/3")

    assert "0.000001" in call("models", "list").stdout


def test_server_cannot_be_asked_where_there_is_none() -> None:
    result = call("models", "list", "--online")

    assert result.exit_code == ExitCode.USAGE
    assert "OPENAI_API_KEY" in result.stderr


def test_doctor_finds_nothing_wrong_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")

    result = call("doctor", "--json")

    assert result.exit_code == ExitCode.OK, result.output
    found = {item["name"]: item["detail"] for item in read_records(result)}
    assert found["OPENAI_API_KEY"] == "set"
    assert found["default model"].startswith("openai:")
    assert "hunter2" not in result.output


def test_doctor_tells_of_settings_that_cannot_be_used(home: Path) -> None:
    file = home / "config/agent-factory/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("modle = 1")

    result = call("doctor", "--quiet")

    assert result.exit_code == ExitCode.FAILED
    assert f"{file}:1:1: unknown key 'modle'" in result.stdout


def test_doctor_tells_of_a_default_model_that_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "openai:gpt-5")

    result = call("doctor", "--quiet")

    assert result.exit_code == ExitCode.FAILED
    assert "it needs OPENAI_API_KEY or OPENAI_BASE_URL" in result.stdout


def test_doctor_tells_of_a_folder_that_cannot_be_written(home: Path) -> None:
    (home / "state").write_text("no folder")

    result = call("doctor", "--quiet")

    assert result.exit_code == ExitCode.OK
    assert "so runs are not recorded" in result.stdout


@pytest.mark.parametrize(
    ("installed", "said"), [(True, "can be used, with mcp 2.3.0"), (False, "pip install")]
)
def test_doctor_tells_whether_mcp_servers_can_be_used(
    monkeypatch: pytest.MonkeyPatch, installed: bool, said: str
) -> None:
    known = metadata.version

    def find(name: str) -> str:
        if name != "mcp":
            return known(name)
        if not installed:
            raise metadata.PackageNotFoundError(name)
        return "2.3.0"

    monkeypatch.setattr("importlib.metadata.version", find)

    records = read_records(call("doctor", "--json"))

    (found,) = [item for item in records if item.get("name") == "MCP servers"]
    assert found["status"] == "ok"
    assert said in found["detail"]
