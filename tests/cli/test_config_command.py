"""`agent-factory config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_factory.cli.exit_codes import ExitCode
from tests.cli.calling import call, read_records

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(home: Path) -> Path:
    return home / "config/agent-factory/config.toml"


def test_path_is_told_whether_there_is_a_file_or_not(file: Path) -> None:
    assert call("config", "path").stdout == f"{file}\n"
    assert read_records(call("config", "path", "--json"))[0]["exists"] is False


def test_value_is_set_and_read_again(file: Path) -> None:
    assert call("config", "set", "model", "local").exit_code == ExitCode.OK

    assert call("config", "get", "model").stdout == "local\n"
    assert file.stat().st_mode & 0o077 == 0


def test_comments_and_layout_stay(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('# mine\nmodel = "a" # why\n\n[runs.keep]\ndays = 3\n')

    call("config", "set", "model", "local")
    call("config", "set", "runs.keep.number", "7")

    assert file.read_text() == (
        '# mine\nmodel = "local" # why\n\n[runs.keep]\ndays = 3\nnumber = 7\n'
    )


def test_price_is_set_as_a_whole(file: Path) -> None:
    call("config", "set", "prices.openai:gpt-5.4-x", "0.25/2.00/0.025")

    assert "0.025" in file.read_text()
    assert call("config", "get", "prices.openai:gpt-5.4-x").stdout == "0.25/2.00/0.025\n"


def test_value_is_taken_out(file: Path) -> None:
    call("config", "set", "model", "local")

    assert call("config", "unset", "model").exit_code == ExitCode.OK
    assert call("config", "get", "model").exit_code == ExitCode.FAILED
    assert "note: model is not set in" in call("config", "unset", "model").stderr
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("modl", "x", "there is no setting 'modl': did you mean 'model'?"),
        ("openai.api_key", "sk-hunter2", "set the environment variable OPENAI_API_KEY"),
        ("openai.base_url", "ftp://x", "must be an address such as http://127.0.0.1:8000/v1"),
        ("color", "green", "color: input should be 'auto', 'always' or 'never'"),
        ("runs.keep.days", "many", "runs.keep.days must be a whole number, not 'many'"),
        ("runs.keep.days", "0", "runs.keep.days: input should be greater than or equal to 1"),
        ("prices.m", "1", "a price is INPUT/OUTPUT"),
        ("prices.m", "1/x", "prices.m.output: must be an amount"),
        ("prices.m", "1/1/2", "cached_input must be at most input"),
        ("model", "sk-hunter2", "looks like a secret"),
    ],
)
def test_wrong_setting_is_refused_and_nothing_is_written(
    key: str, value: str, said: str, file: Path
) -> None:
    result = call("config", "set", key, value)

    assert result.exit_code == ExitCode.USAGE
    assert said in result.stderr
    assert "hunter2" not in result.stderr
    assert not file.exists()


def test_file_with_a_mistake_is_not_changed(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("colour = 1\n")

    result = call("config", "set", "model", "local")

    assert result.exit_code == ExitCode.USAGE
    assert f"{file}:1:1: unknown key 'colour': did you mean 'color'?" in result.stderr
    assert file.read_text() == "colour = 1\n"


def test_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("")
    file.parent.mkdir(parents=True)
    file.symlink_to(real)

    call("config", "set", "model", "local")

    assert file.is_symlink()
    assert real.read_text() == 'model = "local"\n'


def test_list_says_where_values_come_from_and_never_shows_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:hunter2@host/v1")
    call("config", "set", "color", "never")

    result = call("config", "list", "--json")

    found = {item["key"]: (item["value"], item["origin"]) for item in read_records(result)}
    assert found["openai.api_key"] == ("set, not shown", "environment")
    assert found["openai.base_url"] == ("https://host/v1", "environment")
    assert found["color"] == ("never", "file")
    assert found["runs.keep.days"] == (90, "default")
    assert "hunter2" not in call("config", "list").output + result.output


def test_value_that_the_environment_hides_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "extractive")

    assert "AGENT_FACTORY_MODEL is set" in call("config", "set", "model", "local").stderr
