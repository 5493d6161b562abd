"""Blueprints with tools from outside, run by the command line: an MCP server, and an API with an OpenAPI document."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agent_factory.cli.exit_codes import ExitCode
from agent_factory.cli.main import create_app
from agent_factory.core.testing import create_tool_call
from agent_factory.integrations.testing import OpenAIServer, ServerAnswer

pytestmark = pytest.mark.integration

MCP_SERVER = Path(__file__).parents[1] / "mcp" / "honest_server.py"
MCP = """\
schema: agent-factory/blueprint@1
name: adder
version: 0.1.0
toolsets:
  sums:
    mcp: {{command: {command}}}
agent:
  model: openai:tiny
  instructions: Add.
  tools: [{{toolset: sums}}]
permissions:
  models: [openai:tiny]
  tools: [{granted}]
  commands: {commands}
"""
OPENAPI = """\
schema: agent-factory/blueprint@1
name: keeper
version: 0.1.0
toolsets:
  shop:
    openapi: {{file: shop.json, server: "http://127.0.0.1:{port}"}}
agent:
  model: openai:tiny
  instructions: Look it up.
  tools: [{{toolset: shop}}]
permissions:
  models: [openai:tiny]
  tools: [shop/*]
  private_hosts: ["http://127.0.0.1:{granted}"]
"""
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://shop.example.com"}],
    "paths": {
        "/stock/{article}": {
            "get": {
                "operationId": "get_stock",
                "summary": "Returns how many there are.",
                "parameters": [
                    {
                        "name": "article",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string"},
                    }
                ],
                "responses": {"200": {"description": "Done."}},
            }
        }
    },
}


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("home")
    for name in ("OPENAI_API_KEY", "AGENT_FACTORY_MODEL", "AGENT_FACTORY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


@pytest.fixture
def shop() -> Iterator[tuple[int, list[str]]]:
    """The port of a shop's API, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = b'{"left": 7}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


def call(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[ServerAnswer], *arguments: object
) -> tuple[Result, list[Any]]:
    """Call the command line, and return what came of it with the requests that the model got."""

    async def work() -> tuple[Result, list[Any]]:
        async with OpenAIServer(answers) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
            given = [*map(str, arguments)]
            result = await asyncio.to_thread(CliRunner().invoke, create_app(), given)
            return result, list(server.requests)

    return asyncio.run(work())


def write_adder(folder: Path, *, granted: str = "sums/*", permitted: bool = True) -> Path:
    command = json.dumps([sys.executable, str(MCP_SERVER)])
    commands = json.dumps([sys.executable] if permitted else [])
    file = folder / "adder.yaml"
    file.write_text(MCP.format(command=command, granted=granted, commands=commands), "utf-8")
    return file


def write_keeper(folder: Path, port: int, granted: int) -> Path:
    (folder / "shop.json").write_text(json.dumps(DOCUMENT), "utf-8")
    file = folder / "keeper.yaml"
    file.write_text(OPENAPI.format(port=port, granted=granted), "utf-8")
    return file


def test_run_calls_the_tool_of_an_mcp_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[ServerAnswer] = [create_tool_call("add", {"first": 2, "second": 3}), "It is 5."]

    result, requests = call(monkeypatch, answers, "run", write_adder(tmp_path), "2 and 3?")

    assert result.exit_code == ExitCode.OK, result.stderr
    assert result.stdout == "It is 5.\n"
    assert "→ add" in result.stderr
    assert "5" in requests[-1].messages[-1].content


def test_tools_of_an_mcp_server_that_are_not_granted_are_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_adder(tmp_path, granted="sums/add")

    result, requests = call(monkeypatch, ["Hello."], "run", file, "Hi")

    assert result.exit_code == ExitCode.OK, result.stderr
    assert [tool.name for tool in requests[0].tools] == ["add"]


def test_program_of_an_mcp_server_that_is_not_permitted_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_adder(tmp_path, permitted=False)

    result, requests = call(monkeypatch, ["Hello."], "run", file, "Hi")

    assert result.exit_code == ExitCode.BLUEPRINT
    assert "permissions.commands" in result.stderr
    assert not requests


def test_lock_has_the_tools_of_an_mcp_server_and_validate_compares_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_adder(tmp_path)

    locked, _ = call(monkeypatch, [], "lock", file)
    compared, _ = call(monkeypatch, [], "validate", "--online", file)

    assert locked.exit_code == ExitCode.OK, locked.stderr
    assert '"where": "sha256:' in file.with_suffix(".lock").read_text("utf-8")
    assert compared.exit_code == ExitCode.OK, compared.stderr


def test_run_calls_an_api_with_an_openapi_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: tuple[int, list[str]]
) -> None:
    port, asked = shop
    answers: list[ServerAnswer] = [
        create_tool_call("get_stock", {"article": "desk lamp"}),
        "There are 7.",
    ]

    result, _ = call(monkeypatch, answers, "run", write_keeper(tmp_path, port, port), "Lamps?")

    assert result.exit_code == ExitCode.OK, result.stderr
    assert result.stdout == "There are 7.\n"
    assert asked == ["/stock/desk%20lamp"]


def test_address_that_is_not_granted_is_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: tuple[int, list[str]]
) -> None:
    port, asked = shop

    result, requests = call(
        monkeypatch, ["Hello."], "run", write_keeper(tmp_path, port, port + 1), "Lamps?"
    )

    assert result.exit_code == ExitCode.BLUEPRINT
    assert f"127.0.0.1:{port}" in result.stderr
    assert not requests
    assert asked == []


def test_refusal_is_shown_and_stands_in_the_record_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fetch.yaml"
    file.write_text(
        "schema: agent-factory/blueprint@1\nname: fetch\nversion: 0.1.0\n"
        "agent: {model: openai:tiny, instructions: Fetch., tools: [http_fetch]}\n"
        "permissions: {models: [openai:tiny], tools: [http_fetch], hosts: [api.example.com]}\n",
        "utf-8",
    )
    fetch = create_tool_call("http_fetch", {"url": "https://evil.example.net/x"})

    result, _ = call(monkeypatch, [fetch, "It is refused."], "run", file, "Fetch it.")
    shown, _ = call(monkeypatch, [], "runs", "show", "last")
    lines, _ = call(monkeypatch, [], "runs", "show", "last", "--json")

    assert result.exit_code == ExitCode.OK, result.stderr
    assert "! refused hosts: 'evil.example.net': permissions.hosts" in result.stderr
    assert "refused         hosts: 'evil.example.net': permissions.hosts" in shown.stdout
    assert shown.stdout.splitlines()[-1].split()[2] == "finished"
    records = [json.loads(line) for line in lines.stdout.splitlines()]
    denied = [(item["kind"], item["target"]) for item in records if item["type"] == "denied"]
    assert denied == [("hosts", "evil.example.net")]
