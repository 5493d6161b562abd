"""The tool `run_command`: a program that was permitted by name, in a restricted process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent_factory.core.exceptions import ConfigurationError, CoreError, ToolError
from agent_factory.core.permissions.roots import GrantedPath
from agent_factory.core.registry import ToolEntry
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.threads import run_in_thread
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.command_options import (
    CommandOptions,
    RunCommandOptions,
    check_variable,
    list_command_needs,
)
from agent_factory.integrations.tools.confinement import check_confinement
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.process_plans import Ended, ProcessLimits, ProcessPlan
from agent_factory.integrations.tools.processes import run_process
from agent_factory.integrations.tools.programs import Program, check_arguments, find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from agent_factory.core.registry import ToolEnvironment

__all__ = ["create_run_command", "create_run_command_entry"]

MAX_INPUT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a tool runs programs with."""

    programs: Mapping[str, Program]
    folder: Folder
    read: Sequence[GrantedPath]
    write: Sequence[GrantedPath]
    create_environment: Callable[[], Mapping[str, str]]
    confined: bool
    network: bool
    limits: ProcessLimits
    scrub: Callable[[str], str]


def create_run_command(
    commands: Sequence[str | CommandOptions],
    folder: Path | str,
    *,
    read: Sequence[Path] = (),
    write: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    network: bool = False,
    confined: bool = True,
    allow_interpreters: bool = False,
    limits: ProcessLimits | None = None,
) -> Tool[object]:
    """Make the tool `run_command`.

    The model gives a program's name and a list of arguments; there is no shell. A program is looked up once, now, in the
    folders of the system. It runs in a session of its own with limits, without a terminal, with an empty home that is gone
    afterwards, and with none of this process's environment variables or open files. When its time is over, it and its
    process group get SIGTERM, and half a second later SIGKILL; what is left of the group when it ends by itself is killed.

    On Linux, a confined program can read the system's own programs and settings and what is permitted, can write what is
    permitted, cannot gain privileges (Landlock, no_new_privs), and without ``network`` can make no socket of any kind
    (seccomp). Elsewhere, nothing of that can be enforced, and the tool is refused unless it is unconfined.

    Not enforced: a program that starts a session of its own outlives its group; limits hold for each process, not for all of
    them together; how many processes there are is bounded only for the whole user; that a file is there can be found out,
    though not what is in it; before Linux 6.12, other processes of the user can be sent signals; and what a permitted
    program does with what it can reach is up to it, such as running what the settings of a repository name.

    Args:
        commands: The programs that may be run: names, or names with what their arguments may begin with.
        folder: The folder that programs run in, which they can read.
        read: Further folders and files that a confined program can read.
        write: Folders and files that a confined program can write.
        environment: Environment variables that programs get, besides ``PATH``, ``LANG``, ``HOME`` and ``TMPDIR``.
        network: Whether programs can use the network.
        confined: Whether programs can reach only these files; needs Linux with Landlock.
        allow_interpreters: Whether programs that run other programs or code, such as shells, are accepted.
        limits: What one process may use; the defaults of `ProcessLimits` if None.

    Returns:
        The tool; its result has ``exit_code``, ``stdout`` and ``stderr``, ``timed_out`` where the time was over, and
        ``bytes_left_out`` where there was more output.

    Raises:
        ConfigurationError: There is no such program or folder, a program is not safe to run, or this system cannot confine
            programs.
    """
    for name in environment or {}:
        try:
            check_variable(name)
        except ValueError as error:
            raise ConfigurationError(f"tool 'run_command': {error}") from None
    root = Folder(folder, hidden=True)
    return _create(
        _Setting(
            _find_programs(commands, allow_interpreters),
            root,
            [GrantedPath(item.resolve(), ()) for item in (root.path, *read)],
            [GrantedPath(item.resolve(), ()) for item in write],
            lambda: dict(environment or {}),
            confined,
            network,
            limits or ProcessLimits(),
            str,
        )
    )


def create_run_command_entry() -> ToolEntry[RunCommandOptions]:
    """Return the entry through which blueprints use `run_command`."""
    return ToolEntry(
        "run_command",
        "runs a permitted program in a restricted process",
        RunCommandOptions,
        _create_granted,
        list_command_needs,
    )


