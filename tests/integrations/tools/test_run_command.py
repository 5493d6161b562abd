from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_factory.core.exceptions import (
    ConfigurationError,
    PermissionDeniedError,
    ToolError,
)
from agent_factory.core.permissions import Grant, Need, Permissions
from agent_factory.core.registry import ToolEnvironment, ToolRegistry
from agent_factory.core.tools import ToolContext
from agent_factory.integrations.tools import (
    CommandOptions,
    ProcessLimits,
    RunCommandOptions,
    create_builtin_entries,
    create_run_command,
)
from agent_factory.integrations.tools.launch import get_landlock_version
from agent_factory.integrations.tools.programs import (
    Program,
    check_arguments,
    find_program,
    is_interpreter,
)
from agent_factory.integrations.tools.run_command import create_run_command_entry
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment, create_granted_tool

can_confine = pytest.mark.skipif(get_landlock_version() < 1, reason="this system has no Landlock")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("inside\n")
    return root


def run_shell(root: Path, script: str, **arguments: Any) -> Any:
    """Run a script of the shell unconfined, to see what a program gets."""
    tool = create_run_command(
        ["sh"], root, allow_interpreters=True, confined=False, network=True, **arguments
    )
    return call_tool(tool, program="sh", arguments=["-c", script])


class Secrets:
    def get(self, name: str) -> str | None:
        return {"TOKEN": "hunter2hunter2"}.get(name)


@can_confine
def test_a_permitted_program_runs_in_the_folder(root: Path) -> None:
    environment = create_environment(root, read=(".",), commands=("cat", "ls"))
    tool = create_granted_tool("run_command", {"commands": ["cat", "ls"]}, environment)
    assert (tool.name, tool.effect) == ("run_command", "once")
    assert call_tool(tool, program="cat", arguments=["a.txt", "-"], input="given") == {
        "exit_code": 0,
        "stdout": "inside\ngiven",
        "stderr": "",
    }
    assert call_tool(tool, program="ls", arguments=["nothing"])["exit_code"] != 0


@can_confine
def test_a_confined_program_reads_and_writes_only_what_is_granted(root: Path) -> None:
    (root / "sub" / "b.txt").write_text("below")
    environment = create_environment(
        root, read=("sub",), write=("out",), commands=("cat", "tee", "touch")
    )
    (root / "out").mkdir()
    tool = create_granted_tool(
        "run_command", {"commands": ["cat", "tee", "touch"], "folder": "sub"}, environment
    )
    assert call_tool(tool, program="cat", arguments=["b.txt"])["stdout"] == "below"
    for path in ("../a.txt", "../../secret.txt", str(root.parent / "secret.txt"), "/etc/shadow"):
        answer = call_tool(tool, program="cat", arguments=[path])
        assert (answer["exit_code"], answer["stdout"]) == (1, "")
    assert call_tool(tool, program="tee", arguments=["../out/new"], input="x")["exit_code"] == 0
    assert (root / "out" / "new").read_text() == "x"
    for path in ("new", "../new", str(root.parent / "new"), "/var/agent-factory-new"):
        assert call_tool(tool, program="touch", arguments=[path])["exit_code"] == 1
    assert not (root / "sub" / "new").exists()


@can_confine
def test_a_program_without_network_can_make_no_socket(root: Path) -> None:
    tool = create_run_command(["python3"], root, allow_interpreters=True)
    script = (
        "import socket\n"
        "for kind in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):\n"
        "    try: socket.socket(kind)\n"
        "    except PermissionError: print('refused')\n"
    )
    assert call_tool(tool, program="python3", arguments=["-c", script])["stdout"] == "refused\n" * 3


