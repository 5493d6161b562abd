"""Importing a module of the packages opens nothing, starts nothing and reads no setting."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import importlib, json, os, sys, threading

names = json.loads(sys.argv[1])
for name in names:  # what third parties do at import is theirs
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] == "agent_factory"]:
    del sys.modules[name]

seen = []
watching = False


def watch(event, arguments):
    if not watching or event.split(".")[0] not in ("open", "socket", "sqlite3", "subprocess", "os"):
        return
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")):
        return
    if event in ("os.listdir", "os.scandir"):  # the import system itself
        return
    seen.append(f"{event} {arguments!r}")


class Watched(type(os.environ)):
    def __getitem__(self, key):
        if watching and key != "PYDANTIC_DISABLE_PLUGINS":  # read for every model class
            seen.append(f"os.environ {key!r}")
        return super().__getitem__(key)


sys.addaudithook(watch)
real = os.environ
os.environ = Watched(
    real._data, real.encodekey, real.decodekey, real.encodevalue, real.decodevalue
)
found = {}
for name in names:
    seen.clear()
    threads = threading.active_count()
    watching = True
    importlib.import_module(name)
    watching = False
    if threading.active_count() != threads:
        seen.append("a thread")
    if seen:
        found[name] = list(seen)
print(json.dumps(found))
"""


def find_modules() -> list[str]:
    """The names of all modules of all packages."""
    names = []
    for root in importlib.import_module("agent_factory").__path__:
        for path in Path(root).rglob("*.py"):
            parts = path.relative_to(Path(root).parent).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(name for name in names if not name.endswith(".__main__"))


def run(program: str, names: list[str], folder: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(names)],
        cwd=folder,
        env={"PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_no_module_does_anything_when_imported(tmp_path: Path) -> None:
    names = find_modules()
    assert {"agent_factory.core", "agent_factory.integrations", "agent_factory.cli"} <= set(names)

    assert run(_PROGRAM, names, tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("open('data.txt', 'w')", "open"),
        ("import socket; socket.socket()", "socket.__new__"),
        ("import os; os.environ.get('KEY')", "os.environ"),
        ("import os; os.getenv('KEY')", "os.environ"),
        ("import threading; threading.Timer(9, print).start()", "a thread"),
    ],
)
def test_a_module_that_does_something_is_noticed(tmp_path: Path, line: str, event: str) -> None:
    package = tmp_path / "agent_factory"
    package.mkdir()
    (package / "busy.py").write_text(f"{line}\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_PROGRAM}\nimport os; os._exit(0)"
    )
    program = program.replace("print(json.dumps(found))", "print(json.dumps(found), flush=True)")

    found = run(program, ["agent_factory.busy"], tmp_path)

    assert any(entry.startswith(event) for entry in found["agent_factory.busy"])


def test_the_namespace_has_no_init_module() -> None:
    specification = importlib.util.find_spec("agent_factory")

    assert specification is not None
    assert specification.origin is None
