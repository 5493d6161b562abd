"""What all commands have in common: help, options, errors, exit codes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import typer.main

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.cli.main import create_app
from tests.cli.calling import call, read_records


def find_commands() -> list[tuple[list[str], Any]]:
    """Return every command that does something, with the words that lead to it."""
    found: list[tuple[list[str], Any]] = []

    def collect(words: list[str], command: Any) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.append((words, command))
            return
        for name, child in children.items():
            collect([*words, name], child)

    collect([], typer.main.get_command(create_app()))
    return found


COMMANDS = find_commands()
NAMES = [" ".join(words) for words, _ in COMMANDS]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_help_of_a_command_has_an_example_that_calls_it(words: list[str], command: Any) -> None:
    del command
    result = call(*words, "--help")

    assert result.exit_code == ExitCode.OK
    _, _, examples = result.stdout.partition("Examples:")
    assert f"agent-factory {' '.join(words)}" in examples


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_command_has_the_options_of_all_commands(words: list[str], command: Any) -> None:
    del words
    options = {option for parameter in command.params for option in parameter.opts}

    assert {"--json", "--quiet", "-q", "--no-color", "--debug"} <= options


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_every_option_and_argument_has_a_text(words: list[str], command: Any) -> None:
    del words

    assert [parameter.name for parameter in command.params if not parameter.help] == []


def test_help_lists_every_command_with_a_summary() -> None:
    listed = call("--help").stdout.partition("Commands:")[2].splitlines()

    names = {words[0] for words, _ in COMMANDS}
    assert {line.split()[0] for line in listed if line.strip()} == names
    assert all(len(line.split()) > 2 for line in listed if line.strip())


def test_help_has_every_exit_code() -> None:
    text = call("--help").stdout

    assert [code for code in ExitCode if f"    {int(code)} " not in text] == []


def test_misspelt_command_is_answered_with_the_right_one() -> None:
    result = call("rns", "list")

    assert result.exit_code == ExitCode.USAGE
    assert "No such command 'rns'. Did you mean 'runs'" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["rns", "--json"], ["runs", "list", "--json", "--nope"], ["--json"]]
)
def test_wrong_arguments_are_a_line_of_json_too(arguments: list[str]) -> None:
    result = call(*arguments)

    assert result.exit_code == ExitCode.USAGE
    (record,) = read_records(result)
    assert (record["type"], record["code"]) == ("error", "usage")
    assert result.stderr == ""


def test_word_that_follows_two_hyphens_is_no_option() -> None:
    result = call("run", "none.yaml", "--nope", "--", "--json")

    assert result.stdout == ""
    assert "No such option: --nope" in result.stderr


def break_it(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    # Modules that take over what is replaced here must not be imported first while it is.
    import_module("agent_factory.cli.startup")
    import_module("agent_factory.cli.settings.loading")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("agent_factory.cli.places.find_config_file", fail)


def test_defect_is_one_line_without_the_text_of_the_exception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(monkeypatch, KeyError("sk-secret"))

    result = call("config", "path")

    assert result.exit_code == ExitCode.DEFECT
    assert result.stderr.startswith("error: KeyError: this is a defect of agent-factory")
    assert len(result.stderr.splitlines()) == 1
    assert "sk-secret" not in result.output


def test_defect_has_its_traceback_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch, KeyError("x"))

    result = call("config", "path", "--debug")

    assert result.exit_code == ExitCode.DEFECT
    assert "Traceback (most recent call last)" in result.stderr


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_interruption_is_told(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch, KeyboardInterrupt())

    result = call("config", "path", option)

    assert result.exit_code == ExitCode.INTERRUPTED
    if option == "--json":
        assert read_records(result) == [{"type": "interrupted"}]
    else:
        assert result.stderr.startswith("interrupted")


def test_reader_that_has_gone_is_not_told_about(monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch, BrokenPipeError())

    result = call("config", "path")

    assert (result.exit_code, result.stderr) == (ExitCode.FAILED, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script_that_names_the_program(shell: str) -> None:
    result = call("completion", shell)

    assert result.exit_code == ExitCode.OK
    assert "agent-factory" in result.stdout


def test_unknown_shell_is_refused_with_those_that_are_known() -> None:
    result = call("completion", "tcsh")

    assert result.exit_code == ExitCode.USAGE
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish', 'powershell'" in result.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [("agent-factory ru", ["run", "runs"]), ("agent-factory runs sh", ["show"])],
)
def test_shell_gets_completions(
    words: str,
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_AGENT_FACTORY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))

    command: Any = typer.main.get_command(create_app())
    with pytest.raises(SystemExit) as end:
        command.main([], prog_name="agent-factory")

    assert end.value.code == 0
    assert capsys.readouterr().out.split() == expected
