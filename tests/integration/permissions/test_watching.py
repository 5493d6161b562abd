"""What a process touches while its model tries everything: nothing but what the manifest names."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

STRACE = shutil.which("strace")
PRIVATE = "what-nobody-may-see"
BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: watched
version: 0.1.0
permissions:
  models: [default]
  tools: [read_file, list_files, search_files, search_documents, write_file, http_fetch]
  files: {{read: [docs], write: [out]}}
  private_hosts: ["http://127.0.0.1:{port}"]
limits: {{max_requests: 1000, max_tool_calls: 1000, timeout: 300}}
agent:
  instructions: Try.
  tools:
    - {{use: read_file, with: {{folder: docs}}}}
    - {{use: list_files, with: {{folder: docs}}}}
    - {{use: search_files, with: {{folder: docs}}}}
    - {{use: search_documents, with: {{folder: docs}}}}
    - {{use: write_file, with: {{folder: out, overwrite: true, create_folders: true}}}}
    - {{use: http_fetch, with: {{methods: [GET, POST], timeout: 5}}}}
"""


@dataclass(frozen=True)
class Place:
    """A folder with a blueprint and things that it must not touch, and two servers, one of which it may call."""

    root: Path
    port: int
    closed_port: int

    @property
    def base(self) -> Path:
        """The folder of the blueprint."""
        return self.root / "base"


def create_files(root: Path) -> None:
    """Make the files, and everything around them that could lead out."""
    base = root / "base"
    for folder in (base / "docs" / "inner", base / "out", root / "private" / "inner"):
        folder.mkdir(parents=True)
    (base / "docs" / "a.txt").write_text("an honest text\n")
    (base / "docs" / "inner" / "a.txt").write_text("an honest text\n")
    (base / "docs" / ".env").write_text(PRIVATE)
    (base / "beside.txt").write_text(PRIVATE)
    for name in ("secret.txt", "inner/a.txt", "a.txt"):
        (root / "private" / name).write_text(PRIVATE)
    for folder in (base / "docs", base / "out"):
        (folder / "door").symlink_to(root / "private")
        (folder / "up").symlink_to("../..")
        (folder / "door.txt").symlink_to(root / "private" / "secret.txt")
        (folder / "proc").symlink_to("/proc/self")
        os.mkfifo(folder / "pipe.txt")


