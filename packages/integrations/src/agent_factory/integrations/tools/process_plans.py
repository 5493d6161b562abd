"""What a restricted process is to do and may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ended", "ProcessLimits", "ProcessPlan"]


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one process may use; each process that it starts may use as much again.

    Attributes:
        seconds: Seconds until it is stopped, with all that it started.
        cpu_seconds: Seconds of a processor.
        memory_bytes: Bytes of address space.
        file_bytes: Bytes of the largest file that it can write.
        open_files: Files open at a time.
        output_bytes: Bytes that are kept of each of its two outputs.
        user_processes: Processes and threads that its user may have altogether; no bound if None.

    Raises:
        ConfigurationError: A limit is out of its range.
    """

    seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1 << 31
    file_bytes: int = 1 << 26
    open_files: int = 256
    output_bytes: int = 50_000
    user_processes: int | None = None

    def __post_init__(self) -> None:
        """Check the limits."""
        if not is_duration(self.seconds):
            raise ConfigurationError(
                f"seconds must be a finite number of seconds above 0, not {self.seconds!r}"
            )
        counts = (self.cpu_seconds, self.memory_bytes, self.open_files, self.output_bytes)
        if min(*counts, self.user_processes or 1) < 1 or self.file_bytes < 0:
            raise ConfigurationError("the limits of a process must be at least 1")

    def to_resources(self) -> dict[str, int]:
        """Return the bounds that the system keeps, by their names in `resource`."""
        found = {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_FSIZE": self.file_bytes,
            "RLIMIT_NOFILE": self.open_files,
        }
        return (
            found if self.user_processes is None else found | {"RLIMIT_NPROC": self.user_processes}
        )


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """A program and what it gets.

    Attributes:
        program: Path of the program.
        arguments: Its arguments, from its name on.
        folder: File descriptor of the folder it runs in.
        read: File descriptors of what it can read, where it is confined.
        write: File descriptors of what it can write, where it is confined.
        environment: Further environment variables.
        confined: Whether it is confined to these files and the system's own.
        network: Whether it can use the network.
        limits: What it may use.
        text: What it gets on its standard input.
    """

    program: str
    arguments: Sequence[str]
    folder: int
    read: Sequence[int] = ()
    write: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    confined: bool = True
    network: bool = False
    limits: ProcessLimits = ProcessLimits()
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        exit_code: Its exit code, or minus the number of the signal that ended it.
        stdout: What it wrote, as far as it is kept.
        stderr: What it wrote to its standard error, as far as it is kept.
        left_out: How many bytes of both are not kept.
        timed_out: Whether it was stopped since its time was over.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    left_out: int
    timed_out: bool