def _create_granted(options: RunCommandOptions, environment: ToolEnvironment) -> Tool[object]:
    grant = environment.grant
    for need in list_command_needs(options):
        grant.check(need)
    cpu = int(options.timeout) + 1 if options.cpu_seconds is None else options.cpu_seconds
    limits = ProcessLimits(
        seconds=options.timeout,
        cpu_seconds=cpu,
        memory_bytes=options.max_memory,
        file_bytes=options.max_file_bytes,
        output_bytes=options.max_output_bytes,
        user_processes=options.max_user_processes,
    )

    def create_environment() -> dict[str, str]:
        # Not before a call: a blueprint is checked and locked where its secrets are not.
        secrets = {name: grant.get_secret(name) for name in options.secrets}
        return {**options.environment, **secrets}

    return _create(
        _Setting(
            _find_programs(options.commands, options.allow_interpreters),
            Folder(grant.get_path("read", options.folder), hidden=True),
            [grant.get_path("read", item) for item in grant.permissions.read],
            [grant.get_path("write", item) for item in grant.permissions.write],
            create_environment,
            not options.unconfined,
            options.network or options.unconfined,
            limits,
            grant.scrub,
        )
    )


def _create(setting: _Setting) -> Tool[object]:
    check_confinement(confined=setting.confined, network=setting.network)
    known = ", ".join(_describe(program) for program in setting.programs.values())

    # The tool ends the program by itself; its own timeout is for what it could not end.
    @tool(
        effect="once",
        timeout=setting.limits.seconds + 15,
        max_result_chars=20 * setting.limits.output_bytes + 1000,
        description=f"Run a program and return its outputs. There is no shell. The programs are: {known}.",
    )
    async def run_command(
        program: str,
        arguments: list[str] = [],  # noqa: B006 - never changed
        input: Annotated[str, Field(max_length=MAX_INPUT)] = "",  # noqa: A002
    ) -> dict[str, object]:
        """Run a program.

        Args:
            program: Name of the program.
            arguments: Its arguments, one by one; nothing in them is expanded.
            input: Text for its standard input.
        """
        found = setting.programs.get(program)
        if found is None:
            raise ToolError(
                f"the program {program!r} may not be run: {describe_choices(program, setting.programs)}"
            )
        check_arguments(found, arguments)
        text = input.encode("utf-8", "replace")
        stop = threading.Event()
        work = asyncio.ensure_future(
            run_in_thread(partial(_run, setting, found, arguments, text, stop))
        )
        try:
            ended = await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            with contextlib.suppress(CoreError):
                await work
            raise
        return _report(ended, setting.scrub)

    return run_command


def _run(
    setting: _Setting,
    program: Program,
    arguments: Sequence[str],
    text: bytes,
    stop: threading.Event,
) -> Ended:
    with contextlib.ExitStack() as closing:
        folder = setting.folder.open()
        closing.callback(os.close, folder)
        plan = ProcessPlan(
            str(program.path),
            [program.name, *arguments],
            folder,
            environment=setting.create_environment(),
            confined=setting.confined,
            network=setting.network,
            limits=setting.limits,
            text=text,
        )
        if setting.confined:
            plan = replace(
                plan,
                read=_open_all(setting.read, closing),
                write=_open_all(setting.write, closing),
            )
        return run_process(plan, stop)


def _open_all(places: Sequence[GrantedPath], closing: contextlib.ExitStack) -> list[int]:
    """Open places that are there; nothing can be done with what is opened but to name the place."""
    opened = []
    for place in places:
        if place.names:
            parent, name = GrantedPath(place.anchor, place.names[:-1]), place.names[-1]
        else:
            parent, name = GrantedPath(place.anchor.parent, ()), place.anchor.name or "."
        try:
            above = Folder(parent).open()
        except (ConfigurationError, ToolError):
            continue
        try:
            descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        except OSError:
            continue
        finally:
            os.close(above)
        closing.callback(os.close, descriptor)
        opened.append(descriptor)
    return opened


def _report(ended: Ended, scrub: Callable[[str], str]) -> dict[str, object]:
    report: dict[str, object] = {
        "exit_code": ended.exit_code,
        "stdout": scrub(ended.stdout.decode("utf-8", "replace")),
        "stderr": scrub(ended.stderr.decode("utf-8", "replace")),
    }
    if ended.timed_out:
        report["timed_out"] = True
    if ended.left_out:
        report["bytes_left_out"] = ended.left_out
    return report


def _find_programs(
    commands: Sequence[str | CommandOptions], allow_interpreters: bool
) -> dict[str, Program]:
    programs: dict[str, Program] = {}
    for item in commands:
        options = CommandOptions(program=item) if isinstance(item, str) else item
        if options.program in programs:
            raise ConfigurationError(
                f"the program {options.program!r} is named twice: list what its arguments may begin with in one place"
            )
        programs[options.program] = find_program(
            options.program, options.arguments, allow_interpreters=allow_interpreters
        )
    return programs


def _describe(program: Program) -> str:
    if not program.beginnings:
        return program.name
    beginnings = " or ".join(repr(" ".join(item)) for item in program.beginnings)
    return f"{program.name} (arguments begin with {beginnings})"
