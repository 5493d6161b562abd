"""The lock file beside a blueprint, and what a blueprint consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import LockedError
from agent_factory.cli.offline import create_offline_adapters
from agent_factory.core.blueprints import assemble, check_blueprint, load_blueprint
from agent_factory.core.blueprints.parts import collect_parts
from agent_factory.core.context import RunContext
from agent_factory.core.exceptions import BlueprintError
from agent_factory.core.locks import check_lock, create_lock, read_lock
from agent_factory.core.source import Location, Problem
from agent_factory.core.waiting import run_blocking

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.blueprints import Adapters, BlueprintFile
    from agent_factory.core.locks import Drift, Lock, Parts
    from agent_factory.core.models import ToolSpec

__all__ = [
    "collect_locked_parts",
    "find_drifts",
    "find_lock_file",
    "read_lock_file",
    "require_lock",
]

_MAX_BYTES = 1_048_576


def find_lock_file(file: Path) -> Path:
    """Return where the lock of a blueprint is: beside it, with the ending ``.lock``.

    Args:
        file: The blueprint.
    """
    return file.with_suffix(".lock")


def read_lock_file(file: Path) -> Lock:
    """Read the lock of a blueprint.

    Args:
        file: The blueprint.

    Raises:
        BlueprintError: There is no lock, or it is damaged.
    """
    path = find_lock_file(file)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        if isinstance(error, FileNotFoundError):
            reason = f"there is no lock: make one with agent-factory lock {file}"
        raise BlueprintError(
            f"{path} cannot be read", problems=[Problem(Location(str(path), 1, 1), reason)]
        ) from error
    return read_lock(content, str(path))


def collect_locked_parts(
    file: BlueprintFile, adapters: Adapters, *, installed: bool, online: bool = False
) -> Parts:
    """Return what a checked blueprint consists of.

    Args:
        file: The blueprint.
        adapters: What it is put together with.
        installed: Whether packages that declare its tools are imported.
        online: Whether the servers of its toolsets are asked for their tools.

    Raises:
        BlueprintError: It cannot be put together.
        CoreError: A server does not answer.
    """
    toolsets: dict[str, tuple[ToolSpec, ...]] | None = None
    if installed:
        # First of all, for what keeps it from being put together, at its place in the file.
        toolsets = run_blocking(_ask_servers(file, adapters, online=online))
    elif online and file.blueprint.toolsets:
        toolsets = run_blocking(_ask_servers(file, adapters, online=True))
    # With the prices that come along, and not those of the settings: a lock is the same on every machine.
    return collect_parts(file, adapters, installed=installed, toolsets=toolsets)


def find_drifts(
    file: Path, adapters: Adapters, *, installed: bool = False, online: bool = False
) -> tuple[Drift, ...]:
    """Return what is not as the lock of a blueprint says.

    Args:
        file: The blueprint.
        adapters: What it is put together with.
        installed: Whether packages that declare its tools are imported.
        online: Whether the servers of its toolsets are asked for their tools.

    Raises:
        BlueprintError: The blueprint or the lock is wrong.
    """
    lock = read_lock_file(file)
    loaded = load_blueprint(file)
    check_blueprint(loaded, adapters)
    parts = collect_locked_parts(loaded, adapters, installed=installed, online=online)
    return check_lock(lock, create_lock(parts))


def require_lock(file: Path, adapters: Adapters) -> None:
    """Make sure that a blueprint is as its lock says, its tools from packages and servers included.

    Args:
        file: The blueprint.
        adapters: What it is put together with.

    Raises:
        BlueprintError: The blueprint or the lock is wrong.
        LockedError: It is not; the message has every difference.
    """
    drifts = find_drifts(file, adapters, installed=True, online=True)
    if drifts:
        told = "; ".join(drift.message for drift in drifts)
        raise LockedError(
            f"{file} is not as its lock says: {told}",
            details={"drifts": [drift.to_dict() for drift in drifts]},
        )


async def _ask_servers(
    file: BlueprintFile, adapters: Adapters, *, online: bool
) -> dict[str, tuple[ToolSpec, ...]] | None:
    assembly = assemble(file, create_offline_adapters(adapters))
    context = RunContext[object](None, "lock", "lock", "")
    try:
        if not online or not assembly.toolsets:
            return None
        return {
            name: tuple(tool.spec for tool in await toolset.list_tools(context))
            for name, toolset in assembly.toolsets.items()
        }
    finally:
        await assembly.aclose()
