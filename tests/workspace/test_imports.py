"""Importing a module opens nothing, reads no environment and starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = "agent_factory"

# The audit hook sees what the interpreter does (PEP 578). Third-party packages are imported before it
# listens, and what they read of the environment when one of our classes is made (pydantic does) is theirs.
PROBE = """
import importlib, os, sys, threading
names, warm, ours = (argument.split() for argument in sys.argv[1:])
for module in warm:
    importlib.import_module(module)
seen = []
class Environment(type(os.environ)):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") in ("os", "collections.abc"):
            frame = frame.f_back
        if frame.f_globals.get("__name__", "").partition(".")[0] in ours:
            seen.append(f"reads the environment variable {key!r}")
        return super().__getitem__(key)
def hook(event, arguments):
    if event == "open":
        path, mode = str(arguments[0]), str(arguments[1])
        if not path.endswith((".py", ".pyc", ".so")) and "__pycache__" not in path:
            seen.append(f"opens {path!r} ({mode})")
    elif event.startswith(("socket.", "subprocess.", "sqlite3.", "os.system", "os.exec", "os.fork")):
        seen.append(f"does {event} {arguments!r}")
os.environ.__class__ = Environment
sys.addaudithook(hook)
for name in names:
    before = threading.active_count()
    importlib.import_module(name)
    if threading.active_count() != before:
        seen.append("starts a thread")
    for effect in seen:
        print(f"{name} {effect}")
    seen.clear()
"""

# Without these, a first import from our modules would load them, and they may do as they please.
THIRD_PARTY = (
    "aiohttp",
    "asyncio",
    "pydantic",
    "pydantic.fields",
    "pydantic_settings",
    "rich.console",
    "rich.markup",
    "rich.status",
    "sqlite3",
    "typer",
    "typing_extensions",
    "yaml",
    "yarl",
)


def list_modules() -> list[str]:
    names = []
    for source in sorted(Path("packages").glob(f"*/src/{ROOT}")):
        for file in sorted(source.rglob("*.py")):
            parts = file.relative_to(source.parent).with_suffix("").parts
            if parts[-1] != "__main__":
                names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def run_probe(
    names: Iterable[str], *warm: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    paths = [str(path.absolute()) for path in sorted(Path("packages").glob("*/src"))]
    if folder is not None:
        paths.append(str(folder))
    return subprocess.run(
        [
            sys.executable,
            *("-B", "-W", "error", "-c", PROBE),
            *(" ".join(names), " ".join(warm), f"{ROOT} planted"),
        ],
        env={"PYTHONPATH": os.pathsep.join([*paths, *filter(None, sys.path)]), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_any_module_has_no_effect() -> None:
    modules = list_modules()
    assert {f"{ROOT}.core.agent", f"{ROOT}.cli.main"} < set(modules)

    probed = run_probe(modules, *THIRD_PARTY)

    assert probed.returncode == 0, probed.stderr
    assert probed.stdout.strip() == ""


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("open('/dev/null')", "opens '/dev/null'"),
        ("__import__('os').environ.get('OPENAI_API_KEY')", "reads the environment variable"),
        ("__import__('socket').socket()", "does socket.__new__"),
        ("__import__('sqlite3').connect(':memory:')", "does sqlite3.connect"),
        ("__import__('threading').Thread(target=input, daemon=True).start()", "starts a thread"),
    ],
)
def test_an_effect_is_seen(line: str, effect: str, tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(f"{line}\n", encoding="utf-8")

    probed = run_probe(["planted"], "socket", "sqlite3", folder=tmp_path)

    assert effect in probed.stdout, probed.stderr