@contextmanager
def run_server(closed_port: int) -> Iterator[int]:
    """Answer every request, some with a redirect to where it must not go, and return the port."""
    targets = {
        "/port": f"http://127.0.0.1:{closed_port}/",
        "/name": f"http://localhost:{closed_port}/",
        "/six": f"http://[::1]:{closed_port}/",
        "/mapped": f"http://[::ffff:127.0.0.1]:{closed_port}/",
        "/number": f"http://2130706433:{closed_port}/",
        "/user": f"http://127.0.0.1@127.0.0.1:{closed_port}/",
        "/file": "file:///etc/passwd",
        "/cloud": "http://169.254.169.254/latest/meta-data/",
        "/far": "https://nobody.invalid/",
        "/slashes": f"//127.0.0.1:{closed_port}/",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = targets.get(self.path)
            self.send_response(200 if target is None else 302)
            if target is not None:
                self.send_header("Location", target)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Everything that a run could touch. The second server must never be reached."""
    root = Path(os.path.realpath(tmp_path)) / "root"
    root.mkdir()
    create_files(root)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        closed.listen()
        closed.setblocking(False)
        closed_port = closed.getsockname()[1]
        with run_server(closed_port) as port:
            (root / "base" / "agent.yaml").write_text(BLUEPRINT.format(port=port))
            yield Place(root, port, closed_port)
        with pytest.raises(BlockingIOError):
            closed.accept()


def list_paths(place: Place) -> list[str]:
    """Return paths that must lead nowhere but below the tool's folder."""
    private = str(place.root / "private" / "secret.txt")
    return [
        private,
        f"/{private}",
        "../beside.txt",
        "../../private/secret.txt",
        "./../../private/secret.txt",
        "inner/../../../private/secret.txt",
        "inner/.././../beside.txt",
        "door/secret.txt",
        "door.txt",
        "up/private/secret.txt",
        "proc/environ",
        "proc/cwd/agent.yaml",
        "proc/root/etc/passwd",
        "pipe.txt",
        ".env",
        "..",
        ".",
        "",
        "/",
        "~/.ssh/id_rsa",
        "$HOME/.ssh/id_rsa",
        "%2e%2e/beside.txt",
        "..%2fbeside.txt",
        "..\\beside.txt",
        "\u2025/beside.txt",
        "\uff0e\uff0e/beside.txt",
        "a.txt/../../beside.txt",
        "a.txt\0/../../beside.txt",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/fd/0",
        "file:///etc/passwd",
        "a/" * 3000,
    ]


def list_urls(place: Place) -> list[str]:
    """Return URLs that must lead nowhere but to the server that is permitted."""
    port, closed = place.port, place.closed_port
    return [
        f"http://127.0.0.1:{closed}/",
        f"https://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://localhost:{closed}/",
        f"http://[::1]:{port}/",
        f"http://[::ffff:127.0.0.1]:{closed}/",
        f"http://[::ffff:7f00:1]:{port}/",
        f"http://127.1:{closed}/",
        f"http://2130706433:{closed}/",
        f"http://0x7f000001:{closed}/",
        f"http://0177.0.0.1:{closed}/",
        f"http://127.0.0.1.:{closed}/",
        f"http://0.0.0.0:{closed}/",
        f"http://0:{closed}/",
        f"http://127.0.0.1:{port}@127.0.0.1:{closed}/",
        f"http://127.0.0.1:{closed}#@127.0.0.1:{port}/",
        f"http://127.0.0.1:{closed}\\@127.0.0.1:{port}/",
        f"http://127.0.0.1:{closed}?@127.0.0.1:{port}/",
        f"http://\u2460\u2461\u2466.0.0.1:{closed}/",
        f"http://127.0.0.1\u3002evil:{closed}/",
        f"http://127.0.0.1:{port + 65536}/",
        f"http://127.0.0.1:{port}\r\nHost: evil/",
        "http://169.254.169.254/latest/meta-data/",
        "https://nobody.invalid/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "unix:///run/docker.sock",
        "//nobody.invalid/",
        "nobody.invalid",
        "",
        *(
            f"http://127.0.0.1:{port}/{name}"
            for name in (
                *("port", "name", "six", "mapped", "number"),
                *("user", "file", "cloud", "far", "slashes"),
            )
        ),
    ]


def list_calls(place: Place) -> list[tuple[str, dict[str, Any]]]:
    """Return what the model tries: three honest calls, and everything else."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("read_file", {"path": "a.txt"}),
        ("write_file", {"path": "honest.txt", "content": "mine"}),
        ("http_fetch", {"url": f"http://127.0.0.1:{place.port}/page"}),
    ]
    for path in list_paths(place):
        calls += [
            ("read_file", {"path": path}),
            ("write_file", {"path": path, "content": "mine"}),
            ("list_files", {"pattern": path}),
            ("search_files", {"pattern": PRIVATE[:8], "files": path}),
        ]
    calls += [
        ("write_file", {"path": "door/new.txt", "content": "mine"}),
        ("write_file", {"path": "up/new/new.txt", "content": "mine"}),
        ("list_files", {"pattern": "**/*"}),
        ("search_files", {"pattern": ".", "regex": True, "files": "**/*"}),
        ("search_documents", {"query": PRIVATE}),
    ]
    for url in list_urls(place):
        calls += [
            ("http_fetch", {"url": url}),
            ("http_fetch", {"url": url, "method": "POST", "body": "mine"}),
        ]
    return calls


def run(
    place: Place, calls: list[tuple[str, dict[str, Any]]], *before: str, log: str = "-"
) -> list[list[str]]:
    """Run the blueprint in a process of its own, and return what its tools told the model."""
    given, answers = place.root.parent / "calls.json", place.root.parent / "answers.json"
    given.write_text(json.dumps(calls))
    program = str(Path(__file__).with_name("watched.py"))
    command = [
        sys.executable,
        program,
        str(place.base / "agent.yaml"),
        str(given),
        str(answers),
        log,
    ]
    # With a home: Python would ask the system's name service for one before anything of ours runs.
    home = {"HOME": str(place.root.parent / "home")}
    environment = os.environ | home | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [*before, *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told: list[list[str]] = json.loads(answers.read_text())["told"]
    assert [item[0] for item in told] == [name for name, _ in calls]
    return told


def check_told(told: list[list[str]], honest: int) -> None:
    """Make sure that the honest calls worked, and that no answer has anything private in it."""
    assert [outcome for _, outcome, _ in told[:honest]] == ["ok"] * honest
    assert not any(PRIVATE in content for name, _, content in told)


def check_files(place: Place) -> None:
    """Make sure that nothing was written but below the one folder."""
    out = place.base / "out"
    written = {
        path.relative_to(place.root)
        for path in place.root.rglob("*")
        if not path.is_relative_to(out) and not path.is_symlink() and path.is_file()
        if b"mine" in path.read_bytes()
    }
    assert written == set()
    assert (out / "honest.txt").read_text() == "mine"
    assert {path.name for path in place.root.iterdir()} == {"base", "private"}
    assert (out / "door").is_symlink()
    assert (out / "door.txt").is_symlink()


def check_opened(place: Place, opened: set[str]) -> None:
    """Make sure that below the root nothing was opened but what the manifest names, and the folders on the way."""
    below = {Path(item) for item in opened if item.startswith(f"{place.root}/")}
    docs, out = place.base / "docs", place.base / "out"
    assert docs / "a.txt" in below  # the watcher sees
    assert {
        item
        for item in below
        if not item.is_relative_to(docs)
        and not item.is_relative_to(out)
        and item not in (place.base, place.base / "agent.yaml")
    } == set()
    assert docs / ".env" not in below
    assert not any(item.name in ("door", "door.txt", "up", "proc", "pipe.txt") for item in below)


@contextmanager
def swapping(place: Place) -> Iterator[None]:
    """Swap a folder for a link that leads out, again and again."""
    inner, aside = place.base / "docs" / "inner", place.base / "docs" / "aside"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            inner.rename(aside)
            inner.symlink_to(place.root / "private" / "inner")
            inner.unlink()
            aside.rename(inner)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def read_log(path: Path) -> list[list[Any]]:
    """Return the events of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_hostile_arguments_touch_nothing_by_audit_events(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "log"

    told = run(place, list_calls(place), log=str(log))

    events = read_log(log)
    check_told(told, 3)
    check_files(place)
    check_opened(place, {item[1] for item in events if item[0] == "opened"})
    connected = [item[2] for item in events if item[0] == "socket.connect"]
    assert connected
    assert {tuple(address) for address in connected} == {("127.0.0.1", place.port)}
    # Not even the name of another host is told to anybody.
    assert not any("invalid" in str(item) for item in events if item[0].startswith("socket."))
    started = (
        "subprocess.",
        "os.exec",
        "os.system",
        "os.spawn",
        "os.posix_spawn",
        "os.fork",
        "pty.",
    )
    assert not any(item[0].startswith(started) for item in events)
    assert not any(str(place.root / "private") in str(item) for item in events)


def test_folder_swapped_for_a_link_leads_nowhere_by_audit_events(
    place: Place, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    calls: list[tuple[str, dict[str, Any]]] = [("read_file", {"path": "a.txt"})]
    calls += [("read_file", {"path": "inner/a.txt"})] * 150
    calls += [("search_files", {"pattern": PRIVATE})] * 30

    with swapping(place):
        told = run(place, calls, log=str(log))

    check_told(told, 1)
    check_opened(place, {item[1] for item in read_log(log) if item[0] == "opened"})


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_hostile_arguments_touch_nothing_by_system_calls(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "strace"
    watcher = (str(STRACE), "-f", "-y", "-s", "4096", "-e", "trace=network,openat,open,execve")

    told = run(place, list_calls(place), *watcher, "-o", str(log))

    lines = log.read_text(errors="replace").splitlines()
    check_told(told, 3)
    check_files(place)
    opens = [line for line in lines if re.search(r"\bopen(at)?\(", line)]
    check_opened(
        place, {found[1] for line in opens if (found := re.search(r"= \d+<([^>]*)>$", line))}
    )
    connects = [line for line in lines if re.search(r"\bconnect\(\d", line)]
    named = [line for line in connects if "AF_INET" in line]
    assert named
    assert all(f"htons({place.port})" in line and '"127.0.0.1"' in line for line in named)
    # What is not for a host is for the system's own name service, which is not asked either.
    assert named == connects
    assert not any(re.search(r"\bsend(to|msg|mmsg)\(.*invalid", line) for line in lines)
    assert len([line for line in lines if "execve(" in line and line.endswith(" = 0")]) == 1


def test_what_the_manifest_names_outside_is_read_and_seen(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "log"
    blueprint = place.base / "agent.yaml"
    blueprint.write_text(
        blueprint.read_text()
        .replace("read: [docs]", "read: [../private]")
        .replace("folder: docs", "folder: ../private")
    )

    told = run(place, [("read_file", {"path": "secret.txt"})], log=str(log))

    assert PRIVATE in told[0][2]
    opened = {item[1] for item in read_log(log) if item[0] == "opened"}
    assert str(place.root / "private" / "secret.txt") in opened