def test_a_program_gets_no_variable_of_this_process(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_FACTORY_SECRET", "hunter2")
    answer = run_shell(root, "env | cut -d= -f1 | sort", environment={"COLOUR": "blue"})
    assert answer["stdout"].split() == ["COLOUR", "HOME", "LANG", "PATH", "PWD", "TMPDIR"]


def test_the_home_of_a_program_is_empty_and_goes_away(root: Path) -> None:
    answer = run_shell(root, 'ls -A "$HOME"; touch "$HOME/x"; echo "$HOME"')
    home = answer["stdout"].strip()
    assert home.startswith("/")
    assert not Path(home).exists()


def test_a_program_gets_no_open_file_of_this_process(root: Path) -> None:
    with (root / "a.txt").open() as file:
        os.set_inheritable(file.fileno(), True)
        answer = run_shell(
            root, "for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo $fd; done"
        )
    assert answer["stdout"] == ""


def test_limits_reach_the_program(root: Path) -> None:
    limits = ProcessLimits(cpu_seconds=7, file_bytes=512, open_files=50, memory_bytes=1 << 30)
    answer = run_shell(root, "ulimit -c; ulimit -t; ulimit -n", limits=limits)
    assert answer["stdout"].split() == ["0", "7", "50"]
    answer = run_shell(root, "head -c 2000 /dev/zero > big; wc -c < big", limits=limits)
    assert answer["stdout"].strip() == "512"


@pytest.mark.skipif(not Path("/proc").exists(), reason="/proc is Linux's")
def test_when_the_time_is_over_all_that_was_started_ends(root: Path) -> None:
    script = "trap '' TERM; sleep 1000 & echo $!; sh -c 'trap \"\" TERM; echo $$; sleep 1000'"
    answer = run_shell(root, script, limits=ProcessLimits(seconds=0.5))
    assert (answer["exit_code"], answer["timed_out"]) == (-9, True)
    pids = answer["stdout"].split()
    assert len(pids) == 2
    assert not any(is_running(int(pid)) for pid in pids)


@pytest.mark.skipif(not Path("/proc").exists(), reason="/proc is Linux's")
def test_what_a_program_leaves_behind_ends_with_it(root: Path) -> None:
    answer = run_shell(root, "sleep 1000 & echo $!; exit 5")
    assert (answer["exit_code"], "timed_out" in answer) == (5, False)
    assert not is_running(int(answer["stdout"]))


@pytest.mark.skipif(not Path("/proc").exists(), reason="/proc is Linux's")
def test_a_call_that_is_cancelled_ends_its_program(root: Path) -> None:
    tool = create_run_command(["sh"], root, allow_interpreters=True, confined=False, network=True)
    arguments = {
        "program": "sh",
        "arguments": ["-c", "echo $$ > pid.tmp; mv pid.tmp pid; sleep 1000"],
    }

    async def run_and_cancel() -> None:
        context = ToolContext(deps=None, run_id="run", call_id="call")
        task = asyncio.create_task(tool.run(context, json.dumps(arguments)))
        while not (root / "pid").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run_and_cancel())
    assert not is_running(int((root / "pid").read_text()))


