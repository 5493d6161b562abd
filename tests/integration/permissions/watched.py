"""Runs a blueprint whose model makes given tool calls; writes down what the process touches, if told where.

Arguments: the blueprint, a file with the calls as JSON, the file for what the tools answered, and the file for what Python's
audit events and opened descriptors say, or ``-``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_EVENTS = (
    "open",
    "os.",
    "shutil.",
    "socket.",
    "subprocess.",
    "sqlite3.connect",
    "pty.",
    "ctypes.",
    "import",
)


def watch(log: str) -> None:
    """Write down each audit event, and where each descriptor that `os.open` returns really leads."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(event: str, *values: object) -> None:
        os.write(out, json.dumps([event, *map(_show, values)]).encode() + b"\n")

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_EVENTS) and event != "import":
            write(event, *arguments)

    plain_open = os.open

    def open_and_tell(
        path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        descriptor = plain_open(path, flags, mode, dir_fd=dir_fd)
        # Not by os.readlink on a name that somebody swaps, but by what the system has opened.
        write("opened", os.readlink(f"/proc/self/fd/{descriptor}"))
        return descriptor

    os.open = open_and_tell
    os.supports_dir_fd.add(open_and_tell)
    sys.addaudithook(hear)


def _show(value: object) -> object:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if isinstance(value, (list, tuple)):
        return [_show(item) for item in value]
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)


def main() -> None:
    """Run the blueprint."""
    blueprint, calls, answers, log = sys.argv[1:]
    # Everything is imported before anybody watches.
    from agent_factory.core.blueprints import Adapters, assemble, load_blueprint
    from agent_factory.core.messages import ToolMessage
    from agent_factory.core.registry import ToolRegistry
    from agent_factory.core.testing import ScriptedModel, create_tool_call
    from agent_factory.integrations.tools import create_builtin_entries

    script: list[Any] = [
        create_tool_call(name, arguments) for name, arguments in json.loads(Path(calls).read_text())
    ]
    model = ScriptedModel([*script, "done"])
    if log != "-":
        watch(log)
    adapters = Adapters(ToolRegistry(create_builtin_entries()), lambda _use, _settings: model)
    denials: list[str] = []
    made = assemble(
        load_blueprint(Path(blueprint)),
        adapters,
        on_denied=lambda denial: denials.append(f"{denial.kind} {denial.target}"),
    )
    result = made.agents[made.entry].run_sync("Go.", deps=None, options=made.create_options())
    told = [
        [item.name, item.outcome, item.content]
        for item in result.messages
        if isinstance(item, ToolMessage)
    ]
    Path(answers).write_text(json.dumps({"told": told, "denials": denials}))


if __name__ == "__main__":
    main()
