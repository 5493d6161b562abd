"""Finds out whether the environment is as the command line needs it."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Literal, TypeAlias

from agent_factory.cli.exceptions import CliError, SettingsError
from agent_factory.cli.places import find_state_folder
from agent_factory.core.exceptions import AgentFactoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.cli.settings import LoadedSettings

__all__ = ["Finding", "examine"]

Status: TypeAlias = Literal["ok", "warning", "failed"]

_OWN = ("afactory-core", "afactory-integrations", "afactory-cli")
_NEEDED = (
    "pydantic",
    "pydantic-settings",
    "PyYAML",
    "jsonschema-rs",
    "aiohttp",
    "typer",
    "rich",
    "tomlkit",
)
_OLDEST = (3, 11)
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out.

    Attributes:
        name: What was looked at.
        status: Whether it is as it should be.
        detail: What it is, and what to do where it is wrong.
    """

    name: str
    status: Status
    detail: str


def examine(*, online: bool = False) -> Iterator[Finding]:
    """Yield what is found out, one thing after the other.

    Args:
        online: Whether to ask the OpenAI-compatible server for its models.
    """
    yield _check_python()
    yield from _check_packages()
    yield _check_mcp()
    yield _check_sqlite()
    yield _check_terminal()
    yield _check_state()
    try:
        from agent_factory.cli.settings import read_settings

        loaded = read_settings()
    except SettingsError as error:
        yield Finding("settings", "failed", str(error))
        return
    there = "read" if loaded.file.exists else "there is none, which is fine"
    yield Finding("settings", "ok", f"{loaded.file.path}: {there}")
    yield from _check_models(loaded, online=online)


def _check_python() -> Finding:
    version = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    if sys.version_info < _OLDEST:
        return Finding("Python", "failed", f"{version}: install Python 3.11 or newer")
    return Finding("Python", "ok", version)


def _check_packages() -> Iterator[Finding]:
    for name in _OWN:
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "ok", "from source, not installed")
    for name in _list_needed():
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "failed", f"not installed: pip install {name}")


def _check_mcp() -> Finding:
    """Tell whether toolsets from MCP servers can be used, which nobody has to."""
    try:
        return Finding("MCP servers", "ok", f"can be used, with mcp {metadata.version('mcp')}")
    except metadata.PackageNotFoundError:
        return Finding(
            "MCP servers",
            "ok",
            "toolsets of theirs cannot be used: pip install 'afactory-integrations[mcp]'",
        )


def _list_needed() -> list[str]:
    """Return what our distributions say they need, or what is known to be needed where they run from source."""
    named: dict[str, None] = {}
    for own in _OWN:
        try:
            requirements = metadata.requires(own) or []
        except metadata.PackageNotFoundError:
            continue
        for requirement in requirements:
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match is not None and "extra ==" not in requirement and match[0] not in _OWN:
                named[match[0]] = None
    return list(named or dict.fromkeys(_NEEDED))


def _check_sqlite() -> Finding:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        except sqlite3.OperationalError:
            return Finding(
                "SQLite",
                "warning",
                f"{sqlite3.sqlite_version}, without FTS5: full-text search in memory is not available",
            )
    return Finding("SQLite", "ok", f"{sqlite3.sqlite_version}, with FTS5")


def _check_terminal() -> Finding:
    parts = [
        f"standard {name}: {'a' if stream.isatty() else 'no'} terminal"
        for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr))
    ]
    parts.append(f"encoding: {sys.stdout.encoding}")
    parts.append(f"TERM: {os.environ.get('TERM') or 'not set'}")
    parts += [f"{name} is set" for name in ("NO_COLOR", "FORCE_COLOR") if os.environ.get(name)]
    return Finding("terminal", "ok", ", ".join(parts))


def _check_state() -> Finding:
    try:
        folder = find_state_folder()
    except CliError as error:
        return Finding("state folder", "failed", error.message)
    # The folder itself may come later: what counts is that it could.
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(
            "state folder",
            "warning",
            f"{folder} cannot be written, so runs are not recorded: {error.strerror}",
        )
    return Finding("state folder", "ok", f"{folder} can be written")


def _check_models(loaded: LoadedSettings, *, online: bool) -> Iterator[Finding]:
    from agent_factory.cli.container import create_container

    has_key = loaded.settings.openai.api_key is not None
    yield Finding("OPENAI_API_KEY", "ok", "set" if has_key else "not set")
    container = create_container(loaded)
    name, reason = container.describe_default()
    kind = name.partition(":")[0]
    finding = Finding("default model", "ok", f"{name}: {reason}")
    if kind != "openai":  # which would ask its server
        try:
            container.create_model(name)
        except AgentFactoryError as error:
            finding = Finding("default model", "failed", f"{name}: {error.message}")
    elif not has_key and loaded.settings.openai.base_url is None:
        finding = Finding(
            "default model", "failed", f"{name}: it needs OPENAI_API_KEY or OPENAI_BASE_URL"
        )
    yield finding
    tools = container.create_tools()
    installed = tools.installed
    packages = ", ".join(sorted({f"{item.distribution} {item.version}" for item in installed}))
    built_in = len(list(tools))
    yield Finding("tools", "ok", f"{built_in} built in; from packages: {packages or 'none'}")
    if not online:
        return
    from agent_factory.cli.addresses import hide_user
    from agent_factory.core.waiting import run_blocking, run_bounded

    async def ask() -> tuple[str, list[str]]:
        return await run_bounded(container.list_models(), _SECONDS)

    try:
        base_url, names = run_blocking(ask())
    except AgentFactoryError as error:
        yield Finding("server", "failed", error.message)
    except TimeoutError:
        yield Finding(
            "server", "failed", f"it did not say within {_SECONDS:g} s which models it has"
        )
    else:
        yield Finding("server", "ok", f"{hide_user(base_url)} has {len(names):,} models")