def is_running(pid: int) -> bool:
    """Return whether a process is there, and no zombie that nobody has waited for."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def test_much_output_is_cut_and_the_result_says_so(root: Path) -> None:
    limits = ProcessLimits(output_bytes=10)
    answer = run_shell(root, "head -c 300000 /dev/zero | tr '\\0' x; echo e >&2", limits=limits)
    assert (answer["stdout"], answer["stderr"]) == ("x" * 10, "e\n")
    assert answer["bytes_left_out"] == 299_990


def test_arguments_are_not_expanded(root: Path) -> None:
    tool = create_run_command(["echo"], root, confined=False, network=True)
    words = ["*", "$HOME", "$(id)", "a b", ";", "~", "é"]
    assert call_tool(tool, program="echo", arguments=words)["stdout"] == " ".join(words) + "\n"


def test_a_secret_reaches_the_program_and_not_the_model(root: Path) -> None:
    environment = create_environment(
        root,
        read=("/",),
        write=("/",),
        hosts=("*",),
        commands=("sh",),
        secrets=Secrets(),
        secret_names=("TOKEN",),
    )
    options = {
        "commands": ["sh"],
        "secrets": ["TOKEN"],
        "allow_interpreters": True,
        "unconfined": True,
    }
    tool = create_granted_tool("run_command", options, environment)
    answer = call_tool(
        tool, program="sh", arguments=["-c", 'echo "${#TOKEN} $TOKEN"; echo $TOKEN >&2']
    )
    assert (answer["stdout"], answer["stderr"]) == ("14 [secret]\n", "[secret]\n")


def test_a_program_that_is_not_listed_is_refused(root: Path) -> None:
    tool = create_run_command(["cat"], root, confined=False, network=True)
    for program in ("ls", "cta", "/bin/cat", "../cat", "", "cat "):
        with pytest.raises(ToolError, match="may not be run"):
            call_tool(tool, program=program)


def test_arguments_have_to_begin_as_they_are_listed(root: Path) -> None:
    commands = [CommandOptions(program="echo", arguments=[["diff"], ["log", "--oneline"]])]
    tool = create_run_command(commands, root, confined=False, network=True)
    assert "'log --oneline'" in tool.spec.description
    assert call_tool(tool, program="echo", arguments=["diff", "x"])["stdout"] == "diff x\n"
    for arguments in ([], ["push"], ["log"], ["log", "-p"], ["diff-x"], ["-c", "a", "diff"]):
        with pytest.raises(ToolError, match="have to begin with one of"):
            call_tool(tool, program="echo", arguments=arguments)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a\0b"], "NUL"),
        (["x"] * 201, "201 arguments"),
        (["x" * 40_000], "40001 bytes"),
    ],
)
def test_arguments_that_no_program_can_get_are_refused(
    root: Path, arguments: list[str], reason: str
) -> None:
    tool = create_run_command(["echo"], root, confined=False, network=True)
    with pytest.raises(ToolError, match=reason):
        call_tool(tool, program="echo", arguments=arguments)


@pytest.mark.parametrize(
    "name",
    [
        "sh",
        "bash",
        "python",
        "python3",
        "python3.11",
        "pypy3",
        "perl",
        "perl5.36",
        "node",
        "env",
        "xargs",
        "sudo",
        "ssh",
        "busybox",
        "find",
        "awk",
        "gawk",
        "make",
        "docker",
        "uvx",
        "ld-linux",
        "lua5.4",
        "vim.basic",
        "PYTHON3",
        "nohup",
        "timeout",
    ],
)
def test_programs_that_run_others_are_known(name: str) -> None:
    assert is_interpreter(name)


@pytest.mark.parametrize("name", ["git", "cat", "ls", "grep", "jq", "wc", "diff", "sha256sum"])
def test_other_programs_are_not_taken_for_them(name: str) -> None:
    assert not is_interpreter(name)


def test_programs_that_run_others_are_refused_unless_allowed(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="permitting it permits everything"):
        create_run_command(["sh"], root, confined=False, network=True)
    assert find_program("sh", allow_interpreters=True).path.is_absolute()


def test_a_shell_under_another_name_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "harmless").symlink_to("/bin/sh")
    with pytest.raises(ConfigurationError, match="runs code or other programs"):
        find_program("harmless", search=[str(tmp_path)])


@pytest.mark.parametrize("name", ["/bin/cat", "../cat", "", "a b", "-x", "a\0", ".", "x" * 65])
def test_what_is_no_name_of_a_program_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no name of a program"):
        find_program(name)


def test_a_program_is_not_looked_for_where_we_are(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "mytool").write_text("#!/bin/sh\n")
    (root / "mytool").chmod(0o755)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(ConfigurationError, match="there is no program 'mytool'"):
        find_program("mytool")


@pytest.mark.parametrize("loose", ["file", "folder"])
def test_a_program_that_others_can_change_is_refused(tmp_path: Path, loose: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "mytool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_program("mytool", search=[str(folder)]).path == program.resolve()
    (program if loose == "file" else folder).chmod(0o777)
    with pytest.raises(ConfigurationError, match="others can change"):
        find_program("mytool", search=[str(folder)])


def test_a_program_that_cannot_be_executed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mytool"
    program.write_bytes(b"\x7fELF no program")
    program.chmod(0o755)
    monkeypatch.setattr(
        "agent_factory.integrations.tools.run_command.find_program",
        lambda name, *_args, **_options: Program(name, program),
    )
    tool = create_run_command(["mytool"], tmp_path, confined=False, network=True)
    with pytest.raises(ToolError, match=r"could not be started: .*Exec format"):
        call_tool(tool, program="mytool")


def test_a_system_that_cannot_confine_programs_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ConfigurationError, match=r"cannot keep programs from files.*unconfined"):
        create_run_command(["cat"], root)


def test_each_program_needs_its_permission(root: Path) -> None:
    environment = create_environment(root, read=(".",), commands=("cat",))
    with pytest.raises(PermissionDeniedError, match=r"permissions.commands"):
        create_granted_tool("run_command", {"commands": ["cat", "ls"]}, environment)
    entry = ToolRegistry(create_builtin_entries()).get("run_command")
    options = entry.options.model_validate({"commands": ["cat", "ls"]})
    with pytest.raises(PermissionDeniedError, match=r"permissions.commands"):
        entry.create(options, environment)


def test_what_is_needed_is_said_with_its_place() -> None:
    entry = ToolRegistry(create_builtin_entries()).get("run_command")
    options = entry.options.model_validate(
        {
            "commands": ["ls", {"program": "git", "arguments": [["diff"]]}],
            "secrets": ["TOKEN"],
            "network": True,
        }
    )
    assert entry.needs(options) == (
        Need("read", ".", ("folder",)),
        Need("commands", "ls", ("commands", 0)),
        Need("commands", "git", ("commands", 1, "program")),
        Need("secrets", "TOKEN", ("secrets", 0)),
        Need("hosts", "*", ("network",)),
    )
    unconfined = entry.options.model_validate({"commands": ["ls"], "unconfined": True})
    assert {need.target for need in entry.needs(unconfined)} >= {"/", "*"}


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "ld_preload",
        "PATH",
        "HOME",
        "PYTHONPATH",
        "BASH_ENV",
        "GIT_SSH_COMMAND",
        "A=B",
        "",
    ],
)
def test_variables_that_make_programs_run_other_code_are_refused(root: Path, name: str) -> None:
    entry = ToolRegistry(create_builtin_entries()).get("run_command")
    with pytest.raises(ValidationError, match="cannot be set"):
        entry.options.model_validate({"commands": ["ls"], "environment": {name: "x"}})
    with pytest.raises(ConfigurationError, match="cannot be set"):
        create_run_command(["cat"], root, environment={name: "x"}, confined=False, network=True)


def test_a_program_is_named_once(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="named twice"):
        create_run_command(["cat", "cat"], root, confined=False, network=True)


@pytest.mark.parametrize(
    "limits", [{"seconds": 0.0}, {"seconds": float("inf")}, {"memory_bytes": 0}, {"file_bytes": -1}]
)
def test_limits_out_of_range_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"at least 1|above 0"):
        ProcessLimits(**limits)


WORDS = st.lists(
    st.sampled_from(["diff", "log", "--oneline", "-c", "", "push"]) | st.text(max_size=5),
    max_size=5,
)


@settings(deadline=None)
@given(WORDS, st.lists(WORDS.filter(bool), min_size=1, max_size=3))
def test_only_arguments_with_a_listed_beginning_pass(
    arguments: list[str], beginnings: list[list[str]]
) -> None:
    program = Program("git", Path("/usr/bin/git"), tuple(map(tuple, beginnings)))
    try:
        check_arguments(program, arguments)
    except ToolError:
        return
    assert any(arguments[: len(beginning)] == beginning for beginning in beginnings)
    assert not any("\0" in argument for argument in arguments)


@settings(deadline=None)
@given(
    st.text(max_size=12)
    | st.lists(st.sampled_from(["..", ".", "/", "bin", "sh", "cat"]), max_size=5).map("".join)
)
def test_no_name_leads_to_a_program_elsewhere(name: str) -> None:
    try:
        program = find_program(name, allow_interpreters=True)
    except ConfigurationError:
        return
    assert "/" not in program.name


def test_interpreter_is_refused_before_the_tool_is_made() -> None:
    options = RunCommandOptions.model_validate({"commands": ["bash"], "folder": "."})

    with pytest.raises(ConfigurationError, match="'bash' runs code or other programs"):
        create_run_command_entry().needs(options)


def test_tool_with_a_secret_is_made_where_the_secret_is_not(root: Path) -> None:
    permissions = Permissions(read=(str(root),), commands=("printenv",), secrets=("TOKEN",))
    environment = ToolEnvironment(root, Grant(permissions, root))

    made = create_run_command_entry().create(
        RunCommandOptions.model_validate(
            {"commands": ["printenv"], "folder": str(root), "secrets": ["TOKEN"]}
        ),
        environment,
    )

    assert made.name == "run_command"
