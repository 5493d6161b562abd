"""The options of `run_command` in a blueprint, and what they need to be permitted."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_factory.core.permissions.manifest import Need
from agent_factory.integrations.tools.programs import refuse_interpreter

__all__ = ["CommandOptions", "RunCommandOptions", "check_variable", "list_command_needs"]

# What makes a loader, a shell, an interpreter or git run other code.
_UNSAFE_VARIABLE = re.compile(
    r"(?:LD_|DYLD_|PYTHON|PERL|RUBY|NODE|BASH|GIT_|GCONV|JAVA|JDK|_JAVA|LUA|GLIBC_|MALLOC_).*"
    r"|PATH|HOME|TMPDIR|ENV|IFS|SHELL|EDITOR|VISUAL|PAGER|BROWSER|SHELLOPTS|PS4|PROMPT_COMMAND|LESSOPEN|LESSCLOSE"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class CommandOptions(BaseModel):
    """A program among the options of `run_command` in a blueprint.

    Attributes:
        program: Its name, without a path.
        arguments: What its arguments may begin with, such as ``[["diff"], ["log", "--oneline"]]``; anything if empty.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    program: str = Field(min_length=1)
    arguments: list[Annotated[list[str], Field(min_length=1)]] = Field(default=[], max_length=100)


class RunCommandOptions(BaseModel):
    """Options of `run_command` in a blueprint.

    Attributes:
        commands: The programs that may be run: names, or names with what their arguments may begin with.
        folder: The folder that programs run in, relative to the blueprint's own.
        environment: Environment variables that programs get, besides ``PATH``, ``LANG``, ``HOME`` and ``TMPDIR``.
        secrets: Names of secrets that programs get as environment variables of these names.
        network: Whether programs can use the network; needs the permission for the host ``*``.
        unconfined: Whether programs can reach all that their user can, the network included; needs the permissions for the
            host ``*`` and to read and write ``/``.
        allow_interpreters: Whether programs that run other programs or code, such as shells, are accepted.
        timeout: Seconds that one call may take, up to 3,600.
        cpu_seconds: Seconds of a processor for each process; rounded up from the timeout if None.
        max_memory: Bytes of address space of each process, at least 64 MiB.
        max_file_bytes: The largest file that a program can write.
        max_output_bytes: How many bytes of each of the two outputs are kept, 1 to 1,000,000.
        max_user_processes: Processes and threads that the user of the program may have altogether; no bound if None.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    commands: list[str | CommandOptions] = Field(min_length=1, max_length=50)
    folder: str = Field(default=".", min_length=1)
    environment: dict[str, str] = {}
    secrets: list[str] = []
    network: bool = False
    unconfined: bool = False
    allow_interpreters: bool = False
    timeout: float = Field(default=30.0, gt=0, le=3600)
    cpu_seconds: int | None = Field(default=None, ge=1, le=36_000)
    max_memory: int = Field(default=1 << 31, ge=1 << 26, le=1 << 40)
    max_file_bytes: int = Field(default=1 << 26, ge=0, le=1 << 40)
    max_output_bytes: int = Field(default=50_000, ge=1, le=1_000_000)
    max_user_processes: int | None = Field(default=None, ge=1, le=1_000_000)

    @field_validator("environment", "secrets")
    @classmethod
    def _check_variables(cls, names: dict[str, str] | list[str]) -> dict[str, str] | list[str]:
        for name in names:
            check_variable(name)
        return names


def list_command_needs(options: RunCommandOptions) -> tuple[Need, ...]:
    """Return what the options need to be permitted.

    Args:
        options: The options.

    Raises:
        ConfigurationError: A program runs code or other programs, and that is not allowed.
    """
    needs = [Need("read", options.folder, ("folder",))]
    for index, item in enumerate(options.commands):
        if not options.allow_interpreters:
            refuse_interpreter(item if isinstance(item, str) else item.program)
        if isinstance(item, str):
            needs.append(Need("commands", item, ("commands", index)))
        else:
            needs.append(Need("commands", item.program, ("commands", index, "program")))
    needs += [Need("secrets", name, ("secrets", i)) for i, name in enumerate(options.secrets)]
    if options.network:
        needs.append(Need("hosts", "*", ("network",)))
    if options.unconfined:
        needs.append(Need("hosts", "*", ("unconfined",)))
        needs.append(Need("read", "/", ("unconfined",)))
        needs.append(Need("write", "/", ("unconfined",)))
    return tuple(needs)


def check_variable(name: str) -> None:
    """Make sure that an environment variable may be set for a program.

    Args:
        name: Its name.

    Raises:
        ValueError: It is no valid name, or makes programs run other code.
    """
    if not _VARIABLE.fullmatch(name) or _UNSAFE_VARIABLE.fullmatch(name.upper()):
        raise ValueError(
            f"the environment variable {name!r} cannot be set: it is no valid name, or it makes programs run other code"
        )
